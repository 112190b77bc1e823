internal import FoundationEssentials
internal import Glibc
internal import Inspection
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// The folders of examples/broken: whatever is asked names the same cause in the same words.
    @Suite("broken set-ups", .timeLimit(.minutes(5)))
    struct BrokenSetupsTests {
        struct Setup: Sendable, CustomTestStringConvertible {
            var name: String
            /// What connections are refused with.
            var reason: String
            /// What the listener's client does.
            var client = Client.plain
            var isTLS = false
            /// Whether manifests alone decide it.
            var isDecided = true
            var testDescription: String { name }
        }

        enum Client { case plain, speaking, tls }

        static let setups = [
            Setup(name: "wrong-port", reason: "invalid_backend"),
            Setup(name: "missing-grant", reason: "invalid_backend"),
            Setup(name: "no-endpoints", reason: "no_endpoints"),
            Setup(name: "expired-certificate", reason: "tls_error", client: .tls),
            Setup(name: "hostname-mismatch", reason: "tls_no_sni_match", client: .tls, isTLS: true),
            Setup(name: "health-check", reason: "no_healthy_endpoint", isDecided: false),
            Setup(name: "denied-by-cidr", reason: "authz_denied", isDecided: false),
            Setup(name: "policy-conflict", reason: "authz_denied", isDecided: false),
            Setup(name: "proxy-header-missing", reason: "proxy_protocol_missing", client: .speaking, isDecided: false),
            Setup(name: "backend-tls-untrusted", reason: "backend_tls_error", isDecided: false),
        ]

        @Test("log, metrics, explain, page and check name one cause in the same words", arguments: setups)
        func refused(setup: Setup) throws {
            let cause = try #require(Cause.named(setup.reason))
            let stranger = try TestPKI.makeCA("Stranger").issue(dnsNames: ["redis.example.com"])
            // The name is what the second step of the health check looks for.
            let backend = try EchoBackend("*", certificate: setup.name == "backend-tls-untrusted" ? stranger : nil)
            let scene = try Scene(setup.name, backend: backend.port)
            let sluice = try Sluice.ready(scene.text)
            try connect(setup.client, scene)

            try sluice.waitForAccessLine("\"event\":\"close\"", "\"close_reason\":\"\(setup.reason)\"")
            try sluice.waitForMetrics("the reason") { metrics in
                metrics.sum("sluice_listener_connections_rejected_total", ["reason": setup.reason]) == 1
                    || metrics.sum("sluice_tcp_connections_closed_total", ["reason": setup.reason]) == 1
            }
            try expectExplained(setup, cause, sluice)
            try expectShown(setup, cause, sluice)
            let check = try run([try Installation.sluice(), "check", sluice.manifests.path])
            #expect(check.output.contains("cause \(setup.reason)") == setup.isDecided, "\(check.output)")
            if setup.isDecided { #expect(check.output.contains(cause.meaning), "\(check.output)") }
            try sluice.stop()
        }

        private func expectExplained(_ setup: Setup, _ cause: Cause, _ sluice: Sluice) throws {
            let kind = setup.isTLS ? "TLSRoute" : "TCPRoute"
            let words = [
                try Installation.sluice(), "explain", kind, "infra/redis", "--admin-address", "\(sluice.admin)",
            ]
            let text = try run(words)
            #expect(text.output.contains("cause \(setup.reason)"), "\(text.output)\(text.errors)")
            #expect(text.output.contains(cause.meaning), "\(text.output)")
            let json = try run(words + ["-o", "json"])
            let explanation = try JSONDecoder().decode(Explanation.self, from: Data(json.output.utf8))
            #expect(explanation.links.contains { $0.cause == setup.reason && $0.advice != nil })
            #expect(text.ending == .exited(code: explanation.isServed ? 0 : 1))
        }

        /// What the status page is made of.
        private func expectShown(_ setup: Setup, _ cause: Cause, _ sluice: Sluice) throws {
            let live = try sluice.program.wait(for: "the refusal in /traffic", within: .seconds(10)) {
                let body = try sluice.fetch("/traffic", from: sluice.admin).body
                let live = try JSONDecoder().decode(LiveTraffic.self, from: Data(body.utf8))
                return live.refusals.isEmpty ? nil : live
            }
            let refusal = try #require(live.refusals.first { $0.reason == setup.reason })
            #expect(refusal.meaning == cause.meaning && refusal.advice == cause.advice)
            #expect(refusal.minutes.reduce(0, +) == 1)
            let status = try sluice.fetch("/status", from: sluice.admin).body
            let tree = try JSONDecoder().decode(StatusTree.self, from: Data(status.utf8))
            #expect(tree.gateways.map(\.name) == ["edge"])
            #expect(tree.routes.map(\.name) == ["redis"])
        }

        @Test("where nothing listens the condition is the cause", arguments: ["class-not-ours", "listener-conflict"])
        func unbound(name: String) throws {
            let words =
                name == "class-not-ours"
                ? "ignored: GatewayClass other is not ours" : "is wanted with another protocol by listener other (TLS)"
            let backend = try EchoBackend("one")
            let scene = try Scene(name, backend: backend.port)
            let sluice = try Sluice.ready(scene.text)
            #expect(throws: Errno.connectionRefused) { try PlainClient(port: scene.port) }
            let explain = try run([
                try Installation.sluice(), "explain", "TCPRoute", "infra/redis", "--admin-address", "\(sluice.admin)",
            ])
            #expect(explain.ending == .exited(code: 1))
            #expect(explain.output.contains(words), "\(explain.output)\(explain.errors)")
            let check = try run([try Installation.sluice(), "check", sluice.manifests.path])
            #expect(check.output.contains(words), "\(check.output)")
            #expect(try sluice.fetch("/status", from: sluice.admin).body.contains(words))
            try sluice.stop()
        }

        @Test("a policy that conflicts is named with the older one, in the condition's words")
        func conflict() throws {
            let words = "Gateway infra/edge has the older ClientPolicy infra/a-older"
            let backend = try EchoBackend("one")
            let sluice = try Sluice.ready(try Scene("policy-conflict", backend: backend.port).text)
            let explain = try run([
                try Installation.sluice(), "explain", "clientpolicy", "infra/b-younger", "--admin-address",
                "\(sluice.admin)",
            ])
            #expect(explain.ending == .exited(code: 1))
            #expect(explain.output.contains("cause Conflicted") && explain.output.contains(words), "\(explain.output)")
            let check = try run([try Installation.sluice(), "check", sluice.manifests.path])
            #expect(check.ending == .exited(code: 1))
            #expect(check.output.contains("cause Conflicted") && check.output.contains(words), "\(check.output)")
            #expect(try sluice.fetch("/status", from: sluice.admin).body.contains(words))
            try sluice.stop()
        }

        @Test("the step at which a health check fails is named by explain and by the page")
        func step() throws {
            let backend = try EchoBackend("*")
            let sluice = try Sluice.ready(try Scene("health-check", backend: backend.port).text)
            let step = "step 3 (expect \"master\")"
            _ = try sluice.program.wait(for: "the failed check", within: .seconds(10)) {
                let tree = try JSONDecoder().decode(
                    StatusTree.self, from: Data(try sluice.fetch("/status", from: sluice.admin).body.utf8))
                let failures = tree.backends.flatMap(\.endpoints).compactMap(\.failure)
                return failures.contains { $0.contains(step) } ? true : nil
            }
            let explain = try run([
                try Installation.sluice(), "explain", "svc", "infra/redis", "--admin-address", "\(sluice.admin)",
            ])
            #expect(explain.output.contains(step), "\(explain.output)")
            try sluice.stop()
        }

        private func connect(_ client: Client, _ scene: Scene) throws {
            switch client {
            case .plain: try expectReset(port: scene.port)
            case .speaking:
                let client = try PlainClient(port: scene.port)
                // As Redis clients do: "PING" would begin as a header does.
                try client.send("*1\r\n$4\r\nPING\r\n")
                #expect(try client.waitForEnd() == .reset)
            case .tls:
                let authority = scene.folder.path + "/backend-tls-untrusted/pem/expired.crt"
                let answer = try SClient(
                    port: scene.port, waitingFor: "alert",
                    ["-servername", "redis.example.com", "-verify_return_error", "-CAfile", authority])
                #expect(!answer.output.contains("\"backend\""))
            }
        }
    }

    /// A folder of examples/broken with certificates, and ports that are free.
    private struct Scene {
        let folder: TemporaryDirectory
        let port: UInt16
        let text: String

        init(_ name: String, backend: UInt16) throws {
            folder = try TemporaryDirectory()
            port = try Ports.free()
            _ = try run(["cp", "-r", "\(Installation.root)/examples/broken/.", folder.path]).checked()
            _ = try run(["\(folder.path)/certificates"]).checked()
            text = try Example(name, in: "\(folder.path)/\(name)", ports: [6380: port, 6390: backend]).text
        }
    }
}
