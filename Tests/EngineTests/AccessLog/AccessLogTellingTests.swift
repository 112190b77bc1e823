@testable import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

/// Keeps what it is told.
private final class Listener: ClosedConnectionOutput {
    struct Told: Sendable {
        var id: UInt64
        var endedAt: Int64
        var gateway, routeKind, route, fields: String
    }
    private let state = Locked<(told: [Told], turns: Int, missed: UInt64)>(([], 0, 0))

    var told: [Told] { state.withLock { $0.told } }
    var turns: Int { state.withLock { $0.turns } }
    var missed: UInt64 { state.withLock { $0.missed } }

    func take(_ connection: ClosedConnection) {
        let texts = [connection.gateway, connection.routeKind, connection.route, connection.fields]
            .map { String(decoding: $0, as: UTF8.self) }
        let told = Told(
            id: connection.id, endedAt: connection.endedAt, gateway: texts[0], routeKind: texts[1], route: texts[2],
            fields: texts[3])
        state.withLock { $0.told.append(told) }
    }
    func endTurn() { state.withLock { $0.turns += 1 } }
    func miss(_ count: UInt64) { state.withLock { $0.missed += count } }
}

@Suite("Access log: telling of ends", .timeLimit(.minutes(5)))
struct AccessLogTellingTests {
    private let listener = Listener()
    private let echo: EchoBackend

    init() throws { echo = try EchoBackend("a") }

    private func end(_ log: AccessLogHarness, _ count: Int = 1) throws {
        for _ in 0..<count {
            let client = try PlainClient(port: log.port)
            #expect(try client.receiveLine() == "a")
            client.close()
        }
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
        log.accessLog.flush()
    }

    @Test("an end is told with all fields of JSON, whatever has a line and whatever lines look like")
    func everyEnd() throws {
        let log = try AccessLogHarness(events: listener)
        let template = try AccessLogTemplate("%EVENT% %CONNECTION_ID%")
        let all: [AccessLogSettings] = [.none, .init(closes: .errors), .init(opens: true, closes: .all)]
        for settings in all {
            log.apply(to: [echo.port], format: .text(template), settings: settings)
            try end(log)
        }
        let told = listener.told
        #expect(told.count == 3)
        #expect(log.lines().map { $0.prefix { $0 != " " } } == ["open", "close"])
        for one in told {
            let fields = try AccessFields(one.fields)
            #expect(fields.text(.connectionID) == String(one.id, radix: 16))
            #expect(fields.text(.event) == "close")
            #expect(fields.text(.closeReason) == "client_closed")
            #expect(fields.text(.downstreamLocalAddress) == "127.0.0.1:\(log.port)")
            #expect(fields.text(.upstreamHost) == "127.0.0.1:\(echo.port)")
            #expect([one.gateway, one.routeKind, one.route] == ["default/edge", "TCPRoute", "default/r"])
            #expect(abs(one.endedAt - realtimeNanoseconds()) < 60_000_000_000)
        }
        #expect(Set(told.map(\.id)).count == 3)
        #expect(listener.turns > 0)
        #expect(listener.missed == 0)
    }

    @Test("without a log there are events alone, with what is known of refusals")
    func noLines() throws {
        let log = try AccessLogHarness(output: NoOutput(), events: listener, hasLines: false)
        log.apply(to: [echo.port], settings: .init(opens: true, closes: .all)) { listener, _ in
            listener.limits = [
                limits(
                    "p",
                    authorization: Authorization(
                        rules: [deny("no", addresses("127.0.0.9/32"))], allowsByDefault: true))
            ]
        }
        try end(log)
        let unwanted = try? PlainClient(from: host(9), port: log.port)
        _ = try? unwanted?.waitForEnd()
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
        log.accessLog.flush()
        let fields = try listener.told.map { try AccessFields($0.fields) }
        #expect(fields.map { $0.text(.closeReason) } == ["client_closed", "authz_denied"])
        #expect(fields.last?.text(.authorizationRule) == "no")
        // Nobody else tells of it.
        #expect(log.log.entries.contains { $0.text("close_reason") == "authz_denied" })
        // There is no such family without a log.
        #expect(log.harness.total("sluice_access_log_dropped_total") == -1)
    }

    @Test("ends that workers have no room for are counted")
    func missed() throws {
        let gate = GatedOutput()
        let log = try AccessLogHarness(ringSize: 4096, output: gate, events: listener)
        log.apply(to: [echo.port])
        for _ in 0..<60 {
            let client = try PlainClient(port: log.port)
            #expect(try client.receiveLine() == "a")
            client.close()
        }
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
        #expect(gate.isWaiting)
        gate.state.update { $0.isOpen = true }
        log.accessLog.flush()
        #expect(listener.missed > 0)
        #expect(UInt64(listener.told.count) + listener.missed == 60)
        #expect(log.accessLog.dropped == listener.missed)
    }
}
