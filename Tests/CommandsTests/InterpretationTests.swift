import Observability
import Primitives
import Testing

@testable import Commands

@Suite("Command line")
struct InterpretationTests {
    private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> RunOptions {
        guard case .run(let options) = Interpretation(["run"] + arguments, environment: { environment[$0] }) else {
            throw Refused(message: refusal(["run"] + arguments, environment: environment))
        }
        return options
    }

    private func refusal(_ arguments: [String], environment: [String: String] = [:]) -> String {
        if case .refuse(let message) = Interpretation(arguments, environment: { environment[$0] }) {
            message
        } else {
            ""
        }
    }

    private struct Refused: Error { var message: String }

    @Test("run has the documented defaults")
    func defaults() throws {
        let options = try run("--manifests", "dir")
        #expect(options.source == .manifests("dir"))
        #expect(options.exposure == .host && options.gatewayClass == "sluice")
        #expect(options.probeAddress.description == "[::]:8081")
        #expect(options.adminAddress.description == "127.0.0.1:19000")
        #expect(options.workers == nil && options.maxConnections == nil)
        #expect(options.bufferMemory == 64 << 20)
        #expect(options.logFormat == .auto && options.logLevel == .info)
        #expect(options.acceptGrace == .seconds(10) && options.drainDeadline == .seconds(60))
        #expect(options.readinessOnShutdown == .auto)
        #expect(options.controllerName == "sluice.dev/gateway-controller")
    }

