internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("Example: mutual TLS with SPIFFE identities", .timeLimit(.minutes(3)))
    struct SPIFFETests {
        private let port: UInt16
        private let folder: TemporaryDirectory
        private let backend: EchoBackend
        private let sluice: Sluice

        /// The commands of the example's README.
        init() throws {
            folder = try TemporaryDirectory()
            (port, backend) = (try Ports.free(), try EchoBackend("orders"))
            let examples = "\(Installation.root)/examples"
            _ = try run(["cp", "-r", "\(examples)/spiffe/.", folder.path]).checked()
            let clients = [
                "web=spiffe://example.com/ns/shop/sa/web", "batch=spiffe://example.com/ns/billing/sa/batch",
                "guest=spiffe://elsewhere.example/ns/shop/sa/web",
            ]
            _ = try run(["\(examples)/certificates", folder.path, "orders.example.com"] + clients).checked()
            _ = try run(["\(examples)/revoke", folder.path]).checked()
            let example = try Example("spiffe", in: folder.path, ports: [9444: port, 9102: backend.port])
            sluice = try Sluice.ready(example.text)
        }

        @Test("the trust domain shakes hands, the namespace is served, and others hear why not")
        func identities() throws {
            let served = try connect("web")
            #expect(served.output.contains("\"backend\":\"orders\""), "\(served.output)")
            #expect(served.output.contains("Verify return code: 0 (ok)"), "\(served.output)")
            let other = try connect("batch")
            #expect(other.alert == nil && !other.output.contains("\"backend\""), "\(other.output)")
            try expectRefusal("guest", alert: 46, counted: "client_cert_san_mismatch")
            try expectRefusal(nil, alert: 116, counted: "client_cert_required")
            let old = try connect("web", ["-tls1_2"])
            #expect(old.alert == 70, "\(old.output)")
            try sluice.waitForMetrics("who was refused after the handshake") {
                $0.sum("sluice_tcp_connections_closed_total", ["reason": "authz_denied"]) == 1
            }
            try sluice.stop()
        }

        @Test("who is revoked is refused from the next handshake on, and stays where it is")
        func revocation() throws {
            var options = TLSClientOptions(serverName: "orders.example.com")
            let pem = folder.path + "/pem/"
            options.trust = String(decoding: try readFile(pem + "server-ca.crt"), as: UTF8.self)
            options.certificateFiles = (pem + "web.crt", pem + "web.key")
            let established = try TLSTestClient(port: port, options)
            #expect(try established.receiveLine().contains("orders"))
            options.session = established.session
            _ = try run(["\(Installation.root)/examples/revoke", folder.path, "web"]).checked()
            try sluice.apply(
                Example("spiffe", in: folder.path, ports: [9444: port, 9102: backend.port]).text)
            try expectRefusal("web", alert: 44, counted: "client_cert_revoked")
            #expect(throws: StreamError.alert(.certificateRevoked)) {
                _ = try TLSTestClient(port: port, options).receiveLine()
            }
            try established.exchange("still here")
            established.close()
            try sluice.stop()
        }

        private func connect(_ client: String?, _ flags: [String] = []) throws -> SClient {
            let pem = folder.path + "/pem/"
            let identity = client.map { ["-cert", "\(pem)\($0).crt", "-key", "\(pem)\($0).key"] } ?? []
            return try SClient(
                port: port, ["-servername", "orders.example.com", "-CAfile", "\(pem)server-ca.crt"] + identity + flags)
        }

        private func expectRefusal(_ client: String?, alert: Int, counted result: String) throws {
            let refused = try connect(client)
            #expect(refused.alert == alert, "\(client ?? "none"): \(refused.output)")
            #expect(!refused.output.contains("\"backend\""))
            try sluice.waitForMetrics(result) {
                $0.sum("sluice_tls_handshakes_total", ["result": result]) == 1
            }
        }
    }
}
