import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Metrics of endpoints", .timeLimit(.minutes(5)))
struct EndpointMetricsTests {
    private let harness: EngineHarness
    private let ports: [UInt16]

    init() throws {
        harness = try EngineHarness()
        ports = [try freePort(), try freePort()]
    }

    private func apply(_ endpoints: [UInt16], wanted: [Bool], retries: Int = 0) {
        var backend = backend("a", ports: endpoints)
        backend.settings.retries = retries
        let listeners = zip(ports, wanted).enumerated().map { index, place in
            var listener = tcpListener("l\(index)", port: place.0, route("r\(index)", to: "a"))
            listener.settings.hasEndpointMetrics = place.1
            return listener
        }
        harness.apply(listeners, [backend])
    }

    private func families() throws -> [String: StrictPrometheusParser.Family] {
        var text = PrometheusText()
        harness.engine.writeMetrics(into: &text)
        return try StrictPrometheusParser.parse(text.text).filter { $0.key.hasPrefix("sluice_endpoint_") }
    }

    private func value(_ name: String, _ port: UInt16, _ more: [String: String] = [:]) throws -> String? {
        let labels = [
            "backend_kind": "Service", "backend_namespace": "default", "backend": "a", "backend_port": "80",
            "endpoint": "127.0.0.1:\(port)",
        ]
        return try families()["sluice_endpoint_\(name)"]?.value(labels.merging(more) { $1 })
    }

    @Test("there are none unless a listener that leads there wants them; then what happens from there on is counted")
    func optIn() throws {
        let echo = try EchoBackend("a")
        apply([echo.port], wanted: [false, false])
        let first = try openClient(ports[0])
        try first.exchange("before")
        #expect(try families().isEmpty)
        apply([echo.port], wanted: [false, true])
        #expect(try value("up", echo.port) == "1")
        #expect(try value("connections_active", echo.port) == "1")
        #expect(try families()["sluice_endpoint_connects_total"] == nil)
        // A session's bytes are added when it ends.
        #expect(try families()["sluice_endpoint_bytes_total"] == nil)
        try first.halfClose()
        #expect(try first.receiveAll().isEmpty)
        #expect(try waitUntil { try value("connections_active", echo.port) == "0" })
        let second = try openClient(ports[1])
        try second.exchange(testBytes(1000))
        try second.halfClose()
        #expect(try second.receiveAll().isEmpty)
        #expect(
            try waitUntil { try value("bytes_total", echo.port, ["direction": "request"]) == "\(6 + 1000)" })
        #expect(try value("bytes_total", echo.port, ["direction": "response"]) == "\(6 + 1000 + 2 * 2)")
        #expect(try value("connects_total", echo.port, ["result": "ok"]) == "1")
        #expect(try families()["sluice_endpoint_connects_total"]?.samples.count == 1)
        for direction in ["request", "response"] {
            let all = harness.metric("sluice_tcp_bytes_total", direction)
            #expect(try value("bytes_total", echo.port, ["direction": direction]).flatMap { Double($0) } == all)
        }
        apply([echo.port], wanted: [false, false])
        #expect(try families().isEmpty)
    }

    @Test("failed attempts are the endpoint's that failed; one that is removed is down, and goes with its last session")
    func failures() throws {
        let echo = try EchoBackend("a")
        let nobody = try freePort()
        apply([nobody, echo.port].sorted(), wanted: [true, true], retries: 2)
        let clients = try (0..<4).map { _ in try openClient(ports[0]) }
        #expect(try value("connects_total", echo.port, ["result": "ok"]) == "4")
        #expect(try value("connects_total", echo.port, ["result": "refused"]) == nil)
        let refused = try #require(value("connects_total", nobody, ["result": "refused"]).flatMap { Double($0) })
        #expect(refused == harness.metric("sluice_backend_connects_total", "result=\"refused\""))
        #expect(refused > 0)
        apply([nobody], wanted: [true, true])
        #expect(try [value("up", echo.port), value("connections_active", echo.port)] == ["0", "4"])
        #expect(try value("up", nobody) == "1")
        for client in clients { client.close() }
        #expect(try waitUntil { try value("up", echo.port) == nil })
        #expect(try families()["sluice_endpoint_up"]?.samples.count == 1)
    }
}
