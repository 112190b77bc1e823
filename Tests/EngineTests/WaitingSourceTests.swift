import Engine
import EngineCore
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

/// A limit for each source holds before a ClientHello says whom it is for: who says nothing takes no more places than that.
@Suite("Limits of sources before the hello", .timeLimit(.minutes(5)))
struct WaitingSourceTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort())
    }

    private func bySource(_ value: Int, _ policy: String = "p") -> ClientLimits {
        let perSource = ConnectionLimit.PerSource(value: value, source: SourcePrefix(v4: 32, v6: 64))
        return limits(policy, connections: ConnectionLimit(perSource: perSource))
    }

    private func listener(_ name: String, _ own: ClientLimits...) -> ListenerConfiguration {
        let hostname = "\(name).test"
        let served = (hostname, route("r-\(name)", to: "a"))
        var listener = tlsListener(name, port: port, hostname: hostname, routes: [served])
        listener.limits = own
        return listener
    }

    private func apply(_ listeners: ListenerConfiguration...) {
        harness.apply(listeners, [backend("a", ports: [echo.port])])
    }

    /// A connection of which nothing is heard until it speaks.
    private func silent(_ source: IPAddress = host(1)) throws -> PlainClient {
        try PlainClient(from: source, port: port)
    }

    /// Its hello is passed through to a backend that greets.
    private func speak(_ client: PlainClient, _ name: String = "t.test") throws {
        try client.send(try clientHelloBytes(TLSClientOptions(serverName: name)))
        #expect(try client.receiveLine() == "a")
    }

    /// Whether a connection is reset before it says anything.
    private func isReset(_ connect: @autoclosure () throws -> PlainClient) -> Bool {
        do {
            _ = try connect().receiveLine()
            return false
        } catch let error as Errno {
            return error == .connectionReset
        } catch {
            return error as? StreamError == .reset
        }
    }

    private func areWaiting(_ count: Int) -> Bool {
        waitUntil { harness.metric("sluice_listener_handshaking_connections") == Double(count) }
    }

    @Test("as many of a source wait as may be open, beside those that are; who leaves or speaks makes room")
    func places() throws {
        apply(listener("t", bySource(2)))
        let open = try (0..<2).map { _ in try silent() }
        for client in open { try speak(client) }
        let mute = try (0..<2).map { _ in try silent() }
        #expect(areWaiting(2))
        #expect(isReset(try silent()))
        #expect(waitUntil { harness.rejected(.sourceConnectionLimit) == 1 })
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"source_connections\"") == 1 })
        let line = try #require(harness.log.waitForEntry { $0.text("close_reason") == "source_connection_limit" })
        #expect(line.text("policy") == "default/p")
        try speak(try silent(host(2)))
        // Its place among those that wait is free again, whether it left, or spoke and was refused or served.
        mute[0].close()
        #expect(areWaiting(1))
        let third = try silent()
        #expect(areWaiting(2))
        open[0].close()
        #expect(waitUntil { harness.engine.activeConnections == 3 })
        try speak(mute[1])
        let fourth = try silent()
        #expect(areWaiting(2))
        try fourth.send(try clientHelloBytes(TLSClientOptions(serverName: "t.test")))
        #expect(try fourth.receive(max: 7) == [21, 3, 3, 0, 2, 2, 40])
        #expect(areWaiting(1))
        third.close()
        #expect(areWaiting(0))
        let all = try (0..<2).map { _ in try silent() }
        #expect(areWaiting(2))
        #expect(isReset(try silent()))
        for client in all { client.close() }
    }

    @Test("a change of the configuration keeps who waits")
    func changes() throws {
        apply(listener("t", bySource(2)))
        let mute = try (0..<2).map { _ in try silent() }
        #expect(areWaiting(2))
        apply(listener("t", bySource(3)), listener("u", bySource(3)))
        let third = try silent()
        #expect(areWaiting(3))
        #expect(isReset(try silent()))
        apply(listener("t", bySource(1)))
        #expect(isReset(try silent()))
        for client in mute + [third] { client.close() }
        #expect(areWaiting(0))
        let again = try silent()
        #expect(areWaiting(1))
        #expect(isReset(try silent()))
        try speak(again)
    }

    @Test("where listeners share a port, only limits that all of them have hold before one is asked for")
    func shared() throws {
        apply(listener("t", bySource(1, "wide"), bySource(1, "narrow")), listener("u", bySource(2, "wide")))
        let mute = try silent()
        #expect(areWaiting(1))
        #expect(isReset(try silent()))
        apply(listener("t", bySource(1, "narrow")), listener("u"))
        let more = try (0..<3).map { _ in try silent() }
        #expect(areWaiting(4))
        for client in more { try speak(client, "u.test") }
        try speak(mute, "t.test")
    }

    @Test("behind a PROXY header it is the client that counts; what is still silent before it is nobody's")
    func proxied() throws {
        var served = listener("t", bySource(1))
        served.settings.proxyProtocol = ProxyProtocolReception()
        apply(served)
        func client(_ source: String) throws -> PlainClient {
            let client = try silent()
            try client.send(try ProxyBytes.header(.v2, from: source))
            return client
        }
        let nobodies = try (0..<3).map { _ in try silent() }
        let first = try client("203.0.113.7:1")
        #expect(waitUntil { harness.metric("sluice_proxy_protocol_headers_total") == 1 })
        #expect(isReset(try client("203.0.113.7:2")))
        #expect(harness.rejected(.sourceConnectionLimit) == 1)
        try speak(try client("203.0.113.8:1"))
        try speak(first)
        for client in nobodies { client.close() }
    }

    @Test("those turned away are held for closeDelay, and free no place twice")
    func delayed() throws {
        var own = bySource(1)
        own.connections?.closeDelay = .seconds(1)
        apply(listener("t", own))
        let mute = try silent()
        #expect(areWaiting(1))
        let start = MonotonicTime.now()
        let refused = try (0..<3).map { _ in try silent() }
        for client in refused { #expect(isReset(client)) }
        #expect(MonotonicTime.now() - start >= .milliseconds(990))
        #expect(harness.rejected(.sourceConnectionLimit) == 3)
        #expect(areWaiting(1))
        try speak(mute)
    }
}
