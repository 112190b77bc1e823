internal import TestSupport

/// One scrape of /metrics.
struct Metrics: Sendable {
    struct Sample: Sendable {
        let name: String
        let labels: [String: String]
        let value: Double
    }
    let samples: [Sample]

    init(_ text: String) throws {
        samples = try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(Metrics.sample)
    }

    /// The sum over the samples of that name whose labels include these.
    func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
        samples.filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }.reduce(0) { $0 + $1.value }
    }

    /// As ``sum(_:_:)``, and nil where there is no such sample.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.contains { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        } ? sum(name, labels) : nil
    }

    private static func sample(_ line: Substring) throws -> Sample {
        var rest = line
        let name = rest.prefix { $0 != "{" && $0 != " " }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest.removeFirst()
            while rest.first != "}" {
                guard let equals = rest.firstIndex(of: "=") else { throw TestFailure("no sample: \(line)") }
                let key = String(rest[..<equals])
                rest = rest[equals...].dropFirst(2)
                labels[key] = labelValue(&rest)
                if rest.first == "," { rest.removeFirst() }
            }
            rest.removeFirst()
        }
        guard let value = Double(rest.drop { $0 == " " }.prefix { $0 != " " }) else {
            throw TestFailure("no sample: \(line)")
        }
        return Sample(name: String(name), labels: labels, value: value)
    }

    private static func labelValue(_ rest: inout Substring) -> String {
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
            guard character == "\\", let escaped = rest.popFirst() else {
                value.append(character)
                continue
            }
            value.append(escaped == "n" ? "\n" : escaped)
        }
        return value
    }
}
