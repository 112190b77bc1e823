import Platform
import Primitives
import TestSupport
import Testing

@Suite("TLS peers of the tests", .timeLimit(.minutes(1)))
struct TLSPeersTests {
    private let ca: TestCA
    private let certificate: TestCertificate

    init() throws {
        ca = try TestPKI.makeCA()
        certificate = try ca.issue(dnsNames: ["a.example"], ips: ["127.0.0.1"], intermediate: true)
    }

    /// One handshake with a server on a thread of its own; both ends, or what they threw.
    private func meet(_ server: TLSServerOptions, _ client: TLSClientOptions) throws -> (
        client: Result<TLSTestConnection, any Error>, server: Result<TLSTestConnection, any Error>
    ) {
        let listening = try TLSTestServer(server)
        let accepting = try BackgroundWork { try listening.accept() }
        let client = Result { try TLSTestClient(port: listening.port, client) }
        return (client, Result { try accepting.value() })
    }

    @Test("SNI, ALPN, version and certificate are seen on both ends", arguments: [TLSVersion.tls12, .tls13])
    func facts(version: TLSVersion) throws {
        var offered = TLSServerOptions(certificate)
        offered.alpn = ["two", "one"]
        var wanted = TLSClientOptions(serverName: "a.example", trust: ca.pem, alpn: ["one", "two"])
        wanted.maxVersion = version
        let ends = try meet(offered, wanted)
        let (client, server) = (try ends.client.get(), try ends.server.get())
        #expect(server.serverName == "a.example")
        #expect(client.alpn == "two")
        #expect(server.alpn == "two")
        #expect(client.version == (version == .tls13 ? "TLSv1.3" : "TLSv1.2"))
        #expect(client.peerFingerprint == certificate.fingerprint)
        #expect(client.peerChainLength == 2)
        try client.send("hello\nmore")
        #expect(try server.receiveLine() == "hello")
        #expect(try server.receive(exactly: 4) == Array("more".utf8))
    }

    @Test("each way to end is told from the others")
    func ends() throws {
        let ends: [(StreamEnd, @Sendable (TLSTestConnection) throws -> Void)] = [
            (.closeNotify, { try $0.finish() }), (.truncated, { try $0.finWithoutCloseNotify() }),
            (.reset, { $0.reset() }), (.truncated, { $0.close() }),
        ]
        for (expected, act) in ends {
            let pair = try meet(TLSServerOptions(certificate), TLSClientOptions())
            let (client, server) = (try pair.client.get(), try pair.server.get())
            try act(server)
            #expect(try client.waitForEnd() == expected)
        }
    }

    @Test("after close_notify the other direction goes on")
    func halfClose() throws {
        let pair = try meet(TLSServerOptions(certificate), TLSClientOptions())
        let (client, server) = (try pair.client.get(), try pair.server.get())
        try client.halfClose()
        #expect(try server.receive() == [])
        try server.send("late")
        try server.finish()
        #expect(try client.receiveAll() == Array("late".utf8))
    }

    @Test("failures are values: unknown CA, wrong name, ALPN, version, missing client certificate")
    func failures() throws {
        let other = try TestPKI.makeCA("Other")
        let stranger = try meet(
            TLSServerOptions(certificate), TLSClientOptions(serverName: "a.example", trust: other.pem))
        #expect(failure(stranger.server) == .alert(.unknownCA))
        guard case .tls(let reason) = failure(stranger.client) else {
            Issue.record("\(stranger.client)")
            return
        }
        #expect(reason.contains("certificate verify failed"), "\(reason)")
        var misnamed = TLSClientOptions(trust: ca.pem)
        misnamed.verifyName = "127.0.0.2"
        #expect(failure(try meet(TLSServerOptions(certificate), misnamed).client) != nil)
        misnamed.verifyName = "127.0.0.1"
        #expect(failure(try meet(TLSServerOptions(certificate), misnamed).client) == nil)
        var offered = TLSServerOptions(certificate)
        offered.alpn = ["h2"]
        #expect(
            failure(try meet(offered, TLSClientOptions(alpn: ["x"])).client) == .alert(.noApplicationProtocol))
        offered.minVersion = .tls13
        var old = TLSClientOptions()
        old.maxVersion = .tls12
        #expect(failure(try meet(offered, old).client) == .alert(.protocolVersion))
        offered = TLSServerOptions(certificate)
        offered.clientTrust = ca.pem
        let bare = try meet(offered, TLSClientOptions())
        #expect(try bare.client.get().waitForEnd() == .alert(.certificateRequired))
        var known = TLSClientOptions()
        known.certificate = try ca.issue(dnsNames: ["client"])
        #expect(try meet(offered, known).server.get().peerFingerprint == known.certificate?.fingerprint)
    }

    private func failure(_ result: Result<TLSTestConnection, any Error>) -> StreamError? {
        if case .failure(let error) = result { error as? StreamError } else { nil }
    }

    @Test("a session is taken up again", arguments: [TLSVersion.tls12, .tls13])
    func resumption(version: TLSVersion) throws {
        let listening = try TLSTestServer(TLSServerOptions(certificate))
        var options = TLSClientOptions(serverName: "a.example", trust: ca.pem)
        options.maxVersion = version
        for isSecond in [false, true] {
            let serving = try BackgroundWork {
                let server = try listening.accept()
                try server.send("x")
                _ = try server.waitForEnd()
            }
            let client = try TLSTestClient(port: listening.port, options)
            #expect(client.isResumed == isSecond)
            #expect(try client.receive() == [UInt8(ascii: "x")])
            options.session = client.session
            #expect(options.session != nil)
            try client.finish()
            try serving.value()
        }
    }

    @Test("a server with two key types serves what the client can verify")
    func twoKeyTypes() throws {
        let rsa = try ca.issue(dnsNames: ["a.example"], keyType: .rsa2048)
        for (algorithms, expected) in [("ECDSA+SHA256", certificate), ("RSA-PSS+SHA256:RSA+SHA256", rsa)] {
            var options = TLSClientOptions()
            options.signatureAlgorithms = algorithms
            let client = try meet(TLSServerOptions(rsa, certificate), options).client.get()
            #expect(client.peerFingerprint == expected.fingerprint)
        }
    }

    @Test("one thread sends while another receives")
    func fullDuplex() throws {
        let pair = try meet(TLSServerOptions(certificate), TLSClientOptions())
        let (client, server) = (try pair.client.get(), try pair.server.get())
        let count = 4 << 20
        let work = try [(client, 1 as UInt64), (server, 2)].map { stream, seed in
            try BackgroundWork { try stream.sendStream(count, seed: seed) }
        }
        let reading = try BackgroundWork { try client.receiveStream(count) }
        let atServer = try server.receiveStream(count)
        #expect(try work[0].value() == atServer)
        #expect(try work[1].value() == reading.value())
    }

    @Test("a ClientHello can be had as bytes")
    func helloBytes() throws {
        let bytes = try clientHelloBytes(TLSClientOptions(serverName: "name.example", alpn: ["h2"]))
        #expect(bytes.prefix(2) == [22, 3])
        #expect(String(decoding: bytes, as: UTF8.self).contains("name.example"))
    }
}
