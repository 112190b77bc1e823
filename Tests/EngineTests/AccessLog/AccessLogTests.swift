@testable import Engine
import EngineCore
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Access log", .timeLimit(.minutes(5)))
struct AccessLogTests {
    @Test("the end of a connection is a line that says what it was")
    func fields() throws {
        let log = try AccessLogHarness()
        let server = try PlainServer()
        let acknowledgement = log.apply(to: [server.port])
        let began = realtimeNanoseconds()
        let client = try PlainClient(port: log.port)
        try client.send("hello")
        let backend = try server.accept()
        #expect(try backend.receive(exactly: 5) == Array("hello".utf8))
        try backend.send("good morning")
        #expect(try client.receive(exactly: 12).count == 12)
        let own = (client.localAddress, client.peerAddress)
        let connection = try #require(log.harness.engine.connections().first)
        client.close()
        _ = try backend.waitForEnd()
        let upstream = (backend.localAddress, backend.peerAddress)
        backend.close()

        let entry = try log.entry()
        #expect(entry.text(.event) == "close")
        #expect(entry.text(.connectionID) == String(connection.id, radix: 16))
        #expect(entry.number(.configGeneration) == Double(acknowledgement.generation))
        #expect(entry.text(.gateway) == "default/edge")
        #expect(entry.text(.listener) == "db")
        #expect(entry.text(.route) == "default/r")
        #expect(entry.text(.routeKind) == "TCPRoute")
        #expect(entry.text(.backend) == "Service default/a:80")
        #expect(entry.text(.upstreamHost) == upstream.0?.description)
        #expect(entry.text(.upstreamLocalAddress) == upstream.1?.description)
        #expect(entry.number(.upstreamAttempts) == 1)
        #expect(entry.text(.downstreamRemoteAddress) == own.0?.description)
        #expect(entry.text(.downstreamDirectRemoteAddress) == own.0?.description)
        #expect(entry.text(.downstreamLocalAddress) == own.1?.description)
        #expect(entry.number(.bytesReceived) == 5)
        #expect(entry.number(.bytesSent) == 12)
        #expect(entry.text(.closeReason) == "client_closed")
        #expect(entry.text(.closeSide) == "client")
        let duration = try #require(entry.number(.durationMilliseconds))
        let connect = try #require(entry.number(.connectMilliseconds))
        let firstByte = try #require(entry.number(.firstByteMilliseconds))
        #expect(connect >= 0 && firstByte > 0 && connect + firstByte <= duration)
        #expect(duration <= Double(realtimeNanoseconds() - began) / 1e6)
        try expectTime(entry.text(.startTime), from: began, to: realtimeNanoseconds())
        #expect(
            entry.names.isDisjoint(with: [
                "proxy_protocol_version", "requested_server_name", "alpn", "tls_version", "tls_cipher", "tls_resumed",
                "client_cert_subject", "client_cert_san", "client_cert_spki", "t_proxy_ms", "t_handshake_ms",
                "t_queue_ms", "close_detail", "authz_rule", "throttled_ms",
            ]))
        #expect(log.accessLog.dropped == 0)
        #expect(log.harness.total("sluice_access_log_dropped_total") == 0)
    }

    /// Whether a line's time lies between two; texts of one form sort as their times do.
    private func expectTime(_ text: String?, from began: Int64, to end: Int64) throws {
        let bounds = [began - 1_000_000, end + 1_000_000].map { time in
            var bytes: [UInt8] = []
            Timestamp.append(time, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        let text = try #require(text)
        #expect(bounds[0] <= text && text <= bounds[1], "\(bounds)")
    }

    @Test("a PROXY header's address is the client's, and the peer's stands beside it")
    func proxyProtocol() throws {
        let log = try AccessLogHarness()
        let echo = try EchoBackend("a")
        log.apply(to: [echo.port]) { listener, _ in
            listener.settings.proxyProtocol = ProxyProtocolReception(mode: .required)
        }
        let client = try PlainClient(port: log.port)
        try client.send(try ProxyBytes.header(.v2, from: ProxyBytes.source6))
        #expect(try client.receiveLine() == "a")
        client.close()
        let entry = try log.entry()
        #expect(entry.text(.downstreamRemoteAddress) == ProxyBytes.source6)
        #expect(entry.text(.downstreamDirectRemoteAddress) == client.localAddress?.description)
        #expect(entry.number(.proxyProtocolVersion) == 2)
        #expect(try #require(entry.number(.proxyMilliseconds)) >= 0)
        // A proxy's own connection that says nothing is nobody's.
        let check = try PlainClient(port: log.port)
        try check.send(try ProxyBytes.local())
        try check.halfClose()
        _ = try? check.waitForEnd()
        #expect(waitUntil { log.harness.engine.activeConnections == 0 })
        #expect(log.lines().count == 1)
    }

    @Test("what refuses a connection is told with its rule and policy, and not a second time by the process")
    func denied() throws {
        let log = try AccessLogHarness()
        let echo = try EchoBackend("a")
        log.apply(to: [echo.port]) { listener, _ in
            listener.limits = [
                limits(
                    "p", authorization: Authorization(rules: [deny("nobody", addresses("127.0.0.0/8"))]))
            ]
        }
        #expect(try ending(of: log.port) == .reset)
        let entry = try log.entry()
        #expect(entry.text(.closeReason) == "authz_denied")
        #expect(entry.text(.closeSide) == "proxy")
        #expect(entry.text(.authorizationRule) == "nobody")
        #expect(entry.text(.closeDetail) == "ClientPolicy default/p")
        #expect(entry.text(.route) == nil)
        #expect(entry.text(.gateway) == "default/edge")
        #expect(!log.log.entries.contains { $0.message == "connection refused" })
        // Where it has no line, the process tells of it as before.
        log.apply(to: [echo.port], settings: .none) { listener, _ in
            listener.limits = [limits("p", authorization: Authorization(rules: []))]
        }
        #expect(try ending(of: log.port) == .reset)
        #expect(log.log.waitForEntry { $0.text("close_reason") == "authz_denied" } != nil)
        #expect(log.lines().count == 1)
    }

    @Test("a backend that cannot be reached is told with the last attempt's error")
    func unreachable() throws {
        let log = try AccessLogHarness()
        log.apply(to: [try freePort()])
        #expect(try ending(of: log.port) == .reset)
        let entry = try log.entry()
        #expect(entry.text(.closeReason) == "connect_refused")
        #expect(entry.text(.closeSide) == "backend")
        #expect(entry.number(.upstreamAttempts) == 3)
        #expect(entry.text(.closeDetail) == "\(Errno(rawValue: 111))")
        #expect(entry.text(.upstreamLocalAddress) == nil)
        #expect(entry.number(.connectMilliseconds) == nil)
        // The failures of a backend are the operator's business: they stay in the process' log.
        #expect(log.log.entries.contains { $0.message == "connecting to the backend failed" })
        #expect(!log.log.entries.contains { $0.message == "connection refused" })
    }

    @Test("time that a bandwidth limit took is told")
    func throttled() throws {
        let log = try AccessLogHarness()
        let echo = try EchoBackend()
        log.apply(to: [echo.port]) { _, route in
            var limit = limits("b")
            limit.bandwidth = BandwidthLimit(request: .init(bytesPerSecond: 64 << 10, burst: 16 << 10))
            route.limits = [limit]
        }
        let client = try PlainClient(port: log.port)
        try client.exchange(testBytes(48 << 10, seed: 3))
        client.close()
        let throttled = try #require(try log.entry().number(.throttledMilliseconds))
        let counted = log.harness.metric("sluice_throttled_seconds_total", "direction=\"request\"") * 1000
        #expect(throttled > 100 && abs(throttled - counted) < 1, "\(throttled) \(counted)")
    }

    @Test("what is left when the engine ends is told before it has ended")
    func drain() throws {
        let log = try AccessLogHarness(workers: 2)
        let echo = try EchoBackend("a")
        log.apply(to: [echo.port])
        let clients = try (0..<5).map { _ in try PlainClient(port: log.port) }
        for client in clients { #expect(try client.receiveLine() == "a") }
        log.harness.engine.stop()
        let entries = try log.lines().map { try AccessFields($0) }
        #expect(entries.map { $0.text(.closeReason) } == Array(repeating: "drain", count: 5))
        withExtendedLifetime(clients) {}
    }
}
