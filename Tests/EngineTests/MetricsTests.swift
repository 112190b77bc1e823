import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Metrics", .timeLimit(.minutes(5)))
struct MetricsTests {
    private let harness: EngineHarness

    init() throws { harness = try EngineHarness() }

    private func scrape() throws -> [String: StrictPrometheusParser.Family] {
        var text = PrometheusText()
        harness.engine.writeMetrics(into: &text)
        #expect(text.duplicates == [])
        return try StrictPrometheusParser.parse(text.text)
    }

    /// Series whose labels hold all of these.
    private func series(_ labels: [String: String]) throws -> Set<String> {
        let samples = try scrape().values.flatMap(\.samples)
        return Set(samples.filter { sample in labels.allSatisfy { sample.labels[$0] == $1 } }.map(\.name))
    }

    /// Families by description: type, help, unit and labels are what is said of them.
    private func expectDescribed(_ families: [String: StrictPrometheusParser.Family]) {
        let described = Dictionary(uniqueKeysWithValues: MetricDescriptor.all.map { ($0.name, $0) })
        for family in families.values {
            guard let descriptor = described[family.name] else {
                Issue.record("\(family.name) is not described")
                continue
            }
            #expect(family.type == descriptor.kind.rawValue)
            #expect(family.unit == descriptor.unit)
            let allowed = descriptor.labelSets.map { Set($0) }
            for sample in family.samples {
                let labels = Set(sample.labels.keys).subtracting(sample.name.hasSuffix("_bucket") ? ["le"] : [])
                #expect(allowed.contains(labels), "\(sample.name) \(sample.labels)")
            }
        }
    }

    /// Whether a histogram counted one duration between two.
    private func expectOne(
        _ family: StrictPrometheusParser.Family?, between low: Duration, and high: Duration,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let family = try #require(family, sourceLocation: location)
        func seconds(_ duration: Duration) -> Double {
            Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        }
        func values(_ suffix: String) -> [StrictPrometheusParser.Sample] {
            family.samples.filter { $0.name == family.name + suffix }
        }
        let sum = try #require(values("_sum").first.flatMap { Double($0.value) }, sourceLocation: location)
        #expect(values("_count").map(\.value) == ["1"], sourceLocation: location)
        #expect(sum >= seconds(low) && sum <= seconds(high), sourceLocation: location)
        for bucket in values("_bucket") {
            let bound = bucket.labels["le"].flatMap { $0 == "+Inf" ? .infinity : Double($0) } ?? 0
            #expect(bucket.value == (sum <= bound ? "1" : "0"), "\(bound)", sourceLocation: location)
        }
    }

