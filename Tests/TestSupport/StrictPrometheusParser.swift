/// A parser of the text format 0.0.4 that takes nothing that the format's description or promtool objects to.
public struct StrictPrometheusParser {
    public struct Problem: Error, Hashable {
        public var line: Int
        public var what: String
    }

    public struct Sample: Hashable, Sendable {
        /// That of the family, with the suffix of a histogram's.
        public var name: String
        public var labels: [String: String]
        public var value: String
    }

    public struct Family: Hashable, Sendable {
        public var name: String
        public var help: String
        public var type: String
        /// `seconds` or `bytes`; nil: not said.
        public var unit: String?
        public var samples: [Sample] = []

        /// Of the series with exactly these labels; nil: there is none.
        public func value(_ labels: [String: String] = [:], suffix: String = "") -> String? {
            samples.first { $0.name == name + suffix && $0.labels == labels }?.value
        }
    }

    private var families: [Family] = []
    private var seen: Set<Sample> = []
    private var number = 0

    /// Families by name. Throws a ``Problem`` with the first line that is wrong.
    public static func parse(_ text: String) throws -> [String: Family] {
        var parser = StrictPrometheusParser()
        guard text.isEmpty || text.hasSuffix("\n") else { throw Problem(line: 0, what: "no newline at the end") }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            parser.number += 1
            try parser.take(String(line))
        }
        for family in parser.families { try parser.checkWhole(family) }
        return Dictionary(uniqueKeysWithValues: parser.families.map { ($0.name, $0) })
    }

    private func fail(_ what: String) -> Problem { Problem(line: number, what: what) }

    private mutating func take(_ line: String) throws {
        if line.hasPrefix("# HELP ") {
            let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { throw fail("HELP without a text") }
            let name = String(parts[0])
            guard !families.contains(where: { $0.name == name }) else { throw fail("\(name): a second HELP") }
            families.append(Family(name: name, help: String(parts[1]), type: ""))
        } else if line.hasPrefix("# TYPE ") {
            let parts = line.dropFirst(7).split(separator: " ")
            guard parts.count == 2, let last = families.indices.last, families[last].name == parts[0],
                families[last].type.isEmpty, ["counter", "gauge", "histogram"].contains(parts[1])
            else { throw fail("TYPE out of place or unknown") }
            guard parts[1] != "counter" || parts[0].hasSuffix("_total") else { throw fail("counter without _total") }
            families[last].type = String(parts[1])
        } else if line.hasPrefix("# UNIT ") {
            let parts = line.dropFirst(7).split(separator: " ")
            guard parts.count == 2, let last = families.indices.last, families[last].name == parts[0],
                !families[last].type.isEmpty, families[last].samples.isEmpty, families[last].unit == nil
            else { throw fail("UNIT out of place") }
            families[last].unit = String(parts[1])
        } else {
            try takeSample(line)
        }
    }

    private mutating func takeSample(_ line: String) throws {
        let sample = try parseSample(line)
        guard let last = families.indices.last, !families[last].type.isEmpty else { throw fail("no family") }
        let name = families[last].name
        let allowed = families[last].type == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
        guard allowed.contains(sample.name) else { throw fail("\(sample.name) outside of its family") }
        let key = Sample(name: sample.name, labels: sample.labels, value: "")
        guard seen.insert(key).inserted else { throw fail("\(sample.name): the same series twice") }
        families[last].samples.append(sample)
    }

    private func parseSample(_ line: String) throws -> Sample {
        var rest = Substring(line)
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
        guard let first = name.first, !first.isNumber else { throw fail("bad name") }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            while true {
                let (label, value) = try parseLabel(&rest)
                guard labels.updateValue(value, forKey: label) == nil else { throw fail("label \(label) twice") }
                let separator = rest.popFirst()
                if separator == "}" { break }
                guard separator == "," else { throw fail("labels without a comma") }
            }
        }
        guard rest.popFirst() == " " else { throw fail("no space before the value") }
        guard ["+Inf", "-Inf", "NaN"].contains(rest) || Double(rest) != nil, !rest.contains(" ") else {
            throw fail("bad value \(rest)")
        }
        return Sample(name: String(name), labels: labels, value: String(rest))
    }

    private func parseLabel(_ rest: inout Substring) throws -> (String, String) {
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard let first = name.first, !first.isNumber, !name.hasPrefix("__") else { throw fail("bad label name") }
        rest = rest.dropFirst(name.count)
        guard rest.popFirst() == "=", rest.popFirst() == "\"" else { throw fail("label without a value") }
        var value = ""
        while let character = rest.popFirst() {
            if character == "\"" { return (String(name), value) }
            guard character == "\\" else {
                value.append(character)
                continue
            }
            switch rest.popFirst() {
            case "\\": value.append("\\")
            case "\"": value.append("\"")
            case "n": value.append("\n")
            default: throw fail("bad escape")
            }
        }
        throw fail("label value without an end")
    }

    /// Histograms: buckets ascend, counts do not fall, `+Inf` is there and equals the count.
    private func checkWhole(_ family: Family) throws {
        guard !family.samples.isEmpty else { throw fail("\(family.name): no series") }
        guard family.type == "histogram" else { return }
        let buckets = Dictionary(grouping: family.samples.filter { $0.name.hasSuffix("_bucket") }) { sample in
            sample.labels.filter { $0.key != "le" }
        }
        for (labels, samples) in buckets {
            let bounds = samples.compactMap { $0.labels["le"] }.compactMap { $0 == "+Inf" ? .infinity : Double($0) }
            let counts = samples.compactMap { UInt64($0.value) }
            guard bounds.count == samples.count, bounds.last == .infinity,
                zip(bounds, bounds.dropFirst()).allSatisfy(<),
                counts.count == samples.count, zip(counts, counts.dropFirst()).allSatisfy(<=),
                family.value(labels, suffix: "_count") == samples.last?.value,
                family.value(labels, suffix: "_sum") != nil
            else { throw fail("\(family.name): not a histogram") }
        }
    }
}
