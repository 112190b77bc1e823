internal import TestSupport
internal import Testing

extension Process {
    /// The page that the binary answers with, in Chromium. The objects and traffic that it shows are a stand-in's
    /// (Peers/page_standin.py), who can be hostile, large, or gone; or the gateway's own.
    @Suite("Status page in Chromium", .timeLimit(.minutes(5)))
    struct StatusPageTests {
        private static let checks = [
            "overview", "tree", "details", "connections", "names", "phone", "schemes", "hostile", "many", "gone",
        ]

        @Test("shows what it is told, does what is asked, and disturbs nobody's console", arguments: checks)
        func page(check: String) throws {
            let sluice = try Sluice.ready("")
            let command = try Installation.peer("page_check.py", check, "http://\(sluice.admin)/")
            let said = try run(command, within: .seconds(120)).checked()
            #expect(said.hasSuffix("ok \(check)\n"), "\(said)")
            try sluice.stop()
        }

        @Test("what the gateway itself says: a route that serves, one that cannot, and who is connected")
        func served() throws {
            let backend = try EchoBackend("one")
            let (port, broken) = (try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "web", port: port), .init(name: "other", port: broken)]),
                Manifest.tcpRoute("web", to: "one", section: "web"),
                Manifest.tcpRoute("broken", to: "missing", section: "other"),
                Manifest.service("one", at: backend.port))
            let command = try Installation.peer(
                "page_live.py", "served", "http://\(sluice.admin)/", "\(port)", "\(broken)")
            let said = try run(command, within: .seconds(120)).checked()
            #expect(said.hasSuffix("ok served\n"), "\(said)")
            try sluice.stop()
        }

        @Test(
            "a set-up of examples/broken: the page names its cause in the words of the log, the metrics and explain",
            arguments: [
                ("wrong-port", "invalid_backend", "plain"), ("missing-grant", "invalid_backend", "plain"),
                ("no-endpoints", "no_endpoints", "plain"), ("expired-certificate", "tls_error", "redis.example.com"),
                ("hostname-mismatch", "tls_no_sni_match", "none"), ("policy-conflict", "authz_denied", "plain"),
                ("class-not-ours", "spec.gatewayClassName", "none"), ("listener-conflict", "ProtocolConflict", "none"),
                ("health-check", "no_healthy_endpoint", "plain"), ("denied-by-cidr", "authz_denied", "plain"),
                ("proxy-header-missing", "proxy_protocol_missing", "plain"),
                ("backend-tls-untrusted", "backend_tls_error", "plain"),
            ])
        func broken(name: String, cause: String, greeting: String) throws {
            let folder = try TemporaryDirectory()
            _ = try run(["cp", "-r", "\(Installation.root)/examples/broken", folder.path], within: .seconds(10))
                .checked()
            _ = try run(["\(folder.path)/broken/certificates"], within: .seconds(20)).checked()
            let pem = "\(folder.path)/broken/backend-tls-untrusted/pem/stranger"
            let backend = try Program(
                "echo",
                [
                    try Installation.sluice(), "echo", "--port", "0", "--tls-cert", "\(pem).crt", "--tls-key",
                    "\(pem).key",
                ])
            let backendPort = try backend.line(after: "echo ").split(separator: " ").last.flatMap { UInt16($0) } ?? 0
            let port = try Ports.free()
            let example = try Example(
                name, in: "\(folder.path)/broken/\(name)", ports: [6380: port, 6390: backendPort])
            let sluice = try Sluice(example.text)
            _ = try sluice.program.wait(for: "an answer of /status") {
                try? get("/status", from: sluice.admin).status == 200 ? true : nil
            }
            let command = try Installation.peer(
                "page_live.py", "broken", "http://\(sluice.admin)/", cause, "\(port)", greeting)
            let said = try run(command, within: .seconds(120)).checked()
            #expect(said.hasSuffix("ok broken\n"), "\(said)")
        }

        @Test("five thousand routes of the gateway's own")
        func many() throws {
            let routes = (0..<5000).map {
                Manifest.tlsRoute("r\($0)", to: "one", hostnames: ["r\($0).example.com"], section: "web")
            }
            let sluice = try Sluice(
                Manifest.gateway([.init(name: "web", port: try Ports.free(), mode: .passthrough)]),
                Manifest.service("one", at: try Ports.free()), routes.joined())
            try sluice.waitUntilReady(within: .seconds(120))
            let command = try Installation.peer("page_live.py", "many", "http://\(sluice.admin)/")
            let said = try run(command, within: .seconds(150)).checked()
            #expect(said.hasSuffix("ok many\n"), "\(said)")
            try sluice.stop()
        }

        @Test("every check is run")
        func complete() throws {
            let listed = try run(try Installation.peer("page_check.py", "list"), within: .seconds(20)).checked()
            #expect(listed.split(separator: "\n").map(String.init) == Self.checks)
        }
    }
}
