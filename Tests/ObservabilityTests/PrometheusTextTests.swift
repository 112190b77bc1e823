@testable import Observability
import Platform
import TestSupport
import Testing

@Suite("Prometheus text", .timeLimit(.minutes(1)))
struct PrometheusTextTests {
    @Test("a family is its HELP, its TYPE and its series")
    func family() {
        var text = PrometheusText()
        let labels = LabelSet(["gateway": "edge", "listener": "db"])
        text.family(MetricDescriptor("sluice_x_total", .counter, help: "Back\\slash and\nline.")) { family in
            family.sample(labels, LabelSet(["direction": "request"]), 18_446_744_073_709_551_615)
            family.sample(labels.adding("direction", "response"), 0)
            family.sample(.empty, 7)
        }
        #expect(
            text.text == #"""
                # HELP sluice_x_total Back\\slash and\nline.
                # TYPE sluice_x_total counter
                sluice_x_total{gateway="edge",listener="db",direction="request"} 18446744073709551615
                sluice_x_total{gateway="edge",listener="db",direction="response"} 0
                sluice_x_total 7

                """#)
    }

    @Test(
        "label values are escaped and read back", arguments: ["", "a\"b", "a\\b", "a\nb", #"\n"#, "Zürich {x=\"1\"}"])
    func escaping(value: String) throws {
        var text = PrometheusText()
        text.family(MetricDescriptor("m", .gauge, help: "h")) { $0.sample(LabelSet(["v": value]), 1) }
        let family = try #require(try StrictPrometheusParser.parse(text.text)["m"])
        #expect(family.samples.map(\.labels) == [["v": value]])
    }

    @Test(
        "doubles are whole, shortest, or named",
        arguments: [
            (0.0, "0"), (1.0, "1"), (-3.0, "-3"), (0.1, "0.1"), (1e15, "1000000000000000"), (1e-7, "1e-07"),
            (1e300, "1e+300"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1_767_323_045.67, "1767323045.67"),
            (-0.5, "-0.5"),
        ] as [(Double, String)])
    func doubles(value: Double, expected: String) {
        var bytes: [UInt8] = []
        PrometheusNumber.append(value, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("integers keep every digit", arguments: [0, 9, 10, 99, 100, 1_000_000, UInt64.max - 1, UInt64.max])
    func integers(value: UInt64) {
        var bytes: [UInt8] = []
        PrometheusNumber.append(value, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\(value)")
    }

    @Test(
        "nanoseconds are exact seconds",
        arguments: [
            (0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (90_000_000_010, "90.00000001"),
        ] as [(UInt64, String)])
    func nanoseconds(value: UInt64, expected: String) {
        var bytes: [UInt8] = []
        PrometheusNumber.append(nanoseconds: value, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }

    @Test("a histogram accumulates its buckets, and each duration falls in the first bucket that holds it")
    func histogram() throws {
        var histogram = DurationHistogram()
        for duration: Duration in [
            .zero, .microseconds(500), .nanoseconds(500_001), .milliseconds(100), .seconds(10), .seconds(11),
            .seconds(-1),
        ] { histogram.record(duration) }
        var text = PrometheusText()
        let labels = LabelSet(["backend": "b"])
        text.family(MetricDescriptor("sluice_h_seconds", .histogram, help: "h")) { $0.histogram(labels, histogram) }
        let family = try #require(try StrictPrometheusParser.parse(text.text)["sluice_h_seconds"])
        func bucket(_ bound: String) -> String? { family.value(["backend": "b", "le": bound], suffix: "_bucket") }
        #expect(
            ["0.0005", "0.001", "0.05", "0.1", "5", "10", "+Inf"].map(bucket) == ["3", "4", "4", "5", nil, "6", "7"])
        #expect(family.value(["backend": "b"], suffix: "_sum") == "21.101000001")
        #expect(family.value(["backend": "b"], suffix: "_count") == "7")
        #expect(family.samples.count == 16)
    }

    @Test("the bounds are those that the documentation names")
    func bounds() {
        #expect(
            HistogramBounds.latency.upper == [
                0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
            ])
        #expect(HistogramBounds.connectionDuration.upper == [0.01, 0.1, 1, 5, 30, 60, 300, 1800, 3600, 14_400, 86_400])
        #expect(HistogramBounds.latency.bucket(ofNanoseconds: .max) == HistogramBounds.latency.bucketCount - 1)
        #expect(HistogramBounds.latency.upperNanoseconds.first == 500_000)
    }

    @Test("a family that is written twice is left out the second time and reported; an empty one leaves nothing")
    func duplicates() throws {
        var text = PrometheusText()
        text.single(MetricDescriptor("a", .gauge, help: "h"), 1)
        text.family(MetricDescriptor("empty", .gauge, help: "h")) { _ in }
        text.single(MetricDescriptor("a", .gauge, help: "h"), 2)
        text.single(MetricDescriptor("b", .gauge, help: "h"), double: 0.25)
        #expect(text.duplicates == ["a"])
        let families = try StrictPrometheusParser.parse(text.text)
        #expect(families.keys.sorted() == ["a", "b"])
        #expect(families["a"]?.value() == "1")
        #expect(families["b"]?.value() == "0.25")
    }

    @Test("the process tells its own figures")
    func process() throws {
        var text = PrometheusText()
        ProcessMetrics.append(to: &text)
        let families = try StrictPrometheusParser.parse(text.text)
        func number(_ name: String) throws -> Double { try #require(Double(families[name]?.value() ?? "")) }
        #expect(try number("process_open_fds") >= 3)
        #expect(try number("process_max_fds") >= number("process_open_fds"))
        #expect(try number("process_resident_memory_bytes") > 1_048_576)
        #expect(try number("process_virtual_memory_bytes") >= number("process_resident_memory_bytes"))
        #expect(try number("process_threads") >= 1)
        #expect(try number("process_cpu_seconds_total") > 0)
        let now = Double(realtimeNanoseconds()) / 1e9
        let start = try number("process_start_time_seconds")
        #expect(start > now - 3600 && start < now + 2)
    }
}
