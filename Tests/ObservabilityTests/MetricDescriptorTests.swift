import FoundationEssentials
import Observability
import TestSupport
import Testing

@Suite("Descriptions of metrics")
struct MetricDescriptorTests {
    private let all = MetricDescriptor.all

    @Test("each metric is described once, under a name and with labels of the form that Prometheus asks for")
    func names() {
        #expect(Set(all.map(\.name)).count == all.count)
        let letters = Set("abcdefghijklmnopqrstuvwxyz_")
        for metric in all {
            #expect(metric.name.hasPrefix("sluice_") || metric.name.hasPrefix("process_"), "\(metric.name)")
            #expect(letters.isSuperset(of: metric.name), "\(metric.name)")
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            if metric.kind == .histogram { #expect(metric.unit == "seconds", "\(metric.name)") }
            for labels in metric.labelSets {
                #expect(Set(labels).count == labels.count && !labels.contains("le"), "\(metric.name)")
                #expect(labels.allSatisfy { letters.isSuperset(of: $0) }, "\(metric.name)")
            }
            #expect(metric.help.hasSuffix(".") && !metric.help.contains("\n"), "\(metric.name)")
        }
    }

    @Test("units are those of the name")
    func units() {
        let units = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.unit) })
        #expect(units["sluice_tcp_bytes_total"] == "bytes")
        #expect(units["sluice_throttled_seconds_total"] == "seconds")
        #expect(units["sluice_tcp_setup_duration_seconds"] == "seconds")
        #expect(units["sluice_config_last_reload_success_timestamp_seconds"] == "seconds")
        #expect(units["sluice_tcp_connections_active"] == .some(nil))
    }

    @Test("the page has a row for each, with its type, labels, unit and text, and no other")
    func page() throws {
        let path = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        let page = try String(contentsOfFile: path + "/docs/reference/metrics.md", encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `sluice_") || $0.hasPrefix("| `process_") }
        #expect(rows.count == all.count)
        for metric in all {
            let scope =
                switch metric.scope {
                case .none: [String]()
                case .listener: ["**L**"]
                case .route: ["**R**"]
                case .listenerOrRoute: ["**L** or **R**"]
                case .backend: ["**B**"]
                }
            let labels = (scope + metric.labels.map { "`\($0)`" }).joined(separator: ", ")
            let text = metric.page ?? metric.help.prefix(1).lowercased() + metric.help.dropFirst().dropLast()
            let cells = ["`\(metric.name)`", metric.kind.rawValue, labels, metric.unit ?? "", text]
            let row = "|" + cells.map { $0.isEmpty ? " |" : " \($0) |" }.joined()
            #expect(rows.contains(Substring(row)), "missing, as scripts/reference writes it: \(row)")
        }
    }

    @Test("HELP, TYPE and UNIT are as described, and a label set may be that of a listener or of a route")
    func exposition() throws {
        var text = PrometheusText()
        text.family(.bytes) { $0.sample(LabelSet(["direction": "request"]), 1) }
        text.family(.active) { $0.sample(.empty, 1) }
        let families = try StrictPrometheusParser.parse(text.text)
        #expect(families["sluice_tcp_bytes_total"]?.help == MetricDescriptor.bytes.help)
        #expect(families["sluice_tcp_bytes_total"]?.type == "counter")
        #expect(families["sluice_tcp_bytes_total"]?.unit == "bytes")
        #expect(families["sluice_tcp_connections_active"]?.unit == nil)
        #expect(MetricDescriptor.limitHits.labelSets.map(\.count) == [5, 8])
    }
}
