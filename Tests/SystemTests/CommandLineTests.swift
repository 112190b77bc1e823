internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    @Suite("command line", .timeLimit(.minutes(1)))
    struct CommandLineTests {
        private func sluice(_ arguments: String..., environment: [String: String] = [:]) throws -> CommandResult {
            try run([try Installation.sluice()] + arguments, environment: environment)
        }

        @Test(
            "what is wrong with the command line is one line that names it, and exit code 2",
            arguments: [
                (["run", "--manifest", "x"], ["--manifest", "did you mean '--manifests'?"]),
                (["run", "--manifests", "/tmp", "--context", "x"], ["--context", "--manifests"]),
                (["run", "--manifests", "/tmp", "--workers", "many"], ["--workers", "many", "1", "64"]),
                (["run", "--manifests", "/tmp", "--log-level", "loud"], ["--log-level", "loud", "debug", "error"]),
                (["run", "--manifests", "/tmp", "--exposure", "Service"], ["--exposure"]),
                (["chek"], ["chek", "check"]), (["echo", "--port", "70000"], ["--port", "70000", "65535"]),
            ])
        func usage(arguments: [String], mentions: [String]) throws {
            let result = try run([try Installation.sluice()] + arguments)
            #expect(result.ending == .exited(code: 2))
            #expect(result.output == "")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
            for mention in mentions { #expect(result.errors.contains(mention), "\(result.errors)") }
        }

        @Test("what keeps it from starting is one line, and exit code 1")
        func cannotStart() throws {
            let result = try sluice("run", "--manifests", "/nonexistent/folder")
            #expect(result.ending == .exited(code: 1))
            #expect(result.errors.contains("/nonexistent/folder"), "\(result.errors)")
            let redis = try Redis()
            let folder = try TemporaryDirectory()
            let taken = try sluice("run", "--manifests", folder.path, "--probe-address", "127.0.0.1:\(redis.port)")
            #expect(taken.ending == .exited(code: 1))
            #expect(taken.errors.contains("127.0.0.1:\(redis.port)"), "\(taken.errors)")
        }

        @Test("a flag's twin in the environment, which the flag overrides")
        func environment() throws {
            let bad = try sluice("run", environment: ["SLUICE_MANIFESTS": "/tmp", "SLUICE_WORKERS": "none"])
            #expect(bad.ending == .exited(code: 2))
            #expect(bad.errors.contains("SLUICE_WORKERS"), "\(bad.errors)")
            let other = try sluice(
                "run", "--manifests", "/nonexistent", "--workers", "1", environment: ["SLUICE_WORKERS": "none"])
            #expect(other.ending == .exited(code: 1))
        }

        @Test("help and version")
        func help() throws {
            let help = try sluice("help").checked()
            for command in ["run", "check", "echo", "version"] { #expect(help.contains(command)) }
            #expect(try sluice("run", "--help").checked().contains("--manifests"))
            #expect(try sluice("version").checked().contains("sluice"))
        }

        @Test("check: what would serve, and exit code 0")
        func check() throws {
            let result = try sluice("check", "\(Installation.root)/examples/quickstart")
            let output = try result.checked()
            for part in [
                "Gateway default/quickstart", "TCPRoute default/echo", "TLSRoute default/blue",
                "blue.example.com", "9000", "9443", "127.0.0.1:9102", "all accepted",
            ] { #expect(output.contains(part), "no '\(part)' in:\n\(output)") }

            let json = try sluice("check", "\(Installation.root)/examples/quickstart", "-o", "json").checked()
            let answer = try JSONDecoder().decode(CheckAnswer.self, from: Data(json.utf8))
            #expect(answer.accepted)
            #expect(answer.listeners.map(\.listener).sorted() == ["plain", "tls"])
            #expect(answer.problems == [])
        }

        @Test("check: an unknown field, a route without its service and a broken file are named, exit code 1")
        func checkProblems() throws {
            let folder = try TemporaryDirectory()
            try folder.write(
                Manifest.gateway([.init(name: "p", port: 9999)]) + Manifest.tcpRoute("r", to: "absent", section: "p"),
                to: "routes.yaml")
            try folder.write(
                "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  portz: []\n", to: "field.yaml")
            try folder.write("kind: [\n", to: "broken.yaml")
            let result = try sluice("check", folder.path)
            #expect(result.ending == .exited(code: 1))
            for part in ["BackendNotFound", "absent", "field.yaml:5", "portz", "broken.yaml", "NOT all accepted"] {
                #expect(result.output.contains(part), "no '\(part)' in:\n\(result.output)")
            }
        }
    }
}

private struct CheckAnswer: Decodable {
    struct Listener: Decodable { var listener: String }
    struct Problem: Decodable, Equatable { var file: String? }
    var accepted: Bool
    var listeners: [Listener]
    var problems: [Problem]
}
