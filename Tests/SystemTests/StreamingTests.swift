internal import TestSupport
internal import Testing

extension Process {
    @Suite("gRPC, WebSocket and server-sent events over TLS termination", .timeLimit(.minutes(2)))
    struct StreamingTests {
        /// A gateway that ends TLS for app.example.com in front of a plain backend, and the file with its CA.
        private func terminate(_ backend: UInt16, appProtocol: String? = nil) throws -> (Sluice, UInt16, TrustFile) {
            let authority = try TestPKI.makeCA()
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "app", port: port, mode: .terminate, certificates: ["app"])]),
                Manifest.secret("app", try authority.issue(dnsNames: ["app.example.com"])),
                Manifest.tlsRoute("app", to: "app", hostnames: ["app.example.com"], section: "app"),
                Manifest.service("app", at: backend, appProtocol: appProtocol))
            return (sluice, port, try TrustFile(authority.pem))
        }

        private func port(_ text: some StringProtocol) throws -> UInt16 {
            guard let port = UInt16(text) else { throw TestFailure("no port: \(text)") }
            return port
        }

        @Test("gRPC: unary and, message by message, bidirectional calls to an h2c backend; ALPN is h2")
        func grpc() throws {
            let server = try Program("gRPC server", try Installation.peer("grpc_peer.py", "server"))
            let backend = try port(try server.line(after: "port "))
            let (sluice, port, trust) = try terminate(backend, appProtocol: "kubernetes.io/h2c")

            let options = TLSClientOptions(
                serverName: "app.example.com", trust: trust.pem, alpn: ["http/1.1", "h2"])
            #expect(try TLSTestClient(port: port, options).alpn == "h2")
            let client = try run(
                try Installation.peer("grpc_peer.py", "client", "\(port)", trust.path, "app.example.com"),
                within: .seconds(40))
            #expect(try client.checked() == "unary unary:hello\nlarge 3000006\nstream 100 status OK\n")
            try sluice.stop()
        }

        @Test("WebSocket: messages small and large, a ping, an orderly close")
        func webSocket() throws {
            let server = try Program("WebSocket server", try Installation.peer("websocket_peer.py", "server"))
            let (sluice, port, trust) = try terminate(try port(try server.line(after: "port ")))
            let client = try run(
                try Installation.peer("websocket_peer.py", "client", "\(port)", trust.path, "app.example.com"),
                within: .seconds(40))
            #expect(try client.checked() == "exchanged 200 messages, 2097152 bytes, a ping; closed 1000\n")
            try sluice.stop()
        }

        @Test("server-sent events: each arrives before the next one is sent")
        func events() throws {
            let server = try Program("event server", try Installation.peer("events_peer.py", "server"))
            let ports = try server.line(after: "ports ").split(separator: " ")
            let (sluice, port, trust) = try terminate(try port(ports.first ?? ""))
            let client = try run(
                try Installation.peer(
                    "events_peer.py", "client", "\(port)", String(ports.last ?? ""), trust.path, "app.example.com"),
                within: .seconds(40))
            #expect(try client.checked() == "received 50 events\n")
            try sluice.stop()
        }
    }
}

/// CA certificates in a file, for programs that want one.
struct TrustFile {
    let pem: String
    let path: String
    private let directory: TemporaryDirectory

    init(_ pem: String) throws {
        self.pem = pem
        directory = try TemporaryDirectory()
        path = try directory.write(pem, to: "ca.crt")
    }
}
