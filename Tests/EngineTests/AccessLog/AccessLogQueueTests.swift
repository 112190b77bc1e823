@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Access log: the queue of a backend", .timeLimit(.minutes(5)))
struct AccessLogQueueTests {
    private let log: AccessLogHarness
    private let echo: EchoBackend

    init() throws { (log, echo) = (try AccessLogHarness(), try EchoBackend("a")) }

    /// A backend that lets one connection through, and has others wait.
    private func apply(timeout: Duration, format: AccessLogFormat = .json) {
        let settings = AccessLogSettings()
        var (route, backend) = (route("r", to: "a"), backend("a", ports: [echo.port]))
        route.settings.accessLog = settings
        backend.circuitBreakers = [
            CircuitBreaker(
                id: LimitID(policy: "default/p", target: "Service default/a"), maximumConnections: 1,
                maximumPerEndpoint: nil)
        ]
        backend.queue = PendingQueue(
            id: LimitID(policy: "default/q", target: "Service default/a"), length: 4, timeout: timeout)
        var listener = tcpListener("db", port: log.port, route)
        listener.settings.accessLog = settings
        listener.settings.accessLogFormat = format
        log.harness.apply([listener], [backend])
    }

    private func waitingClient() throws -> PlainClient {
        let client = try PlainClient(port: log.port)
        #expect(waitUntil { log.harness.metric("sluice_backend_pending_connections", "backend=\"a\"") == 1 })
        return client
    }

    @Test("t_queue_ms is how long a connection waited; who did not has none")
    func waited() throws {
        apply(timeout: .seconds(60))
        let first = try openClient(log.port)
        let second = try waitingClient()
        let began = realtimeNanoseconds()
        #expect(waitUntil { realtimeNanoseconds() - began > 20_000_000 })
        first.close()
        #expect(try second.receiveLine() == "a")
        #expect(try log.waitForEntries(1)[0].number(.queueMilliseconds) == nil)
        second.close()
        let entry = try log.waitForEntries(2)[1]
        #expect(entry.text(.closeReason) == "client_closed")
        let waited = try #require(entry.number(.queueMilliseconds))
        let duration = try #require(entry.number(.durationMilliseconds))
        // The engine's clock has ticks of some milliseconds.
        #expect(waited > 10 && waited <= duration)
    }

    @Test("who waited in vain, or left, has waited until then")
    func inVain() throws {
        apply(timeout: .milliseconds(100))
        let first = try openClient(log.port)
        let second = try PlainClient(port: log.port)
        _ = try second.waitForEnd()
        let entry = try log.entry()
        #expect(entry.text(.closeReason) == "queue_timeout")
        #expect(try #require(entry.number(.queueMilliseconds)) > 90)
        #expect(entry.number(.upstreamAttempts) == nil)
        apply(timeout: .seconds(60))
        let third = try waitingClient()
        third.close()
        let left = try log.waitForEntries(2)[1]
        #expect(left.text(.closeReason) == "client_closed")
        #expect(try #require(left.number(.queueMilliseconds)) >= 0)
        try first.exchange("served")
    }

    @Test("HAProxy's Tw is the same, in whole milliseconds, and is there for who waited in vain")
    func haproxy() throws {
        apply(timeout: .milliseconds(100), format: .haproxyTCP)
        let first = try openClient(log.port)
        let second = try PlainClient(port: log.port)
        _ = try second.waitForEnd()
        let times = /.* default_edge_db Service_default_a:80\/\S+ (-?\d+)\/(-?\d+)\/\d+ \d+ (..) .*/
        let line = try log.waitForLines(1)[0]
        let end = try #require(try times.wholeMatch(in: line), "\(line)")
        #expect(try #require(Int(end.1)) > 90)
        #expect(end.2 == "-1" && end.3 == "sQ")
        first.close()
        let served = try #require(try times.wholeMatch(in: log.waitForLines(2)[1]))
        #expect(served.1 == "0")
    }
}
