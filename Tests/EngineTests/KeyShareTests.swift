import Engine
import EngineModel
import TestSupport
import Testing

/// The engine forgets the key shares of a handshake when that is over: whatever comes later has to do without.
@Suite("Key shares", .timeLimit(.minutes(5)))
struct KeyShareTests {
    private let certificate: TestCertificate
    private let ca: TestCA

    init() throws {
        ca = try TestPKI.makeCA()
        certificate = try ca.issue(dnsNames: ["a.test"])
    }

    @Test(
        "once forgotten, both ends still talk, change their keys and resume",
        arguments: ["X25519", "P-256", "ffdhe2048"])
    func forgotten(group: String) throws {
        let server = try TLSTestServer(TLSServerOptions(certificate))
        var options = TLSClientOptions(serverName: "a.test")
        (options.minVersion, options.maxVersion, options.groups) = (.tls13, .tls13, group)
        for isResumed in [false, true] {
            let accepted = try BackgroundWork { try server.accept() }
            let client = try TLSTestClient(port: server.port, options)
            let peer = try accepted.value()
            #expect(client.isResumed == isResumed)
            for end in [client, peer] {
                #expect(end.keyShares == 2)
                end.forgetKeyShares()
                #expect(end.keyShares == 0)
                end.forgetKeyShares()
            }
            try exchange(client, peer)
            try client.updateKeys()
            try exchange(client, peer)
            try peer.updateKeys()
            try exchange(peer, client)
            options.session = client.session
            try client.finish()
            #expect(try peer.waitForEnd() == .closeNotify)
        }
    }

    private func exchange(_ first: TLSTestConnection, _ second: TLSTestConnection) throws {
        try first.send("ping")
        #expect(try second.receive(exactly: 4) == Array("ping".utf8))
        try second.send("pong")
        #expect(try first.receive(exactly: 4) == Array("pong".utf8))
    }

    @Test("keys change while the engine relays, on both of its sides", arguments: [false, true])
    func updates(reencrypts: Bool) throws {
        let harness = try EngineHarness()
        let server = try TLSTestServer(TLSServerOptions(certificate))
        let plain = try PlainServer()
        let tls = BackendTLS(trust: .bundles(try trust(ca)), hostname: "a.test")
        let port = try freePort()
        harness.apply(
            [
                tlsListener(
                    "tls", port: port, mode: try terminate(certificate), routes: [], fallback: route("r", to: "a"))
            ],
            [reencrypts ? backend("a", ports: [server.port], tls: tls) : backend("a", ports: [plain.port])])
        var options = TLSClientOptions(serverName: "a.test")
        (options.minVersion, options.trust) = (.tls13, ca.pem)
        let accepted = try BackgroundWork { () -> any TestStream in
            reencrypts ? try server.accept() : try plain.accept()
        }
        let client = try TLSTestClient(port: port, options)
        let peer = try accepted.value()
        for _ in 0..<3 {
            try client.updateKeys()
            if let peer = peer as? TLSTestConnection { try peer.updateKeys() }
            try client.send("ping")
            #expect(try peer.receive(exactly: 4) == Array("ping".utf8))
            try peer.send("pong")
            #expect(try client.receive(exactly: 4) == Array("pong".utf8))
        }
    }
}
