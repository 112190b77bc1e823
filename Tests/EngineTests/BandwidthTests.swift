@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// Limited bandwidth on real sockets. That no more comes than allowed holds on any machine; that no less comes is for quiet ones,
/// and measured by the benchmark.
@Suite("Bandwidth", .timeLimit(.minutes(3)))
struct BandwidthTests {
    private let harness: EngineHarness
    private let server: PlainServer
    private let port: UInt16

    init() throws {
        harness = try EngineHarness()
        server = try PlainServer()
        port = try freePort()
    }

    private static func limits(
        _ name: String, request: BandwidthLimit.Rate? = nil, response: BandwidthLimit.Rate? = nil,
        scope: BandwidthLimit.Scope = .connection
    ) -> ClientLimits {
        ClientLimits(
            id: LimitID(policy: "default/\(name)", target: "TCPRoute default/r"),
            bandwidth: BandwidthLimit(request: request, response: response, scope: scope))
    }

    private static func rate(_ bytes: Int, burst: Int? = nil) -> BandwidthLimit.Rate {
        BandwidthLimit.Rate(bytesPerSecond: bytes, burst: burst)
    }

    private func apply(_ limits: [ClientLimits], ofListener: [ClientLimits] = []) {
        var route = route("r", to: "a")
        route.limits = limits
        var listener = tcpListener("db", port: port, route)
        listener.limits = ofListener
        harness.apply([listener], [backend("a", ports: [server.port])])
    }

    private func connect() throws -> (client: PlainClient, peer: PlainClient) {
        let client = try PlainClient(port: port)
        return (client, try server.accept())
    }

    private var throttled: Double { harness.metric("sluice_throttled_seconds_total") }

    /// What comes from a stream until `count` bytes are there or the time is over, and the first moment at which it was more than a
    /// bucket gives since `start`.
    private static func receive(
        _ count: Int, from stream: any TestStream, since start: MonotonicTime, _ rate: BandwidthLimit.Rate,
        for time: Duration = .seconds(60)
    ) throws -> (bytes: [UInt8], excess: String?) {
        var (bytes, excess): ([UInt8], String?) = ([], nil)
        while bytes.count < count, MonotonicTime.now() - start < time {
            guard let piece = try? stream.receive(max: min(64 << 10, count - bytes.count), timeout: time) else { break }
            if piece.isEmpty { break }
            bytes += piece
            let most = allowed(rate, MonotonicTime.now() - start)
            if bytes.count > most, excess == nil { excess = "\(bytes.count) bytes where \(most) may be there" }
        }
        return (bytes, excess)
    }

    private static func allowed(_ rate: BandwidthLimit.Rate, _ time: Duration) -> Int {
        let burst = max(rate.burst, rate.bytesPerSecond / 10)
        return burst + Int(Double(rate.bytesPerSecond) * (time / .seconds(1)) * 1.05) + 4096
    }

