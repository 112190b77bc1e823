internal import TestSupport
internal import Testing

extension Process {
    @Suite("nginx over HTTPS", .timeLimit(.minutes(2)))
    struct HTTPSTests {
        @Test("passthrough: two servers by SNI, each with its own certificate; an unknown name gets its alert")
        func passthrough() throws {
            let authority = try TestPKI.makeCA()
            let (one, two) = (
                try authority.issue(dnsNames: ["one.example.com"]), try authority.issue(dnsNames: ["two.example.com"])
            )
            let (first, second) = (try Nginx("first", certificate: one), try Nginx("second", certificate: two))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "web", port: port, mode: .passthrough)]),
                Manifest.tlsRoute("one", to: "first", hostnames: ["one.example.com"], section: "web"),
                Manifest.tlsRoute("two", to: "second", hostnames: ["two.example.com"], section: "web"),
                Manifest.service("first", at: first.port), Manifest.service("second", at: second.port))
            let trust = try TemporaryDirectory()
            let file = try trust.write(authority.pem, to: "ca.crt")

            for (name, server, certificate) in [("one", "first", one), ("two", "second", two)] {
                let host = "\(name).example.com"
                #expect(try curl(host, port: port, authority: file).checked() == "\(server) \(host) \(host)\n")
                let client = try TLSTestClient(port: port, TLSClientOptions(serverName: host, trust: authority.pem))
                #expect(client.peerFingerprint == certificate.fingerprint)
            }
            let refused = try curl("three.example.com", port: port, authority: file)
            #expect(!refused.succeeded && refused.errors.contains("unrecognized name"), "\(refused)")
            #expect(throws: StreamError.alert(.unrecognizedName)) { try TLSTestClient(port: port) }
            try sluice.waitForMetrics("two refusals for want of a route by that name") {
                $0.sum("sluice_listener_connections_rejected_total", ["reason": "tls_no_sni_match"]) == 2
            }
            try sluice.stop()
        }

        @Test("termination: the gateway's certificate, plain servers by SNI")
        func termination() throws {
            let authority = try TestPKI.makeCA()
            let certificate = try authority.issue(dnsNames: ["one.example.com", "*.two.example.com"])
            let (first, second) = (try Nginx("first"), try Nginx("second"))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "web", port: port, mode: .terminate, certificates: ["web"])]),
                Manifest.secret("web", certificate),
                Manifest.tlsRoute("one", to: "first", hostnames: ["one.example.com"], section: "web"),
                Manifest.tlsRoute("two", to: "second", hostnames: ["*.two.example.com"], section: "web"),
                Manifest.service("first", at: first.port), Manifest.service("second", at: second.port))
            let trust = try TemporaryDirectory()
            let file = try trust.write(authority.pem, to: "ca.crt")

            #expect(try curl("one.example.com", port: port, authority: file).checked() == "first  one.example.com\n")
            #expect(
                try curl("a.two.example.com", port: port, authority: file).checked() == "second  a.two.example.com\n")
            let client = try TLSTestClient(
                port: port, TLSClientOptions(serverName: "one.example.com", trust: authority.pem))
            #expect(client.peerFingerprint == certificate.fingerprint)
            client.close()
            let refused = try curl("three.example.com", port: port, authority: file)
            #expect(!refused.succeeded && refused.errors.contains("unrecognized name"), "\(refused)")
            try sluice.stop()
        }
    }
}
