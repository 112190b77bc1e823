internal import TestSupport
internal import Testing

extension Process {
    @Suite("verification of a backend's certificate", .timeLimit(.minutes(2)))
    struct BackendVerificationTests {
        enum Fault: String, CaseIterable { case otherAuthority, otherHostname, otherAlternativeName, plainBackend }

        @Test("what does not verify is refused, and the backend sees no plaintext", arguments: Fault.allCases)
        func refused(fault: Fault) throws {
            let (authority, stranger) = (try TestPKI.makeCA("One"), try TestPKI.makeCA("Another"))
            let certificate = try authority.issue(dnsNames: ["backend.example.com"])
            let backend = try TLSTestServer(TLSServerOptions(certificate))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "plain", port: port)]),
                Manifest.tcpRoute("strict", to: "strict", section: "plain"),
                Manifest.service("strict", at: backend.port),
                Manifest.authority("ca", fault == .otherAuthority ? stranger.pem : authority.pem),
                Manifest.backendTLS(
                    "strict", authority: "ca",
                    hostname: fault == .otherHostname ? "other.example.com" : "backend.example.com",
                    alternativeNames: fault == .otherAlternativeName ? ["third.example.com"] : []))
            let client = try PlainClient(port: port)
            try client.send("a secret for one backend only")

            if fault == .plainBackend {
                // What comes is a ClientHello, and nothing else until it is answered.
                let peer = try backend.acceptPlain()
                let bytes = try peer.receive()
                #expect(bytes.first == 0x16)
                #expect(String(decoding: bytes, as: UTF8.self).firstRange(of: "a secret") == nil)
                try peer.send("HTTP/1.0 400 this is no TLS server\r\n\r\n")
                #expect(try client.waitForEnd() == .reset)
            } else {
                let alert: TLSAlert = fault == .otherAuthority ? .unknownCA : .badCertificate
                let accepted = try BackgroundWork { try backend.accept().receive() }
                let error = #expect(throws: StreamError.self) { try accepted.value() }
                if fault == .otherAlternativeName {
                    // The policy's own names are compared after the handshake: too late for an alert.
                    #expect(error == .reset || error == .truncated)
                } else {
                    #expect(error == .alert(alert))
                }
                #expect(try client.waitForEnd() == .reset)
            }
            try sluice.waitForMetrics("the failure, by its reason") {
                $0.sum("sluice_backend_connects_total", ["backend": "strict", "result": "tls_error"]) >= 1
                    && $0.sum(
                        "sluice_tcp_connections_closed_total", ["route": "strict", "reason": "backend_tls_error"]) == 1
            }
            try sluice.stop()
        }

        @Test("a name among subjectAltNames is enough; SNI is the hostname")
        func alternativeName() throws {
            let authority = try TestPKI.makeCA()
            let backend = try EchoBackend("tls", certificate: try authority.issue(dnsNames: ["third.example.com"]))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "plain", port: port)]),
                Manifest.tcpRoute("strict", to: "strict", section: "plain"),
                Manifest.service("strict", at: backend.port), Manifest.authority("ca", authority.pem),
                Manifest.backendTLS(
                    "strict", authority: "ca", hostname: "backend.example.com",
                    alternativeNames: ["second.example.com", "third.example.com"]))
            let client = try PlainClient(port: port)
            let greeting = try Greeting.receive(from: client)
            #expect(greeting.backend == "tls" && greeting.sni == "backend.example.com")
            try client.exchange("through TLS")
            client.close()
            try sluice.stop()
        }
    }
}
