/// Metrics in Prometheus' text format 0.0.4. Appended to family by family: each is written once, all its series together.
public struct PrometheusText: Sendable {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// UTF-8.
    public private(set) var bytes: [UInt8] = []
    /// Families that were written a second time and left out then: a mistake of the caller's that a test should see.
    public private(set) var duplicates: [String] = []
    private var written: Set<String> = []

    public init(reservingBytes capacity: Int = 16 << 10) { bytes.reserveCapacity(capacity) }

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Writes one family: its HELP, TYPE and UNIT, then the series that `body` adds; nothing where it adds none.
    public mutating func family(_ descriptor: MetricDescriptor, _ body: (inout MetricFamily) -> Void) {
        guard written.insert(descriptor.name).inserted else {
            duplicates.append(descriptor.name)
            return
        }
        let start = bytes.count
        appendHead(descriptor)
        let afterHead = bytes.count
        var family = MetricFamily(name: Array(descriptor.name.utf8), output: bytes)
        bytes = []  // the family is the only owner while it writes, so that nothing is copied
        body(&family)
        bytes = family.takeOutput()
        if bytes.count == afterHead { bytes.removeSubrange(start...) }
    }

    /// A family with one series without labels.
    public mutating func single(_ descriptor: MetricDescriptor, _ value: UInt64) {
        family(descriptor) { $0.sample(.empty, value) }
    }

    /// A family with one series without labels.
    public mutating func single(_ descriptor: MetricDescriptor, double value: Double) {
        family(descriptor) { $0.sample(.empty, double: value) }
    }

    private mutating func appendHead(_ descriptor: MetricDescriptor) {
        appendComment("HELP", descriptor) { bytes in
            for byte in descriptor.help.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
                case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
                default: bytes.append(byte)
                }
            }
        }
        appendComment("TYPE", descriptor) { $0.append(contentsOf: descriptor.kind.rawValue.utf8) }
        // OpenMetrics' own; a comment to whoever reads the older format.
        if let unit = descriptor.unit { appendComment("UNIT", descriptor) { $0.append(contentsOf: unit.utf8) } }
    }

    private mutating func appendComment(
        _ word: StaticString, _ descriptor: MetricDescriptor, _ rest: (inout [UInt8]) -> Void
    ) {
        bytes.append(contentsOf: "# ".utf8)
        word.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: descriptor.name.utf8)
        bytes.append(UInt8(ascii: " "))
        rest(&bytes)
        bytes.append(UInt8(ascii: "\n"))
    }
}

/// The series of one family. Lent by ``PrometheusText/family(_:_:)``.
public struct MetricFamily: ~Copyable {
    private let name: [UInt8]
    private var output: [UInt8]

    init(name: [UInt8], output: consuming [UInt8]) { (self.name, self.output) = (name, output) }

    consuming func takeOutput() -> [UInt8] { output }

    /// A counter or a gauge.
    public mutating func sample(_ labels: LabelSet, _ value: UInt64) { sample(labels, .empty, value) }

    /// A counter or a gauge. `more`: labels after the first ones, the part that varies among the series of one object.
    public mutating func sample(_ labels: LabelSet, _ more: LabelSet, _ value: UInt64) {
        begin("", labels, more)
        PrometheusNumber.append(value, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    public mutating func sample(_ labels: LabelSet, double value: Double) {
        begin("", labels, .empty)
        PrometheusNumber.append(value, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    public mutating func sample(_ labels: LabelSet, _ value: Bool) { sample(labels, value ? 1 : 0) }

    /// Nanoseconds, written as seconds.
    public mutating func sample(_ labels: LabelSet, _ more: LabelSet = .empty, nanoseconds value: UInt64) {
        begin("", labels, more)
        PrometheusNumber.append(nanoseconds: value, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    /// A histogram in seconds. `counts`: per bucket of `bounds`, not accumulated, the one without a bound last.
    public mutating func histogram(
        _ labels: LabelSet, _ bounds: HistogramBounds, counts: some Sequence<UInt64>, sumNanoseconds: UInt64
    ) {
        var total: UInt64 = 0
        var next = counts.makeIterator()
        for bound in bounds.labels {
            total &+= next.next() ?? 0
            begin("_bucket", labels, bound)
            PrometheusNumber.append(total, to: &output)
            output.append(UInt8(ascii: "\n"))
        }
        assert(next.next() == nil, "one count per bucket")
        begin("_sum", labels, .empty)
        PrometheusNumber.append(nanoseconds: sumNanoseconds, to: &output)
        output.append(UInt8(ascii: "\n"))
        begin("_count", labels, .empty)
        PrometheusNumber.append(total, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    public mutating func histogram(_ labels: LabelSet, _ value: DurationHistogram) {
        histogram(labels, value.bounds, counts: value.counts, sumNanoseconds: value.sumNanoseconds)
    }

    private mutating func begin(_ suffix: StaticString, _ labels: LabelSet, _ more: LabelSet) {
        begin(suffix, labels, more.rendered)
    }

    private mutating func begin(_ suffix: StaticString, _ labels: LabelSet, _ more: [UInt8]) {
        output.append(contentsOf: name)
        suffix.withUTF8Buffer { output.append(contentsOf: $0) }
        if !labels.rendered.isEmpty || !more.isEmpty {
            output.append(UInt8(ascii: "{"))
            output.append(contentsOf: labels.rendered)
            if !labels.rendered.isEmpty, !more.isEmpty { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: more)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: " "))
    }
}
