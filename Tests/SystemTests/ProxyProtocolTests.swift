internal import TestSupport
internal import Testing

extension Process {
    /// HAProxy tells us of clients that a test makes up: it takes their addresses from headers itself.
    @Suite("PROXY protocol from HAProxy", .timeLimit(.minutes(2)))
    struct ProxyProtocolTests {
        private static let policy = """
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: edge}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]
              proxyProtocol: {trustedCIDRs: [127.0.0.1/32]}
            ---

            """

        @Test(
            "versions 1 and 2 with all that HAProxy adds name the client, and bytes arrive whole",
            arguments: [
                "send-proxy", "send-proxy-v2",
                "send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id",
            ])
        func named(options: String) throws {
            let backend = try EchoBackend("one")
            let (served, refused) = (try Ports.free(), try Ports.free())
            let (front, frontOfRefused) = (try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "db", port: served), .init(name: "none", port: refused)]),
                Manifest.tcpRoute("db", to: "db", section: "db"), Manifest.service("db", at: backend.port),
                ProxyProtocolTests.policy)
            let haproxy = try HAProxy(
                HAProxy.defaults + relay("a", from: front, to: served, options)
                    + relay("b", from: frontOfRefused, to: refused, options), port: front)

            let client = try PlainClient(port: front)
            let bulk = testBytes(1 << 20)
            // HAProxy sends its own header and the client's first bytes in one segment.
            try client.send("PROXY TCP4 203.0.113.7 198.51.100.1 4660 443\r\nhello")
            #expect(try Greeting.receive(from: client).backend == "one")
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
            let sending = try BackgroundWork { try client.send(bulk) }
            #expect(try client.receive(exactly: bulk.count) == bulk)
            try sending.value()
            client.close()

            for address in ["203.0.113.7", "2001:db8::7"] {
                let family = address.contains(":") ? "TCP6" : "TCP4"
                let other = address.contains(":") ? "2001:db8::1" : "198.51.100.1"
                let unlucky = try PlainClient(port: frontOfRefused)
                try unlucky.send("PROXY \(family) \(address) \(other) 4660 443\r\n")
                _ = try? unlucky.waitForEnd()
                let text = address.contains(":") ? "[\(address)]:4660" : "\(address):4660"
                try sluice.waitForAccessLine(
                    "\"downstream_remote_address\":\"\(text)\"", "\"downstream_direct_remote_address\":\"127.0.0.1:",
                    "no_route")
            }
            let version = options == "send-proxy" ? "v1" : "v2"
            try sluice.waitForMetrics("headers") {
                $0.sum("sluice_proxy_protocol_headers_total", ["result": "proxy", "version": version]) == 3
            }
            withExtendedLifetime(haproxy) {}
            try sluice.stop()
        }

        @Test("TLS at HAProxy: a header with its facts; and the server side stays up by health checks of ours")
        func terminated() throws {
            let backend = try EchoBackend("one")
            let authority = try TestPKI.makeCA()
            let (served, front) = (try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "db", port: served)]), Manifest.tcpRoute("db", to: "db", section: "db"),
                Manifest.service("db", at: backend.port), ProxyProtocolTests.policy)
            let files = try TemporaryDirectory()
            let certificate = try authority.issue(dnsNames: ["db.example.com"])
            let pem = try files.write(certificate.chainPEM + certificate.privateKeyPEM, to: "server.pem")
            let options = "send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c"
            let haproxy = try HAProxy(
                HAProxy.defaults + """
                    listen tls
                      bind 127.0.0.1:\(front) ssl crt \(pem)
                      server sluice 127.0.0.1:\(served) \(options) check inter 50ms

                    """, port: front)
            for _ in 0..<3 {
                let client = try TLSTestClient(
                    port: front, TLSClientOptions(serverName: "db.example.com", trust: authority.pem))
                #expect(try Greeting.receive(from: client).backend == "one")
                try client.exchange("hello")
            }
            try sluice.waitForMetrics("health checks and clients") {
                $0.sum("sluice_proxy_protocol_headers_total", ["result": "local"]) >= 10
                    && $0.sum("sluice_listener_connections_accepted_total") == 3
                    && $0.sum("sluice_listener_connections_rejected_total") == 0
                    && $0.sum("sluice_tcp_connections_opened_total") == 3
            }
            withExtendedLifetime(haproxy) {}
            try sluice.stop()
        }

        private func relay(_ name: String, from front: UInt16, to port: UInt16, _ options: String) -> String {
            """
            listen \(name)
              bind 127.0.0.1:\(front) accept-proxy
              unique-id-format "%ci-%cp"
              server sluice 127.0.0.1:\(port) \(options)

            """
        }
    }
}
