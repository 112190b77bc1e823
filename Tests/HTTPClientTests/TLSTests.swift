import HTTPClient
import Platform
import TestSupport
import Testing

@Suite("HTTP client's TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    let authority: TestCA
    let options: HTTPClientOptions

    init() throws {
        authority = try TestPKI.makeCA()
        var options = HTTPClientOptions(userAgent: "sluice/test")
        options.trust = .pem(Array(authority.pem.utf8))
        self.options = options
    }

    private func server(
        _ certificate: TestCertificate, clientTrust: String? = nil
    ) throws -> HTTPTestServer {
        var tls = TLSServerOptions(certificate)
        tls.clientTrust = clientTrust
        // With TLS 1.3 the refusal comes after the handshake, and our request may meet a reset before it.
        if clientTrust != nil { tls.maxVersion = .tls12 }
        return try HTTPTestServer(tls: tls) { request, answer in try answer.send(200, body: request["Host"] ?? "") }
    }

    private func failure(_ url: String, _ options: HTTPClientOptions) throws -> TransportError {
        let client = try HTTPClient(options)
        defer { client.close() }
        return try #require(throws: TransportError.self) { try client.perform(HTTPRequest("GET", url + "/")) }
    }

    @Test("a certificate of the trusted authority, by an intermediate, is accepted")
    func accepted() throws {
        let server = try server(authority.issue(dnsNames: [], ips: ["127.0.0.1"], intermediate: true))
        let client = try HTTPClient(options)
        #expect(try client.perform(HTTPRequest("GET", server.url + "/")).head.status == 200)
    }

    @Test("the authority may stand in a file")
    func authorityFile() throws {
        let directory = try TemporaryDirectory()
        var options = options
        options.trust = .file(try directory.write(authority.pem, to: "ca.crt"))
        let server = try server(authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        let client = try HTTPClient(options)
        #expect(try client.perform(HTTPRequest("GET", server.url + "/")).head.status == 200)
        let other = try TestPKI.makeCA("Other").issue(dnsNames: [], ips: ["127.0.0.1"])
        let stranger = try self.server(other)
        #expect(try failure(stranger.url, options).kind == .tls)
    }

    @Test("another authority, another name, and a date that has passed are refused before anything is sent")
    func refused() throws {
        let other = try TestPKI.makeCA("Other").issue(dnsNames: [], ips: ["127.0.0.1"])
        let wrongName = try authority.issue(dnsNames: ["api.test"], ips: ["127.0.0.2"])
        let expired = try authority.issue(dnsNames: [], ips: ["127.0.0.1"], notBefore: -7200, notAfter: -3600)
        for certificate in [other, wrongName, expired] {
            let server = try server(certificate)
            let error = try failure(server.url, options)
            #expect(error.kind == .tls, "\(error)")
            #expect(error.description.hasPrefix(server.url + ": "))
            #expect(server.requests.isEmpty)
        }
    }

    @Test("without verification, and only then, any certificate does")
    func insecure() throws {
        let server = try server(TestPKI.makeCA("Other").issue(dnsNames: ["x.test"]))
        var insecure = options
        insecure.isInsecure = true
        let client = try HTTPClient(insecure)
        #expect(try client.perform(HTTPRequest("GET", server.url + "/")).head.status == 200)
        // The connection that was not verified is not used by who verifies.
        let error = try #require(throws: TransportError.self) {
            _ = try client.perform(HTTPRequest("GET", server.url + "/"), options: options)
        }
        #expect(error.kind == .tls)
    }

    @Test("the system's authorities do not know ours, and ours are not added to the system's")
    func systemTrust() throws {
        let server = try server(authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        #expect(try failure(server.url, HTTPClientOptions(userAgent: "x")).kind == .tls)
    }

    @Test("another name is asked for and verified, while the Host header stays the address's")
    func serverName() throws {
        let server = try server(authority.issue(dnsNames: ["api.test"]))
        var named = options
        named.serverName = "api.test"
        let client = try HTTPClient(named)
        let response = try client.perform(HTTPRequest("GET", server.url + "/"))
        #expect(String(decoding: response.body, as: UTF8.self) == "127.0.0.1:\(server.port)")
        named.serverName = "other.test"
        #expect(try failure(server.url, named).kind == .tls)
    }

    @Test("a client certificate is shown; without one the server's refusal is an error of TLS")
    func clientCertificate() throws {
        let server = try server(authority.issue(dnsNames: [], ips: ["127.0.0.1"]), clientTrust: authority.pem)
        let own = try authority.issue(dnsNames: ["user"])
        var with = options
        with.identity = .init(certificate: Array(own.chainPEM.utf8), privateKey: Array(own.privateKeyPEM.utf8))
        let client = try HTTPClient(with)
        #expect(try client.perform(HTTPRequest("GET", server.url + "/")).head.status == 200)
        let error = try failure(server.url, options)
        #expect(error.kind == .tls, "\(error)")
        // Another identity makes a connection of its own.
        let second = try authority.issue(dnsNames: ["user2"])
        with.identity = .init(certificate: Array(second.chainPEM.utf8), privateKey: Array(second.privateKeyPEM.utf8))
        let before = server.connections
        _ = try client.perform(HTTPRequest("GET", server.url + "/"), options: with)
        #expect(server.connections == before + 1)
    }

    @Test("streams to a server without ALPN do not wait for each other")
    func withoutALPN() throws {
        let tls = TLSServerOptions(try authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        let server = try HTTPTestServer(tls: tls) { _, answer in
            try answer.begin()
            try answer.chunk("one\n")
            Thread.holdUntilClosed(answer)
        }
        let client = try HTTPClient(options)
        let streams = (0..<4).map { _ in client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {} }
        for stream in streams { #expect(try first(of: stream) == "one") }
        #expect(server.connections == 4)
        client.close()
        server.close()
    }

    @Test("what is no key is named, and shown nowhere")
    func badKey() throws {
        let server = try server(authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        var bad = options
        let own = try authority.issue(dnsNames: ["user"])
        bad.identity = .init(certificate: Array(own.chainPEM.utf8), privateKey: Array("PRIVATE-WORDS".utf8))
        let error = try failure(server.url, bad)
        #expect(error.kind == .tls)
        #expect(!error.description.contains("PRIVATE-WORDS"))
    }
}
