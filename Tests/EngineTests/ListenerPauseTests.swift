import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Listeners that wait at their limit", .timeLimit(.minutes(5)))
struct ListenerPauseTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort())
    }

    private func pause(_ value: Int?) -> ClientLimits {
        limits("p", connections: ConnectionLimit(value: value, onLimit: .pause))
    }

    private func apply(_ value: Int?) {
        harness.apply(
            [tcpListener("t", port: port, route("r", to: "a")).limited(by: pause(value))],
            [backend("a", ports: [echo.port])])
    }

    private var dials: Int { echo.accepted.withLock { $0 } }

    @Test("who comes at the limit waits in the kernel's queue and is served when one ends; nobody is refused")
    func waits() throws {
        apply(2)
        var open = try (0..<2).map { _ in try openClient(port) }
        let waiting = try (0..<6).map { _ in try PlainClient(port: port) }
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"connections\"") >= 1 })
        #expect(waitUntil { harness.engine.activeConnections == 2 })
        #expect(waitUntil { dials == 2 })
        var left = waiting
        while !left.isEmpty {
            let number = dials
            open.removeFirst().close()
            // Whichever worker has it: one of them, and no other.
            #expect(waitUntil { dials == number + 1 })
            // A worker counts a connection before it asks the kernel for one.
            #expect(waitUntil { harness.engine.activeConnections <= 2 })
            let index = try #require(
                waitFor {
                    left.firstIndex { (try? $0.receive(max: 2, timeout: .milliseconds(20))) == Array("a\n".utf8) }
                })
            open.append(left.remove(at: index))
        }
        #expect(waitUntil { dials == 8 })
        #expect(harness.rejected(.connectionLimit) == 0)
        for client in open { try client.exchange("served") }
    }

    private func waitFor<Value>(_ body: () -> Value?) -> Value? {
        var value: Value?
        _ = waitUntil {
            value = body()
            return value != nil
        }
        return value
    }

    @Test("waiting costs no turns, and a raised or removed limit ends it", arguments: [true, false])
    func raised(raises: Bool) throws {
        apply(1)
        let open = try openClient(port)
        let waiting = try (0..<4).map { _ in try PlainClient(port: port) }
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"connections\"") >= 1 })
        apply(raises ? 10 : nil)
        for client in waiting { #expect(try client.receiveLine() == "a") }
        try open.exchange("served")
        #expect(waitUntil { dials == 5 })
    }

    @Test("an operator's pause and a limit's are two: both must end")
    func operators() throws {
        apply(1)
        let open = try openClient(port)
        let binding = Binding(port: port)
        let waiting = try PlainClient(port: port)
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"connections\"") == 1 })
        #expect(harness.engine.setPaused(true, at: binding))
        open.close()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(throws: StreamError.self) { try waiting.receive(max: 2, timeout: .milliseconds(200)) }
        #expect(harness.engine.setPaused(false, at: binding))
        #expect(try waiting.receiveLine() == "a")
    }

    @Test("TLS: a connection counts from its acceptance, and only at the listener that its hello names")
    func hellos() throws {
        let ca = try TestPKI.makeCA()
        let certificate = try ca.issue(dnsNames: ["a.test", "b.test"])
        func listener(_ name: String) throws -> ListenerConfiguration {
            tlsListener(
                name, port: port, hostname: "\(name).test", mode: try terminate(certificate), routes: [],
                fallback: route(name, to: "a"))
        }
        harness.apply(
            [try listener("a").limited(by: pause(2)), try listener("b")], [backend("a", ports: [echo.port])])
        func connect(_ name: String) throws -> TLSTestClient {
            let client = try TLSTestClient(port: port, TLSClientOptions(serverName: name, trust: ca.pem))
            #expect(try client.receiveLine() == "a")
            return client
        }
        // Those of the other listener give back what they held.
        let others = try (0..<5).map { _ in try connect("b.test") }
        let first = try connect("a.test")
        let silent = try PlainClient(port: port)
        #expect(waitUntil { harness.metric("sluice_listener_handshaking_connections") == 1 })
        let waiting = try PlainClient(port: port)
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"connections\"", "listener=\"a\"") >= 1 })
        #expect(waitUntil { harness.engine.activeConnections == 7 })
        silent.close()
        let second = try TLSTestClient(over: waiting, TLSClientOptions(serverName: "a.test", trust: ca.pem))
        #expect(try second.receiveLine() == "a")
        for client in others + [first, second] { try client.exchange("served") }
        #expect(harness.rejected(.connectionLimit) == 0)
    }
}