    @Test(
        "what comes is unchanged and never more than the burst and the rate, either way",
        arguments: [true, false], [64 << 10, 1 << 20, 16 << 20, 200 << 20])
    func neverMore(isRequest: Bool, bytesPerSecond: Int) throws {
        let rate = Self.rate(bytesPerSecond, burst: bytesPerSecond / 8)
        apply([isRequest ? Self.limits("p", request: rate) : Self.limits("p", response: rate)])
        let (client, peer) = try connect()
        let (source, sink) = isRequest ? (client, peer) : (peer, client)
        let sent = testBytes(bytesPerSecond)
        let start = MonotonicTime.now()
        let sending = try BackgroundWork {
            try source.send(sent, timeout: .seconds(30))
            try source.halfClose()
        }
        let (bytes, excess) = try Self.receive(sent.count, from: sink, since: start, rate)
        #expect(excess == nil)
        let isUnchanged = bytes == sent
        #expect(isUnchanged)
        #expect(try sink.receive().isEmpty)
        try sending.value()
        #expect(MonotonicTime.now() - start >= .milliseconds(800))
        // A machine may be too slow for the highest rate.
        if bytesPerSecond <= 16 << 20 { #expect(throttled > 0) }
        // The other way is not limited.
        let back = testBytes(4 << 20)
        let answering = try BackgroundWork { try sink.send(back, timeout: .seconds(30)) }
        let isBack = try source.receive(exactly: back.count) == back
        #expect(isBack)
        try answering.value()
    }

    @Test("terminated and re-encrypted TLS are limited alike", arguments: [true, false])
    func encrypted(isReencrypted: Bool) throws {
        let ca = try TestPKI.makeCA()
        func issue(_ name: String) throws -> TestCertificate {
            try ca.issue(TestCertificateRequest(commonName: name, dnsNames: [name]))
        }
        let echo = try EchoBackend("a", tls: isReencrypted ? TLSServerOptions(try issue("backend.test")) : nil)
        let port = try freePort()
        let tls = BackendTLS(trust: .bundles(try trust(ca)), hostname: "backend.test")
        let rate = Self.rate(2 << 20, burst: 256 << 10)
        var route = route("r", to: "a")
        route.limits = [Self.limits("p", request: rate, response: rate)]
        harness.apply(
            [tlsListener("db", port: port, mode: try terminate(try issue("a.test")), routes: [("a.test", route)])],
            [backend("a", ports: [echo.port], tls: isReencrypted ? tls : nil)])
        let start = MonotonicTime.now()
        let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
        #expect(try client.receiveLine() == "a")
        let sent = testBytes(2 << 20)
        let sending = try BackgroundWork {
            try client.send(sent, timeout: .seconds(30))
            try client.halfClose()
        }
        let (bytes, excess) = try Self.receive(sent.count, from: client, since: start, rate)
        #expect(excess == nil)
        let isUnchanged = bytes == sent
        #expect(isUnchanged)
        #expect(try client.receive().isEmpty)
        try sending.value()
    }

    @Test("of several levels the narrowest decides, whichever it is", arguments: [true, false])
    func levels(isRouteNarrow: Bool) throws {
        let (wide, narrow) = (Self.rate(64 << 20), Self.rate(1 << 20, burst: 128 << 10))
        let ofRoute = Self.limits("route", response: isRouteNarrow ? narrow : wide)
        let ofGateway = Self.limits("gateway", response: isRouteNarrow ? wide : narrow, scope: .target)
        apply([ofRoute], ofListener: [ofGateway])
        let (client, peer) = try connect()
        let start = MonotonicTime.now()
        let sent = testBytes(1 << 20)
        let sending = try BackgroundWork { try peer.send(sent, timeout: .seconds(30)) }
        let (bytes, excess) = try Self.receive(sent.count, from: client, since: start, narrow)
        #expect(excess == nil)
        let isUnchanged = bytes == sent
        #expect(isUnchanged)
        try sending.value()
    }

    @Test("the connections of a target share what it has, on whatever workers they are")
    func target() throws {
        let rate = Self.rate(1 << 20, burst: 128 << 10)
        apply([Self.limits("p", response: rate, scope: .target)])
        let connections = try (0..<6).map { _ in try connect() }
        let senders = try connections.map { connection in
            try BackgroundWork { try? connection.peer.send(testBytes(8 << 20), timeout: .seconds(30)) }
        }
        let start = MonotonicTime.now()
        var counts = connections.map { _ in 0 }
        // Turns, not luck: nobody goes without. Where the machine lets somebody's thread go without, there is more time.
        for round in 1...5 where counts.contains(where: { $0 <= 64 << 10 }) {
            let receivers = try connections.map { connection in
                try BackgroundWork {
                    try Self.receive(8 << 20, from: connection.client, since: start, rate, for: .seconds(2 * round))
                        .bytes.count
                }
            }
            counts = try zip(counts, receivers).map { try $0 + $1.value() }
            #expect(counts.reduce(0, +) <= Self.allowed(rate, MonotonicTime.now() - start))
        }
        #expect(counts.allSatisfy { $0 > 64 << 10 })
        for connection in connections {
            connection.client.close()
            connection.peer.close()
        }
        for sender in senders { _ = try sender.value() }
    }

    @Test("a source has a bucket of its own, which it finds again as it left it")
    func source() throws {
        let rate = Self.rate(256 << 10, burst: 256 << 10)
        apply([Self.limits("p", request: rate, scope: .source)])
        let start = MonotonicTime.now()
        let sent = testBytes(200 << 10)
        var total = 0
        // Each comes back when the one before has ended: the burst is spent once.
        for _ in 0..<3 {
            let (client, peer) = try connect()
            try client.send(sent)
            try client.halfClose()
            let (bytes, excess) = try Self.receive(sent.count, from: peer, since: start, rate)
            total += bytes.count
            #expect(excess == nil)
            #expect(total <= Self.allowed(rate, MonotonicTime.now() - start))
            let isUnchanged = bytes == sent
            #expect(isUnchanged)
            peer.close()
        }
        // Another source still has all of its burst.
        let before = throttled
        let client = try PlainClient(to: SocketAddress(.loopbackV6, port))
        let peer = try server.accept()
        try client.send(sent)
        let isUnchanged = try peer.receive(exactly: sent.count) == sent
        #expect(isUnchanged)
        #expect(throttled == before)
    }

    @Test("a changed rate acts on sessions that are there, and on those that wait")
    func live() throws {
        apply([])
        let (client, peer) = try connect()
        let first = testBytes(1 << 20)
        let sent = try BackgroundWork { try peer.send(first, timeout: .seconds(30)) }
        let isFirst = try client.receive(exactly: first.count) == first
        #expect(isFirst)
        try sent.value()
        // Limited from now on.
        let slow = Self.rate(16 << 10, burst: 16 << 10)
        apply([Self.limits("p", response: slow)])
        let start = MonotonicTime.now()
        let second = testBytes(24 << 20, seed: 2)
        let sending = try BackgroundWork { try peer.send(second, timeout: .seconds(50)) }
        let (some, excess) = try Self.receive(48 << 10, from: client, since: start, slow)
        #expect(excess == nil)
        #expect(some.count == 48 << 10)
        // Faster: at the rate before it would take half an hour.
        apply([Self.limits("p", response: Self.rate(256 << 20))])
        let more = try client.receive(exactly: 8 << 20, timeout: .seconds(20))
        apply([])
        let rest = try client.receive(exactly: second.count - some.count - more.count, timeout: .seconds(20))
        let isSecond = some + more + rest == second
        #expect(isSecond)
        try sending.value()
    }

    @Test("an end behind limited bytes arrives after them")
    func endWaits() throws {
        apply([Self.limits("p", request: Self.rate(512 << 10, burst: 64 << 10))])
        let (client, peer) = try connect()
        let sent = testBytes(300 << 10)
        try client.send(sent)
        client.close()
        let received = try peer.receiveAll(timeout: .seconds(20))
        let isUnchanged = received == sent
        #expect(isUnchanged)
    }

    @Test("a reset of a client that waits for its share is passed on at once", arguments: [true, false])
    func reset(isRequest: Bool) throws {
        let rate = Self.rate(1024, burst: 1024)
        // What the first has taken in advance, the second waits for: minutes.
        apply([isRequest ? Self.limits("p", request: rate) : Self.limits("p", response: rate)])
        let (client, peer) = try connect()
        let (source, sink) = isRequest ? (client, peer) : (peer, client)
        try source.send(testBytes(64 << 10))
        _ = try sink.receive(exactly: 1024)
        #expect(waitUntil { throttled > 0 })
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"bandwidth\"") == 1 })
        client.reset()
        #expect(waitUntil(deadline: .seconds(20)) { harness.closed(.clientReset) == 1 })
        #expect(try peer.waitForEnd() == .reset)
    }

    @Test("a stream under its rate never waits")
    func chatty() throws {
        let rate = Self.rate(4 << 20, burst: 1 << 20)
        apply(
            [Self.limits("route", request: rate, response: rate)],
            ofListener: [Self.limits("gateway", request: rate, response: rate, scope: .target)])
        let (client, peer) = try connect()
        let message = testBytes(700)
        for _ in 0..<1000 {
            try client.send(message)
            #expect(try peer.receive(exactly: message.count) == message)
            try peer.send(message)
            #expect(try client.receive(exactly: message.count) == message)
        }
        #expect(throttled == 0)
    }

    @Test("nobody spins while directions wait, and what waits can be ended")
    func waitsQuietly() throws {
        apply([Self.limits("p", response: Self.rate(64 << 10, burst: 8 << 10))])
        let (client, peer) = try connect()
        let sending = try BackgroundWork { try? peer.send(testBytes(16 << 20), timeout: .seconds(30)) }
        _ = try client.receive(exactly: 16 << 10)
        let (start, before) = (MonotonicTime.now(), harness.engine.turns)
        _ = waitUntil { MonotonicTime.now() - start > .seconds(1) }
        // 25 shares a second, and what the arrivals ask for.
        #expect(harness.engine.turns - before < 500)
        #expect(harness.engine.closeConnections { _ in true }.count == 1)
        #expect(waitUntil { harness.closed(.adminClosed) == 1 })
        _ = try? client.waitForEnd()
        peer.close()
        _ = try sending.value()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }
}
