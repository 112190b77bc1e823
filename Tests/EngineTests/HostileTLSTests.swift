import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// What TLS lets a peer send that costs the other side more than itself.
@Suite("Hostile TLS peers", .timeLimit(.minutes(2)))
struct HostileTLSTests {
    /// One read of the library's goes through all such messages that are there: unbounded, one client stops a worker.
    @Test("a client that sends nothing but key updates is ended, and counted")
    func keyUpdates() throws {
        let tls = try TLSHarness()
        try tls.apply()
        let client = try TLSTestClient(port: tls.port, tls.options(.tls13))
        #expect(try client.receiveLine() == "a")
        // What it may, and then all at once.
        for _ in 0..<200 {
            do { try client.announceKeys() } catch { break }
        }
        #expect(try client.waitForEnd() == .reset)
        #expect(waitUntil { tls.harness.closed(.tlsError) == 1 })
    }

    /// Now a read finds the session broken, now a write of what the backend echoes.
    @Test("whatever finds it first, it is the client's TLS that ended it")
    func keyUpdatesBehindData() throws {
        let tls = try TLSHarness()
        try tls.apply()
        // None closes before: that would be a reset indeed.
        let clients = try (0..<50).map { _ in try TLSTestClient(port: tls.port, tls.options(.tls13)) }
        for client in clients {
            #expect(try client.receiveLine() == "a")
            do {
                try client.send([UInt8](repeating: 7, count: 100_000))
                for _ in 0..<100 { try client.announceKeys() }
            } catch {}
        }
        #expect(
            waitUntil { tls.harness.closed(.tlsError) == 50 },
            "\(tls.harness.closed(.clientReset)) were taken for resets")
    }

    @Test("keys may be changed as often as data flows")
    func keyUpdatesWithData() throws {
        let tls = try TLSHarness()
        try tls.apply()
        let client = try TLSTestClient(port: tls.port, tls.options(.tls13))
        #expect(try client.receiveLine() == "a")
        let piece = [UInt8](repeating: 7, count: 20_000)
        for _ in 0..<100 {
            try client.announceKeys()
            try client.send(piece)
            #expect(try client.receive(exactly: piece.count) == piece)
        }
        client.close()
        #expect(waitUntil { tls.harness.closed(.tlsTruncated) == 1 })
    }

    @Test("so is a backend that does it")
    func backendsKeyUpdates() throws {
        let upstream = try UpstreamTLS()
        let server = try TLSTestServer(try upstream.server())
        upstream.apply(try upstream.tls(), to: server.port)
        let client = try PlainClient(port: upstream.port)
        let peer = try server.accept()
        try peer.send("db\n")
        #expect(try client.receiveLine() == "db")
        for _ in 0..<200 {
            do { try peer.announceKeys() } catch { break }
        }
        #expect(try client.waitForEnd() == .reset)
        #expect(waitUntil { upstream.harness.closed(.backendTLSError) == 1 })
    }

    @Test("nobody negotiates anew")
    func renegotiation() throws {
        let tls = try TLSHarness()
        try tls.apply()
        let client = try TLSTestClient(port: tls.port, tls.options(.tls12))
        #expect(try client.receiveLine() == "a")
        // The alert (RFC 5246, 7.2.2), which this client takes for the end.
        let refusal = #expect(throws: StreamError.self) {
            try client.askToNegotiateAnew()
            _ = try client.receive(max: 1, timeout: .seconds(10))
        }
        #expect(refusal.map { "\($0)" }?.contains("no renegotiation") == true, "\(String(describing: refusal))")
    }

    @Test("early data is never taken, and harms no session")
    func earlyData() throws {
        let tls = try TLSHarness()
        try tls.apply()
        let (outcome, session) = try shakeHands(tls.port, tls.options(.tls13))
        #expect(outcome == served)
        let held: TLSTestSession = try #require(session)
        var options = tls.options(.tls13, nil, held)
        options.earlyData = [UInt8](repeating: 9, count: 1000)
        let client = try TLSTestClient(port: tls.port, options)
        #expect(client.isResumed && !client.isEarlyDataAccepted)
        #expect(try client.receiveLine() == "a")
        try client.send("after the handshake\n")
        // The echo would have had it first.
        #expect(try client.receiveLine() == "after the handshake")
    }

    @Test("a stream of tiny records keeps nobody waiting, and arrives whole", .timeLimit(.minutes(1)))
    func tinyRecords() throws {
        let harness = try EngineHarness(workers: 1)
        let certificate = try TestPKI.makeCA("Servers").issue(dnsNames: ["a.test"])
        let (echo, port) = (try EchoBackend(), try freePort())
        let listener = tlsListener(
            "t", port: port, mode: try terminate(certificate), routes: [], fallback: route("a", to: "a"))
        harness.apply([listener], [backend("a", ports: [echo.port])])
        let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
        // More of them at once than a round takes, and then silence: what is left must not wait for more to come.
        let sent = (0..<5000).map { UInt8($0 % 251) }
        for byte in sent { try client.send([byte]) }
        #expect(try client.receive(exactly: sent.count, timeout: .seconds(20)) == sent)
    }

    @Test("compression is never agreed on, though a client offers it first")
    func compression() throws {
        let tls = try TLSHarness()
        try tls.apply()
        let client = try PlainClient(port: tls.port)
        try client.send(rawHello(suite: 0x2b, signature: [4, 3], compression: [1, 0]))
        let answer = try client.receive(exactly: 44)
        // A record of a handshake, in it a ServerHello: 32 bytes behind the version is the length of the session's id.
        try #require(answer[0] == 22 && answer[5] == 2)
        let rest = try client.receive(exactly: Int(answer[43]) + 3)
        #expect(Array(rest.suffix(3)) == [0xc0, 0x2b, 0])
    }

    @Test("a client's chain of certificates may not be endless", arguments: [TestSupport.TLSVersion.tls12, .tls13])
    func endlessChain(version: TestSupport.TLSVersion) throws {
        let tls = try TLSHarness()
        try tls.demand(.init())
        let (folder, client) = (try TemporaryDirectory(), try tls.clients.issue(dnsNames: ["good"]))
        let chain = client.chainPEM + String(repeating: tls.clients.pem, count: 400)
        var options = tls.options(version)
        options.certificateFiles = (
            try folder.write(chain, to: "chain.pem"), try folder.write(client.privateKeyPEM, to: "key.pem")
        )
        #expect(throws: (any Error).self) {
            let refused = try TLSTestClient(port: tls.port, options)
            _ = try refused.receive(exactly: 1)
        }
        #expect(waitUntil { tls.harness.closed(.tlsError) == 1 })
        #expect(tls.echo.accepted.withLock { $0 } == 0)
    }
}