    @Test("without manifests a cluster is served, with the documented defaults")
    func clusterDefaults() throws {
        let options = try run()
        let connection = ConnectionOptions(kubeconfig: nil, context: nil, namespace: nil, watchNamespaces: [])
        #expect(
            options.source
                == .cluster(
                    ClusterOptions(
                        connection: connection, portRange: 20000...29999,
                        podSelector: [
                            "app.kubernetes.io/name": "sluice", "app.kubernetes.io/instance": "sluice",
                        ], markerConfigMap: "sluice", leaderElect: true, leaseName: nil, podName: nil)))
        #expect(options.exposure == .service && options.gatewayClass == "sluice")
        #expect(options.acceptGrace == .seconds(30))
        #expect(try run("--exposure", "Host").acceptGrace == .seconds(10))
        #expect(try run("--accept-grace", "3s").acceptGrace == .seconds(3))
    }

    @Test("flags of a cluster are taken, from the environment too")
    func clusterFlags() throws {
        let options = try run(
            "--kubeconfig", "k", "--context", "c", "--watch-namespaces", "b,a", "--port-range=1024-65535",
            "--pod-selector", "x/app=a,b=", "--leader-elect=false", "--pod-name", "p", "--gateway-class", "edge",
            environment: ["SLUICE_NAMESPACE": "ns", "SLUICE_MARKER_CONFIG_MAP": "owner"])
        let connection = ConnectionOptions(kubeconfig: "k", context: "c", namespace: "ns", watchNamespaces: ["a", "b"])
        #expect(
            options.source
                == .cluster(
                    ClusterOptions(
                        connection: connection, portRange: 1024...65535, podSelector: ["x/app": "a", "b": ""],
                        markerConfigMap: "owner", leaderElect: false, leaseName: nil, podName: "p")))
        #expect(options.gatewayClass == "edge")
        #expect(
            refusal(["run", "--leader-elect=false", "--lease-name", "l"])
                == "sluice run: --lease-name means nothing with --leader-elect=false")
        #expect(
            refusal(["run", "--context", "c"], environment: ["SLUICE_MANIFESTS": "dir"])
                == "sluice run: --context needs a cluster, and manifests are not one; give either it or --manifests")
        #expect(
            refusal(["run", "--tls-ticket-key-file", "keys"])
                == "sluice run: --tls-ticket-key-file needs --manifests: in a cluster replicas share the keys of a Secret"
        )
    }

    @Test("where the process runs, for any source")
    func place() throws {
        let said = try run("--manifests", "a", "--zone", "eu-1a", environment: ["SLUICE_NODE_NAME": "n1"])
        #expect(said.zone == "eu-1a" && said.nodeName == "n1")
        let unsaid = try run(environment: ["SLUICE_NODE_NAME": ""])
        #expect(unsaid.zone == nil && unsaid.nodeName == nil)
    }

    @Test("retire takes the connection's flags")
    func retire() throws {
        guard
            case .retire(let options) = Interpretation(
                ["retire", "--namespace", "edge", "--timeout", "30s", "--controller-name", "a.b/c"],
                environment: { _ in nil })
        else {
            Issue.record("retire was not understood")
            return
        }
        #expect(options.connection.namespace == "edge" && options.timeout == .seconds(30))
        #expect(options.controllerName == "a.b/c" && options.gatewayClass == "sluice")
        #expect(refusal(["retire", "--controller-name", "x"]).hasPrefix("sluice retire: --controller-name: 'x'"))
        #expect(refusal(["retire", "--manifests", "x"]).hasPrefix("sluice retire: unknown flag --manifests"))
    }

    @Test("values follow a space or an equals sign, and the last one counts")
    func spellings() throws {
        #expect(try run("--manifests=a=b", "--workers", "3").source == .manifests("a=b"))
        #expect(try run("--manifests", "a", "--workers=3", "--workers=4").workers == 4)
        #expect(try run("--manifests", "a", "--drain-deadline=1m30s").drainDeadline == .seconds(90))
    }

    @Test("an environment variable counts where the flag is not given")
    func twins() throws {
        let environment = ["SLUICE_MANIFESTS": "from-env", "SLUICE_LOG_LEVEL": "debug", "SLUICE_WORKERS": ""]
        #expect(try run(environment: environment).source == .manifests("from-env"))
        #expect(try run("--manifests", "given", environment: environment).source == .manifests("given"))
        #expect(try run(environment: environment).logLevel == .debug)
        #expect(
            refusal(["run", "--manifests", "a"], environment: ["SLUICE_LOG_FORMAT": "yaml"])
                == "sluice run: SLUICE_LOG_FORMAT (for --log-format): 'yaml' is not allowed; allowed: auto, text, json")
    }

    @Test(
        "bad values are named with what is allowed",
        arguments: [
            (["--log-level", "warn"], "--log-level: 'warn' is not allowed; allowed: debug, info, warning, error"),
            (["--log-format", "jsn"], "allowed: auto, text, json; did you mean 'json'?"),
            (["--workers", "65"], "--workers: '65' is not allowed; allowed: 1 to 64"),
            (["--workers", "many"], "--workers: 'many' is not allowed; allowed: 1 to 64"),
            (["--probe-address", "8081"], "allowed: an address and port such as 127.0.0.1:8081 or [::]:8081"),
            (
                ["--buffer-memory", "64m"],
                "--buffer-memory: '64m' is not allowed; allowed: 1Mi to 1Ti, such as 64Mi or 1Gi"
            ),
            (["--accept-grace", "10"], "allowed: 0s to 1h, such as 500ms, 30s or 1m30s"),
            (["--drain-deadline", "25h"], "allowed: 0s to 24h"),
            (["--exposure", "host"], "allowed: Host, Service; did you mean 'Host'?"),
            (["--exposure", "Service"], "--exposure: Service needs a cluster"),
            (
                ["--context", "kind"],
                "--context needs a cluster, and manifests are not one; give either it or --manifests"
            ),
            (["--leader-elect", "false"], "--leader-elect needs a cluster"),
            (["--port-range", "80-90"], "allowed: two ports of 1024 to 65535 such as 20000-29999"),
            (["--port-range", "30000-20000"], "--port-range: '30000-20000' is not allowed"),
            (["--watch-namespaces", "a,,b"], "allowed: names of namespaces, divided by commas"),
            (["--pod-selector", "app"], "allowed: labels such as app=sluice,track=stable, at least one"),
            (["--pod-selector", "app=a,app=b"], "--pod-selector: 'app=a,app=b' is not allowed"),
            (["--namespace", "a.b"], "--namespace: 'a.b' is not allowed"),
            (
                ["--controller-name", "sluice"],
                "--controller-name: 'sluice' is not allowed; allowed: a domain and a path"
            ),
            (
                ["--manifest", "a"],
                "unknown flag --manifest; did you mean '--manifests'? (allowed: --manifests, --probe-address"
            ),
            (["-x"], "unknown flag -x (allowed: "),
            (["--log-level"], "--log-level needs a value; allowed: debug, info, warning, error"),
            (["extra"], "unexpected argument 'extra'; this command takes flags only"),
        ])
    func refusals(arguments: [String], expected: String) {
        let message = refusal(["run", "--manifests", "dir"] + arguments)
        #expect(message.hasPrefix("sluice run: "))
        #expect(message.contains(expected), "\(message)")
        #expect(!message.contains("\n"))
    }

    @Test("a required flag that is missing is named with its variable")
    func required() {
        #expect(refusal(["check"]) == "sluice check: FILE|DIR is required")
        #expect(refusal(["echo"]) == "sluice echo: --port N is required (or SLUICE_ECHO_LISTEN_PORT)")
        #expect(
            refusal(["echo", "--port", "1", "--tls-cert", "c"]) == "sluice echo: --tls-cert needs --tls-key as well")
    }

    @Test("unknown commands are named with the nearest one")
    func unknownCommand() {
        let names = CommandDescription.all.map(\.name).joined(separator: ", ")
        #expect(
            refusal(["chekc"]) == "sluice: unknown command 'chekc'; did you mean 'check'? (allowed: \(names))")
        #expect(refusal(["help", "rum"]).contains("did you mean 'run'?"))
    }

    @Test("check and echo take their arguments")
    func otherCommands() {
        guard case .check(let check) = Interpretation(["check", "a", "-o", "json", "b"], environment: { _ in nil })
        else {
            Issue.record("check was not understood")
            return
        }
        #expect(
            check
                == CheckOptions(
                    paths: ["a", "b"], output: .json, controllerName: "sluice.dev/gateway-controller",
                    gatewayClass: "sluice"))
        guard case .echo(let echo) = Interpretation(["echo", "--port=0", "--name", "x"], environment: { _ in nil })
        else {
            Issue.record("echo was not understood")
            return
        }
        #expect(echo == EchoOptions(port: 0, certificate: nil, key: nil, name: "x"))
        for spelling in [["-o", "json"], ["-ojson"], ["-o=json"], ["--output=json"]] {
            guard case .version(.json) = Interpretation(["version"] + spelling, environment: { _ in nil }) else {
                Issue.record("\(spelling) was not understood")
                continue
            }
        }
    }

    @Test("every command has a help page that shows every flag", arguments: CommandDescription.all.map(\.name))
    func help(command: String) {
        for arguments in [["help", command], [command, "--help"], [command, "-h"]] where command != "help" {
            guard case .print(let page) = Interpretation(arguments, environment: { _ in nil }) else {
                Issue.record("\(arguments) printed nothing")
                continue
            }
            for flag in CommandDescription.all.first(where: { $0.name == command })?.flags ?? [] {
                #expect(page.contains("--\(flag.name)" + (flag.isToggle ? "\n" : " \(flag.placeholder)")))
                #expect(page.contains("[\(flag.environment)]"))
            }
            #expect(page.contains("Usage:\n  sluice \(command)"))
            #expect(page.split(separator: "\n").allSatisfy { $0.count <= 140 })
        }
        #expect(Help.overview.contains("\n  \(command)"))
    }

    @Test("every flag accepts its own default and refuses nonsense")
    func flagDefaults() {
        for flag in CommandDescription.all.flatMap(\.flags) {
            if let fallback = flag.fallback, !fallback.contains(" ") { #expect(flag.accepts(fallback), "\(flag.name)") }
            #expect(!flag.accepts(""), "\(flag.name)")
        }
    }
}
