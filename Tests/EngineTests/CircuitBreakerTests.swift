@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// One plain listener, an echo, and a backend with circuit breakers.
@Suite("Circuit breakers", .timeLimit(.minutes(5)))
struct CircuitBreakerTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort())
    }

    private func level(_ policy: String, most: Int? = nil, perEndpoint: Int? = nil) -> CircuitBreaker {
        CircuitBreaker(
            id: LimitID(policy: "default/\(policy)", target: "Service default/a"), maximumConnections: most,
            maximumPerEndpoint: perEndpoint)
    }

    private func queue(_ length: Int, timeout: Duration = .seconds(30)) -> PendingQueue {
        PendingQueue(id: LimitID(policy: "default/q", target: "Service default/a"), length: length, timeout: timeout)
    }

    private func apply(_ levels: CircuitBreaker..., queue: PendingQueue? = nil, ports: [UInt16]? = nil) {
        var backend = backend("a", ports: ports ?? [echo.port])
        (backend.circuitBreakers, backend.queue) = (levels, queue)
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend])
    }

    private func rejected(_ reason: CloseReason) -> Double {
        harness.metric("sluice_backend_rejected_total", "reason=\"\(reason.rawValue)\"")
    }

    private var pending: Double { harness.metric("sluice_backend_pending_connections", "backend=\"a\"") }

    private var dials: Int { echo.accepted.withLock { $0 } }

    /// A client that is to wait, once it does.
    private func waitingClient(_ place: Double, from source: IPAddress = host(1)) throws -> PlainClient {
        let client = try PlainClient(from: source, port: port)
        #expect(waitUntil { pending == place })
        return client
    }

    // MARK: maxConnections

    @Test("maxConnections: no more go through, on all workers; one that ends makes room")
    func maximum() throws {
        apply(level("p", most: 3))
        var open = try (0..<3).map { _ in try openClient(port) }
        for _ in 0..<10 { #expect(try !isServed(port)) }
        #expect(waitUntil { harness.closed(.circuitOpen) == 10 })
        #expect(waitUntil { rejected(.circuitOpen) == 10 })
        #expect(waitUntil { dials == 3 })
        for _ in 0..<10 {
            open.removeFirst().close()
            #expect(waitUntil { harness.engine.activeConnections == 2 })
            open.append(try openClient(port))
            #expect(try !isServed(port))
        }
        for client in open { try client.exchange("served") }
        #expect(pending == 0)
    }

    @Test("every level has to let a connection pass, and what one refuses is counted at none")
    func levels() throws {
        apply(level("wide", most: 5), level("narrow", most: 1))
        let first = try openClient(port)
        for _ in 0..<10 { #expect(try !isServed(port)) }
        apply(level("wide", most: 5))
        let more = try (0..<4).map { _ in try openClient(port) }
        #expect(try !isServed(port))
        for client in [first] + more { try client.exchange("served") }
    }

    @Test("a level counts what goes through it to several backends; a changed value keeps the count and closes nothing")
    func shared() throws {
        func apply(_ most: Int) throws {
            var (a, b) = (backend("a", ports: [echo.port]), backend("b", ports: [echo.port]))
            a.circuitBreakers = [level("p", most: most)]
            b.circuitBreakers = a.circuitBreakers
            harness.apply(
                [
                    tcpListener("t", port: port, route("r", to: "a")),
                    tcpListener("u", port: other, route("s", to: "b")),
                ], [a, b])
        }
        let other = try freePort()
        try apply(2)
        let clients = [try openClient(port), try openClient(other)]
        #expect(try !isServed(port))
        #expect(try !isServed(other))
        try apply(1)
        for client in clients { try client.exchange("goes on") }
        clients[0].close()
        #expect(waitUntil { harness.engine.activeConnections == 1 })
        #expect(try !isServed(other))
        try apply(3)
        let more = [try openClient(port), try openClient(other)]
        #expect(try !isServed(port))
        for client in more + [clients[1]] { try client.exchange("served") }
    }

    @Test("connections being connected count, and failed ones are given back")
    func connecting() throws {
        let refusing = try freePort()
        var backend = backend("a", ports: [refusing])
        backend.circuitBreakers = [level("p", most: 1, perEndpoint: 1)]
        backend.settings.retries = 1
        (backend.settings.retryBaseInterval, backend.settings.retryMaxInterval) = (.seconds(1), .seconds(1))
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend])
        let first = try PlainClient(port: port)
        #expect(waitUntil { harness.metric("sluice_backend_connect_retries_total") == 1 })
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.circuitOpen) == 1 })
        #expect(try first.waitForEnd() == .reset)
        #expect(waitUntil { harness.closed(.connectRefused) == 1 })
        apply(level("p", most: 1, perEndpoint: 1))
        try openClient(port).exchange("served")
    }

    // MARK: perEndpoint.maxConnections

    @Test("perEndpoint.maxConnections: a full endpoint is passed over, and all full are as a limit met")
    func perEndpoint() throws {
        let echoes = try (0..<3).map { _ in try EchoBackend("a") }
        apply(level("p", perEndpoint: 2), ports: echoes.map(\.port))
        let clients = try (0..<6).map { _ in try openClient(port) }
        for echo in echoes { #expect(echo.accepted.withLock { $0 } == 2) }
        #expect(try !isServed(port))
        #expect(waitUntil { rejected(.circuitOpen) == 1 })
        clients[3].close()
        #expect(waitUntil { harness.engine.activeConnections == 5 })
        try openClient(port).exchange("served")
    }

    // MARK: maxPendingConnections, queueTimeout

    @Test("maxPendingConnections: so many wait, in the order of their coming, and the next is refused")
    func waiting() throws {
        apply(level("p", most: 1), queue: queue(3))
        var open = try openClient(port)
        let waiting = try (1...3).map { try waitingClient(Double($0)) }
        #expect(try !isServed(port))
        #expect(waitUntil { rejected(.queueFull) == 1 })
        #expect(waitUntil { harness.closed(.queueFull) == 1 })
        #expect(waitUntil { dials == 1 })
        for (index, client) in waiting.enumerated() {
            open.close()
            #expect(try client.receiveLine() == "a")
            #expect(waitUntil { pending == Double(2 - index) })
            #expect(waitUntil { dials == index + 2 })
            open = client
        }
        try open.exchange("served")
        #expect(waitUntil { harness.metric("sluice_backend_queue_duration_seconds_count") == 3 })
    }

    @Test("queueTimeout: who has waited for so long is refused, and the others move up")
    func timeout() throws {
        apply(level("p", most: 1), queue: queue(2, timeout: .seconds(2)))
        let open = try openClient(port)
        let start = MonotonicTime.now()
        let first = try waitingClient(1)
        #expect(try first.waitForEnd() == .reset)
        // Workers read their clock once a turn, and in whole milliseconds.
        #expect(.now() - start >= .milliseconds(1990))
        #expect(waitUntil { rejected(.queueTimeout) == 1 })
        #expect(waitUntil { harness.closed(.queueTimeout) == 1 })
        #expect(pending == 0)
        let second = try waitingClient(1)
        open.close()
        #expect(try second.receiveLine() == "a")
    }

    @Test("a client that goes away leaves the queue; one that has sent something and ended its stream is still served")
    func leaving() throws {
        apply(level("p", most: 1), queue: queue(4))
        let open = try openClient(port)
        let (ends, resets, halfCloses) = (try waitingClient(1), try waitingClient(2), try waitingClient(3))
        let last = try waitingClient(4)
        ends.close()
        #expect(waitUntil { pending == 3 })
        resets.reset()
        #expect(waitUntil { pending == 2 })
        try halfCloses.send("hello")
        try halfCloses.halfClose()
        open.close()
        #expect(try String(decoding: halfCloses.receiveAll(), as: UTF8.self) == "a\nhello")
        halfCloses.close()
        #expect(try last.receiveLine() == "a")
        #expect(waitUntil { dials == 3 })
        #expect(harness.closed(.clientClosed) + harness.closed(.clientReset) >= 2)
    }

    @Test("who waits for an endpoint goes on when one has room; another table's endpoints are room as well")
    func endpoints() throws {
        apply(level("p", perEndpoint: 1), queue: queue(3))
        let open = try openClient(port)
        let waiting = [try waitingClient(1), try waitingClient(2), try waitingClient(3)]
        open.close()
        #expect(try waiting[0].receiveLine() == "a")
        let other = try EchoBackend("a")
        apply(level("p", perEndpoint: 1), queue: queue(3), ports: [echo.port, other.port])
        #expect(try waiting[1].receiveLine() == "a")
        #expect(other.accepted.withLock { $0 } == 1)
        #expect(pending == 1)
        apply()
        #expect(try waiting[2].receiveLine() == "a")
        for client in waiting { try client.exchange("served") }
    }

    @Test("a level that is added while somebody waits wakes them, too")
    func addedLevel() throws {
        let other = try freePort()
        func apply(_ levels: [CircuitBreaker]) {
            var (a, b) = (backend("a", ports: [echo.port]), backend("b", ports: [echo.port]))
            (a.circuitBreakers, a.queue) = (levels, queue(2, timeout: .seconds(3600)))
            b.circuitBreakers = [level("shared", most: 1)]
            harness.apply(
                [
                    tcpListener("t", port: port, route("r", to: "a")),
                    tcpListener("u", port: other, route("s", to: "b")),
                ], [a, b])
        }
        // Workers look at their own lines whenever something ends there: in some round it is the other one's.
        for _ in 0..<8 {
            apply([level("p", most: 1)])
            let (first, holder) = (try openClient(port), try openClient(other))
            let waiting = try waitingClient(1)
            apply([level("p", most: 1), level("shared", most: 1)])
            first.close()
            #expect(waitUntil { harness.engine.activeConnections == 2 })
            #expect(pending == 1)
            holder.close()
            #expect(try waiting.receiveLine() == "a")
            waiting.close()
            #expect(waitUntil { harness.engine.activeConnections == 0 })
        }
    }

    @Test("who waits again has waited for the sum of both, and is given what is left of the time")
    func waitsAgain() {
        let queue = BackendCircuit.Queue(line: PendingLine(), length: PendingLength(), most: 1, timeout: 100)
        let first = PendingWait(queue, ticket: 0, ahead: 0, now: 1_000_000_000, after: nil)
        #expect(first.total(now: 1_020_000_000) == 20_000_000)
        #expect(first.deadline(100) == 1100)
        first.until = 1_030_000_000
        #expect(first.total(now: 5_000_000_000) == 30_000_000)
        // What it did in between is no waiting.
        let second = PendingWait(queue, ticket: 1, ahead: 1, now: 2_000_000_000, after: first)
        #expect(second.returns == 1)
        #expect(second.total(now: 2_005_000_000) == 35_000_000)
        #expect(second.deadline(100) == 2070)
        second.until = 2_010_000_000
        let third = PendingWait(queue, ticket: 2, ahead: 2, now: 3_000_000_000, after: second)
        #expect(third.total(now: 3_000_000_000) == 40_000_000)
        // Its place in the line is told as it was at first.
        #expect(third.ahead == 0)
    }

    @Test("TLS is terminated before a client waits, and a hello that is passed through waits unread")
    func tls() throws {
        let ca = try TestPKI.makeCA()
        let secure = try EchoBackend("a", tls: TLSServerOptions(try ca.issue(dnsNames: ["b.test"])))
        let terminated = try EchoBackend("a")
        func apply() throws {
            var (a, b) = (backend("a", ports: [terminated.port]), backend("b", ports: [secure.port]))
            a.circuitBreakers = [level("p", most: 1)]
            a.queue = queue(2)
            b.circuitBreakers = [level("q", most: 1)]
            b.queue = queue(2)
            harness.apply(
                [
                    tlsListener(
                        "a", port: port, hostname: "a.test", mode: try terminate(try ca.issue(dnsNames: ["a.test"])),
                        routes: [("a.test", route("a", to: "a"))]),
                    tlsListener("b", port: port, hostname: "b.test", routes: [("b.test", route("b", to: "b"))]),
                ], [a, b])
        }
        try apply()
        @Sendable func connect(_ name: String) throws -> TLSTestConnection {
            try TLSTestConnection(port: port, TLSClientOptions(serverName: name, trust: ca.pem))
        }
        for name in ["a.test", "b.test"] {
            let open = try connect(name)
            #expect(try open.receiveLine() == "a")
            let next = try BackgroundWork { [name] in try connect(name) }
            #expect(waitUntil { harness.metric("sluice_backend_pending_connections") == 1 })
            let gone = try PlainClient(port: port)
            try gone.send(try clientHelloBytes(TLSClientOptions(serverName: name)))
            if name == "b.test" {
                #expect(waitUntil { harness.metric("sluice_backend_pending_connections") == 2 })
                gone.close()
                #expect(waitUntil { harness.metric("sluice_backend_pending_connections") == 1 })
            }
            open.close()
            let served = try next.value()
            #expect(try served.receiveLine() == "a")
            served.close()
        }
    }
}
