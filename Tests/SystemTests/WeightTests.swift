internal import TestSupport
internal import Testing

extension Process {
    @Suite("weights", .timeLimit(.minutes(1)))
    struct WeightTests {
        @Test(
            "each backend gets its share within 2, whatever worker accepts; the share of one that is absent is refused")
        func shares() throws {
            let (one, two) = (try EchoBackend("one"), try EchoBackend("two"))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "p", port: port)]),
                Manifest.tcpRoute("r", weights: [("one", 5), ("two", 3), ("absent", 2), ("none", 0)], section: "p"),
                Manifest.service("one", at: one.port), Manifest.service("two", at: two.port),
                Manifest.service("none", at: one.port), flags: ["--workers", "4"])
            var counts = ["one": 0, "two": 0, "refused": 0]
            for _ in 0..<200 {
                let name = (try? Greeting.receive(from: try PlainClient(port: port)).backend) ?? "refused"
                counts[name, default: 0] += 1
            }
            for (name, share) in [("one", 100), ("two", 60), ("refused", 40)] {
                #expect(abs((counts[name] ?? 0) - share) <= 2, "\(name): \(counts)")
            }
            try sluice.waitForMetrics("the refused share, by its reason") {
                $0.sum("sluice_tcp_connections_closed_total", ["route": "r", "reason": "invalid_backend"])
                    == Double(counts["refused"] ?? 0)
            }
            #expect(try sluice.metrics().value("sluice_backend_connects_total", ["backend": "none"]) == nil)
            #expect(sluice.logLine(["TCPRoute default/r", "BackendNotFound", "absent"]) != nil)
            try sluice.stop()
        }
    }
}