    @Test("what is counted while others scrape is exact once traffic rests")
    func exact() throws {
        let (server, echo) = (try PlainServer(), try EchoBackend("echo"))
        let ports = [try freePort(), try freePort(), try freePort()]
        harness.apply(
            [
                tcpListener("one", port: ports[0], route("one", to: "one")),
                tcpListener("many", port: ports[1], route("many", to: "many")),
                tcpListener("none", port: ports[2], nil),
            ], [backend("one", ports: [server.port]), backend("many", ports: [echo.port])])
        let stopped = Locked(false)
        let scraper = try BackgroundWork {
            var scrapes = 0
            while !stopped.withLock({ $0 }) {
                expectDescribed(try scrape())
                scrapes += 1
            }
            return scrapes
        }
        let (connects, bytes) = (40, 1000)
        let clients = try (0..<4).map { _ in
            try BackgroundWork {
                for _ in 0..<connects {
                    let client = try PlainClient(port: ports[1])
                    #expect(try client.receiveLine() == "echo")
                    try client.exchange(testBytes(bytes))
                    try client.halfClose()
                    #expect(try client.receiveAll().isEmpty)
                }
                return true
            }
        }
        for client in clients { #expect(try client.value()) }
        for _ in 0..<3 { #expect(try ending(of: ports[2]) == .reset) }
        try one(server, port: ports[0])
        stopped.withLock { $0 = true }
        #expect(try scraper.value() > 0)

        let total = Double(4 * connects)
        #expect(waitUntil { harness.closed(.clientClosed) == total })
        #expect(waitUntil { harness.closed(.backendClosed) == 1 })
        let many = "route=\"many\""
        #expect(harness.metric("sluice_listener_connections_accepted_total", "listener=\"many\"") == total)
        #expect(harness.metric("sluice_listener_connections_accepted_total", "listener=\"none\"") == 3)
        #expect(harness.metric("sluice_listener_connections_rejected_total") == 3)
        #expect(harness.rejected(.noRoute) == 3)
        #expect(harness.metric("sluice_tcp_connections_opened_total", many) == total)
        #expect(harness.metric("sluice_tcp_connections_closed_total", many) == total)
        #expect(harness.metric("sluice_tcp_connections_active") == 0)
        #expect(harness.metric("sluice_tcp_bytes_total", many, "request") == total * Double(bytes))
        #expect(harness.metric("sluice_tcp_bytes_total", many, "response") == total * Double(bytes + 5))
        #expect(harness.metric("sluice_backend_connects_total", "backend=\"many\"", "result=\"ok\"") == total)
        for histogram in ["connection_duration", "setup_duration", "first_response_byte"] {
            #expect(harness.metric("sluice_tcp_\(histogram)_seconds_count", many) == total)
            #expect(harness.metric("sluice_tcp_\(histogram)_seconds_bucket", many, "le=\"+Inf\"") == total)
        }
        #expect(harness.metric("sluice_backend_connect_duration_seconds_count", "backend=\"many\"") == total)
    }

    /// One connection, whose times the test knows from outside.
    private func one(_ server: PlainServer, port: UInt16) throws {
        let start = MonotonicTime.now()
        let client = try PlainClient(port: port)
        let peer = try server.accept()
        let accepted = MonotonicTime.now()
        try client.send("ask")
        #expect(try peer.receive(exactly: 3) == Array("ask".utf8))
        // Not before the next bucket.
        #expect(waitUntil { .now() - accepted > .milliseconds(60) })
        try peer.send("answer")
        #expect(try client.receive(exactly: 6) == Array("answer".utf8))
        let answered = MonotonicTime.now()
        try peer.halfClose()
        #expect(try client.receiveAll().isEmpty)
        client.close()
        #expect(waitUntil { harness.metric("sluice_tcp_connections_closed_total", "route=\"one\"") == 1 })
        let end = MonotonicTime.now()
        let families = try scrape().mapValues { family in
            var own = family
            own.samples = own.samples.filter { $0.labels["route"] == "one" || $0.labels["backend"] == "one" }
            return own
        }
        try expectOne(
            families["sluice_tcp_connection_duration_seconds"], between: .milliseconds(60), and: end - start)
        try expectOne(families["sluice_tcp_setup_duration_seconds"], between: .zero, and: end - start)
        try expectOne(
            families["sluice_tcp_first_response_byte_seconds"], between: .milliseconds(60), and: answered - start)
        try expectOne(families["sluice_backend_connect_duration_seconds"], between: .zero, and: end - start)
    }

    @Test("a route without a connection yet has its info and its gauge alone; all of it vanishes with the route")
    func idleRoutes() throws {
        let echo = try EchoBackend("a")
        let port = try freePort()
        let backends = [backend("a", ports: [echo.port])]
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], backends)
        #expect(try series(["route": "r"]) == ["sluice_route_info", "sluice_tcp_connections_active"])
        #expect(
            try series(["listener": "t"]).subtracting(series(["route": "r"])) == [
                "sluice_listener_connections_accepted_total", "sluice_listener_connections_active",
                "sluice_listener_handshaking_connections", "sluice_listener_ready",
            ])
        #expect(
            try series(["backend": "a"]) == ["sluice_backend_connections_active", "sluice_backend_endpoints"])
        let client = try openClient(port)
        #expect(try series(["route": "r"]).count > 4)
        harness.apply([tcpListener("t", port: port, nil)], [])
        try client.exchange("goes on")
        #expect(try series(["route": "r"]).contains("sluice_tcp_connections_opened_total"))
        #expect(try series(["backend": "a"]).contains("sluice_backend_connects_total"))
        try client.halfClose()
        #expect(try client.receiveAll().isEmpty)
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(try waitUntil { try series(["route": "r"]).isEmpty && series(["backend": "a"]).isEmpty })
        #expect(try series(["listener": "t"]).contains("sluice_listener_connections_accepted_total"))
        harness.apply([], [])
        #expect(try waitUntil { try series(["listener": "t"]).isEmpty })
    }

    @Test("no label value is a client's: neither its address, nor its port, nor the name that it asks for")
    func cardinality() throws {
        let authority = try TestPKI.makeCA()
        let certificate = try authority.issue(dnsNames: ["*.a.test"])
        let echo = try EchoBackend("a")
        let (plain, tls) = (try freePort(), try freePort())
        harness.apply(
            [
                tcpListener("plain", port: plain, route("r", to: "a")),
                tlsListener(
                    "tls", port: tls, mode: try terminate(certificate), routes: [("*.a.test", route("s", to: "a"))]),
            ], [backend("a", ports: [echo.port])])
        func labels() throws -> Set<String> {
            Set(try scrape().values.flatMap(\.samples).flatMap { $0.labels.filter { $0.key != "le" }.values })
        }
        func visit(_ number: Int) throws {
            let client = try PlainClient(from: host(UInt8(number)), port: plain)
            #expect(try client.receiveLine() == "a")
            client.close()
            let names = ["x\(number).a.test", "y\(number).b.test"]
            for name in names { _ = try? shakeHands(tls, TLSClientOptions(serverName: name, trust: authority.pem)) }
        }
        func visited(_ count: Double) -> Bool {
            harness.metric("sluice_tcp_connections_closed_total") == 2 * count
                && harness.rejected(.tlsNoSNIMatch) == count && harness.engine.activeConnections == 0
        }
        try visit(1)
        #expect(waitUntil { visited(1) })
        let before = try labels()
        for number in 2...20 { try visit(number) }
        #expect(waitUntil { visited(20) })
        let after = try labels()
        // Ends may differ by who was first; they are words of ours.
        let ends = CloseReason.allCases.map(\.rawValue) + CloseSide.allCases.map(\.rawValue)
        #expect(after.subtracting(before).subtracting(ends) == [])
        #expect(after.filter { $0.contains("127.0.") || $0.contains(".test") } == [])
        expectDescribed(try scrape())
    }

    @Test("endpoints that are the backend's no more, and have connections, are draining")
    func draining() throws {
        let (echo, other) = (try EchoBackend("a"), try EchoBackend("b"))
        let port = try freePort()
        func apply(_ ports: [UInt16]) {
            harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend("a", ports: ports)])
        }
        func endpoints(_ state: String) -> Double { harness.metric("sluice_backend_endpoints", "state=\"\(state)\"") }
        apply([echo.port])
        #expect(endpoints("unchecked") == 1)
        let client = try openClient(port)
        apply([other.port])
        #expect([endpoints("unchecked"), endpoints("draining")] == [1, 1])
        apply([])
        #expect(try scrape()["sluice_backend_endpoints"]?.samples.count == 2)
        #expect([endpoints("unchecked"), endpoints("draining")] == [0, 1])
        apply([echo.port])
        #expect([endpoints("unchecked"), endpoints("draining")] == [1, 0])
        apply([other.port])
        client.close()
        #expect(waitUntil { endpoints("draining") == 0 })
        #expect(endpoints("unchecked") == 1)
    }
}
