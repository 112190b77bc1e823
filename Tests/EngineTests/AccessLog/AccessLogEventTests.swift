@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Access log: events and filters", .timeLimit(.minutes(5)))
struct AccessLogEventTests {
    private let log: AccessLogHarness
    private let echo: EchoBackend

    init() throws { (log, echo) = (try AccessLogHarness(), try EchoBackend("a")) }

    /// One that the client ends, one that it resets, and one that is refused.
    private func threeEnds() throws {
        let clean = try PlainClient(port: log.port)
        #expect(try clean.receiveLine() == "a")
        clean.close()
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
        let broken = try PlainClient(port: log.port)
        #expect(try broken.receiveLine() == "a")
        broken.reset()
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
        let unwanted = try? PlainClient(from: host(9), port: log.port)
        _ = try? unwanted?.waitForEnd()
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
    }

    private func serve(listener: AccessLogSettings, route settings: AccessLogSettings) {
        log.apply(to: [echo.port], settings: listener) { listener, route in
            route.settings.accessLog = settings
            listener.limits = [
                limits(
                    "p",
                    authorization: Authorization(
                        rules: [deny("no", addresses("127.0.0.9/32"))], allowsByDefault: true))
            ]
        }
    }

    @Test(
        "which ends have lines",
        arguments: [
            (AccessLogSettings.Closes?.some(.all), ["client_closed", "client_reset", "authz_denied"]),
            (.some(.errors), ["client_reset", "authz_denied"]), (.some(.rejected), ["authz_denied"]), (.none, []),
        ])
    func include(closes: AccessLogSettings.Closes?, reasons: [String]) throws {
        let settings = AccessLogSettings(closes: closes)
        serve(listener: settings, route: settings)
        try threeEnds()
        #expect(try log.lines().map { try AccessFields($0).text(.closeReason) } == reasons)
    }

    @Test("a route's settings hold once the connection has one, the listener's before")
    func routes() throws {
        serve(listener: .none, route: AccessLogSettings(closes: .errors))
        try threeEnds()
        #expect(try log.lines().map { try AccessFields($0).text(.closeReason) } == ["client_reset"])
        serve(listener: AccessLogSettings(), route: .none)
        try threeEnds()
        #expect(
            try log.lines().map { try AccessFields($0).text(.closeReason) } == ["client_reset", "authz_denied"])
    }

    @Test("a line when bytes can flow, one each interval, and one at the end, all of one connection")
    func events() throws {
        let settings = AccessLogSettings(opens: true, interval: .milliseconds(100), closes: .all)
        serve(listener: settings, route: settings)
        let client = try PlainClient(port: log.port)
        #expect(try client.receiveLine() == "a")
        let opened = try #require(try log.waitForEntries(1).first)
        #expect(opened.text(.event) == "open")
        #expect(opened.text(.upstreamHost) == "127.0.0.1:\(echo.port)")
        #expect(opened.number(.bytesSent) == 0)
        #expect(opened.names.isDisjoint(with: ["close_reason", "close_side", "close_detail"]))
        try client.exchange("hello")
        let known = log.lines().count
        let periodic = try log.waitForEntries(known + 2)
        #expect(periodic.dropFirst().allSatisfy { $0.text(.event) == "periodic" && $0.text(.closeReason) == nil })
        #expect(periodic.last?.number(.bytesReceived) == 5)
        #expect(periodic.last?.number(.bytesSent) == 7)
        client.close()
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
        let all = try log.lines().map { try AccessFields($0) }
        #expect(all.last?.text(.event) == "close")
        #expect(Set(all.map { $0.text(.connectionID) }).count == 1)
        let durations = all.compactMap { $0.number(.durationMilliseconds) }
        #expect(durations.count == all.count && durations == durations.sorted())
        // 100 ms apart, by a clock with ticks of some milliseconds.
        let times = all.filter { $0.text(.event) == "periodic" }.compactMap { $0.number(.durationMilliseconds) }
        for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier > 90) }
    }

    @Test("a connection keeps the format of its listener as it was accepted at; the next one has the new one")
    func formats() throws {
        let template = try AccessLogTemplate("%EVENT% %CLOSE_REASON% %BYTES_SENT% %REQUESTED_SERVER_NAME% 100%%")
        log.apply(to: [echo.port])
        let first = try PlainClient(port: log.port)
        #expect(try first.receiveLine() == "a")
        log.apply(to: [echo.port], format: .text(template))
        let second = try PlainClient(port: log.port)
        #expect(try second.receiveLine() == "a")
        second.close()
        #expect(try log.waitForLines(1) == ["close client_closed 2 - 100%"])
        first.close()
        #expect(try AccessFields(log.waitForLines(2)[1]).text(.closeReason) == "client_closed")
    }

    @Test("HAProxy's line, as its manual describes it")
    func haproxy() throws {
        log.apply(to: [echo.port], format: .haproxyTCP, settings: AccessLogSettings(opens: true, closes: .all))
        let client = try PlainClient(port: log.port)
        #expect(try client.receiveLine() == "a")
        let other = try PlainClient(port: log.port)
        #expect(try other.receiveLine() == "a")
        client.close()
        #expect(waitUntil { log.harness.engine.activeConnections == 1 })
        log.apply(to: [try freePort()], format: .haproxyTCP, settings: AccessLogSettings())
        _ = try? ending(of: log.port)
        let lines = try log.waitForLines(4)
        let pattern =
            /(127\.0\.0\.1):(\d+) \[\d\d\/[A-Z][a-z][a-z]\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] (\S+) (\S+)\/(\S+) (-?\d+)\/(-?\d+)\/(\+?\d+) (\+?\d+) (..) (\d+)\/(\d+)\/(\d+)\/(\d+)\/(\d+) 0\/0/
        let parsed = try lines.map { try #require(try pattern.wholeMatch(in: $0), "\($0)") }
        #expect(parsed[0].8.hasPrefix("+") && parsed[0].9 == "+0" && parsed[0].10 == "--")
        let end = parsed[2]
        #expect(end.2 == "\(client.localAddress?.port ?? 0)")
        #expect(end.3 == "default_edge_db")
        #expect(end.4 == "Service_default_a:80")
        #expect(end.5 == "127.0.0.1:\(echo.port)")
        #expect(end.6 == "0" && (Int(end.7) ?? -1) >= 0)
        #expect(end.9 == "2" && end.10 == "--")
        #expect([end.11, end.12, end.13, end.14, end.15] == ["1", "1", "1", "1", "0"])
        let refused = parsed[3]
        #expect(refused.7 == "-1" && refused.10 == "SC" && refused.15 == "2")
        withExtendedLifetime(other) {}
    }
}
