import TestSupport
import Testing

@testable import Commands

/// On manifests: what needs no connection to be known.
@Suite("explain and trace")
struct ExplainCommandTests {
    private static let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }

    private func explain(_ arguments: String...) throws -> (output: String, exitCode: Int32) {
        let interpretation = Interpretation(["explain"] + arguments, environment: { _ in nil })
        guard case .explain(let options) = interpretation else { throw TestFailure("\(interpretation)") }
        return try ExplainCommand(options: options).run(asOf: 1_700_000_000)
    }

    private func trace(_ arguments: String...) throws -> (output: String, exitCode: Int32) {
        let interpretation = Interpretation(["trace"] + arguments, environment: { _ in nil })
        guard case .trace(let options) = interpretation else { throw TestFailure("\(interpretation)") }
        return try TraceCommand(options: options).run(asOf: 1_700_000_000)
    }

    private func broken(_ name: String) -> String { "\(Self.root)/examples/broken/\(name)" }

    @Test(
        "a broken set-up is explained by the link that is broken",
        arguments: [
            (
                "wrong-port", "✗ Service infra/redis:6381",
                [
                    "cause invalid_backend, field spec.rules[0].backendRefs[0].port", "has no port 6381",
                    "→ use a port that the Service has: 6379",
                ]
            ),
            (
                "missing-grant", "✗ Service shop/redis:6379",
                ["cause invalid_backend, field spec.rules[0].backendRefs[0].namespace", "no ReferenceGrant in shop"]
            ),
            ("no-endpoints", "✗ Service infra/redis:6379", ["cause no_endpoints", "none of them ready"]),
            ("class-not-ours", "✗ Gateway infra/edge", ["field spec.gatewayClassName", "is not ours"]),
            (
                "listener-conflict", "✗ listener infra/edge/redis",
                ["cause ProtocolConflict", "port 6380 is wanted with another protocol by listener other"]
            ),
        ])
    func links(name: String, link: String, parts: [String]) throws {
        let (output, code) = try explain("tcproute", "infra/redis", "-f", broken(name))
        #expect(code == 1)
        #expect(output.hasPrefix("TCPRoute infra/redis: NOT served"), "\(output)")
        for part in [link] + parts { #expect(output.contains(part), "\(part)\n---\n\(output)") }
    }

    @Test("a name that does not fall under the listener's")
    func hostname() throws {
        let (output, code) = try explain("tls", "infra/redis", "-f", broken("hostname-mismatch"))
        #expect(code == 1)
        for part in [
            "✗ TLSRoute infra/redis", "NoMatchingListenerHostname", "cause tls_no_sni_match, field spec.hostnames",
        ] {
            #expect(output.contains(part), "\(part)\n---\n\(output)")
        }
    }

    @Test("policies: what conflicts is broken where it is asked for itself, values say whose they are")
    func policies() throws {
        let path = broken("policy-conflict")
        let own = try explain("cp", "infra/b-younger", "-f", path)
        #expect(own.exitCode == 1)
        #expect(
            own.output.contains("(Conflicted): Gateway infra/edge has the older ClientPolicy infra/a-older"),
            "\(own.output)")
        let route = try explain("TCPRoute", "infra/redis", "-f", path)
        #expect(route.exitCode == 0, "\(route.output)")
        #expect(route.output.contains("! ClientPolicy infra/b-younger"))
        #expect(route.output.contains("ClientPolicy infra/a-older at Gateway infra/edge"), "\(route.output)")
        #expect(route.output.contains("ClientPolicy.timeout.tcp.idleTimeout"))
        #expect(route.output.contains("BackendPolicy.retry.numRetries"))
    }

    @Test("what does not exist is said, with the nearest name")
    func missing() throws {
        let route = try explain("tcproute/reddis", "-n", "infra", "-f", broken("wrong-port"))
        #expect(route.exitCode == 1)
        #expect(route.output.contains("TCPRoute infra/reddis does not exist"))
        #expect(route.output.contains("did you mean infra/redis?"), "\(route.output)")
        let listener = try explain("listener", "infra/edge/reds", "-f", broken("wrong-port"))
        #expect(listener.output.contains("Gateway infra/edge has no such listener"))
    }

    @Test(
        "every kind can be asked for",
        arguments: [
            ("gw", "infra/edge"), ("listener", "infra/edge/redis"), ("svc", "infra/redis"), ("bp", "infra/redis"),
            ("gc", "sluice"),
        ])
    func kinds(kind: String, name: String) throws {
        let (output, code) = try explain(kind, name, "-f", broken("health-check"))
        #expect(code == 0, "\(output)")
        #expect(output.contains("✓"))
    }

    @Test("JSON and YAML have the links")
    func encoded() throws {
        let json = try explain("tcproute", "infra/redis", "-f", broken("no-endpoints"), "-o", "json").output
        #expect(json.contains("\"cause\" : \"no_endpoints\""), "\(json)")
        let yaml = try explain("tcproute", "infra/redis", "-f", broken("no-endpoints"), "-o", "yaml").output
        #expect(yaml.contains("cause: no_endpoints"), "\(yaml)")
    }

    @Test("command lines that name nothing are refused")
    func refused() {
        for (arguments, part) in [
            (["explain", "tcproute"], "KIND NAMESPACE/NAME"),
            (["explain", "tcprout", "a/b"], "did you mean 'TCPRoute'?"),
            (["explain", "tcproute", "a/b/c"], "names no TCPRoute"),
            (["explain", "listener", "edge"], "names no listener"),
            (["explain", "svc", "a/b", "-n", "c"], "contradict each other"),
            (["trace"], "--port N is required"), (["trace", "--port", "1", "--from", "x"], "an IP address"),
        ] {
            guard case .refuse(let line) = Interpretation(arguments, environment: { _ in nil }) else {
                Issue.record("\(arguments) is understood")
                continue
            }
            #expect(line.contains(part), "\(line)")
        }
    }

    @Test(
        "check names the cause of what manifests decide",
        arguments: [
            ("wrong-port", "cause invalid_backend"), ("missing-grant", "cause invalid_backend"),
            ("no-endpoints", "cause no_endpoints"), ("hostname-mismatch", "cause tls_no_sni_match"),
            ("policy-conflict", "cause Conflicted"), ("listener-conflict", "cause ProtocolConflict"),
            ("class-not-ours", "✗ Gateway infra/edge  ignored: GatewayClass other is not ours"),
        ])
    func checked(name: String, cause: String) throws {
        guard case .check(let options) = Interpretation(["check", broken(name)], environment: { _ in nil }) else {
            throw TestFailure("not understood")
        }
        let output = try CheckCommand(options: options).run(asOf: 1_700_000_000).output
        #expect(output.contains(cause), "\(output)")
        #expect(output.contains("    → "))
    }

    @Test("a trace says who lets the client in, or not")
    func authorization() throws {
        let path = broken("denied-by-cidr")
        let denied = try trace("--port", "6380", "--from", "192.0.2.1", "-f", path)
        #expect(denied.exitCode == 1)
        #expect(
            denied.output.contains("the default action at Gateway infra/edge denies client 192.0.2.1"),
            "\(denied.output)")
        #expect(denied.output.hasSuffix("refused: authz_denied\n"))
        let allowed = try trace("--port", "6380", "--from", "10.1.2.3", "-f", path)
        #expect(allowed.exitCode == 0)
        #expect(allowed.output.contains("rule internal lets client 10.1.2.3 in"))
        #expect(allowed.output.contains("goes to Service infra/redis:6379 (100 %)"))
        #expect(allowed.output.contains("  127.0.0.1:6390  serving"))
        let open = try trace("--port", "6380", "-f", path)
        #expect(open.exitCode == 0)
        #expect(open.output.contains("say who connects: --from IP"))
    }

    @Test(
        "a trace of what is broken ends with the reason",
        arguments: [
            ("wrong-port", "refused: invalid_backend"), ("no-endpoints", "refused: no_endpoints"),
            ("class-not-ours", "refused: nothing listens"), ("hostname-mismatch", "refused: tls_no_sni_match"),
        ])
    func traces(name: String, end: String) throws {
        let (output, code) = try trace("--port", "6380", "--sni", "redis.example.com", "-f", broken(name))
        #expect(code == 1)
        #expect(output.hasSuffix(end + "\n"), "\(output)")
    }
}
