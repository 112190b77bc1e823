import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// What those who only hold places, or only cost time, may do to others.
@Suite("Overload", .timeLimit(.minutes(2)))
struct OverloadTests {
    @Test("at the limit, who has said nothing for a second makes room; who is served, or waits for us, does not")
    func idleMakeRoom() throws {
        let harness = try EngineHarness(workers: 1, maxConnections: 40)
        let certificate = try TestPKI.makeCA("Servers").issue(dnsNames: ["a.test"])
        let (echo, port, plain) = (try EchoBackend("a"), try freePort(), try freePort())
        harness.apply(
            [
                tlsListener(
                    "t", port: port, mode: try terminate(certificate), routes: [], fallback: route("a", to: "a")),
                tcpListener("p", port: plain, route("a", to: "a")),
            ], [backend("a", ports: [echo.port])])
        let served = try (0..<5).map { _ in try PlainClient(port: plain) }
        for client in served { #expect(try client.receiveLine() == "a") }
        // The time for a ClientHello and that for a handshake are 10 s: nobody else would be let in before.
        let begun = MonotonicTime.now()
        let silent = try (0..<35).map { _ in try PlainClient(port: port) }
        #expect(waitUntil { harness.engine.activeConnections == 40 })
        let late = try PlainClient(port: plain)
        #expect(try late.receiveLine(timeout: .seconds(7)) == "a")
        // Workers count whole milliseconds from their turn's begin.
        #expect(MonotonicTime.now() - begun >= .milliseconds(990), "who has only just come keeps the place")
        for client in served { try client.exchange("still there") }
        #expect(harness.rejected(.overload) >= 1)
        #expect(harness.rejected(.inspectionTimeout) == 0)
        #expect(harness.closed(.overload) == 0)
        // No more than is needed: a sixteenth of all places, and one or two for those who came meanwhile.
        #expect(harness.rejected(.overload) <= 4)
        #expect(waitUntil { harness.metric("sluice_overload_active", "connections") == 0 })
        _ = silent
    }

    @Test("a handshake that waits for its turn is not the client's fault, however long it takes us")
    func handshakesInLine() throws {
        let tls = try TLSHarness(serverKey: .rsa2048)
        let harness = try EngineHarness(workers: 1)
        let port = try freePort()
        var listener = tlsListener(
            "t", port: port, mode: try terminate(tls.server), routes: [], fallback: route("a", to: "a"))
        listener.settings.tlsHandshakeTimeout = .milliseconds(20)
        harness.apply([listener], [backend("a", ports: [tls.echo.port])])
        // Their signatures alone take far longer than that.
        let clients = try (0..<200).map { _ in try PlainClient(port: port) }
        for client in clients { try client.send(rawHello(suite: 0x2f, signature: [4, 1])) }
        #expect(answered(clients) == clients.count)
    }

    @Test("nor does one that waits for its turn lose its place at the limit")
    func handshakesInLineAtTheLimit() throws {
        let certificate = try TestPKI.makeCA("Servers").issue(dnsNames: ["a.test"], keyType: .rsa(bits: 4096))
        // Their signatures take far longer than the second after which a half-open connection makes room.
        let harness = try EngineHarness(workers: 1, maxConnections: 500)
        let (echo, port) = (try EchoBackend("a"), try freePort())
        harness.apply(
            [
                tlsListener(
                    "t", port: port, mode: try terminate(certificate), routes: [], fallback: route("a", to: "a"))
            ],
            [backend("a", ports: [echo.port])])
        // Those that are looked at first are answered last.
        let last = try (0..<40).map { _ in try PlainClient(port: port) }
        #expect(waitUntil { harness.engine.activeConnections == last.count })
        let clients = try (40..<500).map { _ in try PlainClient(port: port) } + last
        for client in clients { try client.send(rawHello(suite: 0x2f, signature: [4, 1])) }
        let late = try PlainClient(port: port)
        #expect(answered(clients) == clients.count)
        // Who was answered and says nothing more does make room.
        try late.send(rawHello(suite: 0x2f, signature: [4, 1]))
        #expect(answered([late]) == 1)
        #expect(harness.closed(.overload) >= 1)
    }

    /// How many get a ServerHello.
    private func answered(_ clients: [PlainClient]) -> Int {
        clients.filter { (try? $0.receive(exactly: 6, timeout: .seconds(60)))?.first == 22 }.count
    }
}

/// A ClientHello for `a.test`: TLS 1.2, one suite of ECDHE with AES-128-GCM (0xc0…), one signature algorithm, and nothing that
/// is not needed.
func rawHello(suite: UInt8, signature: [UInt8], compression: [UInt8] = [0]) -> [UInt8] {
    let extensions: [UInt8] =
        [0, 0, 0, 11, 0, 9, 0, 0, 6] + Array("a.test".utf8)
        + [0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2] + signature
    let body: [UInt8] =
        [3, 3] + (0..<32).map { UInt8($0) } + [0, 0, 2, 0xc0, suite, UInt8(compression.count)] + compression
        + [0, UInt8(extensions.count)] + extensions
    return [22, 3, 1, 0, UInt8(body.count + 4), 1, 0, 0, UInt8(body.count)] + body
}
