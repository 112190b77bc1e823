/// Upper bounds of a histogram's buckets, ascending; the bucket without a bound (`+Inf`) comes on top.
public struct HistogramBounds: Sendable {
    /// In the unit of the metric.
    public let upper: [Double]
    /// The same as whole nanoseconds, for histograms in seconds.
    public let upperNanoseconds: [UInt64]
    /// `le="0.5"` per bucket, `le="+Inf"` last.
    let labels: [[UInt8]]

    /// Bounds in seconds.
    public init(seconds upper: [Double]) {
        assert(zip(upper, upper.dropFirst()).allSatisfy(<), "bounds ascend")
        self.upper = upper
        upperNanoseconds = upper.map { UInt64(($0 * 1e9).rounded()) }
        labels = (upper + [.infinity]).map { bound in
            var rendered = Array("le=\"".utf8)
            PrometheusNumber.append(bound, to: &rendered)
            return rendered + [UInt8(ascii: "\"")]
        }
    }

    /// Buckets to count in, the one without a bound included.
    public var bucketCount: Int { upper.count + 1 }

    /// The bucket of a duration: the first whose bound is not below it.
    @inlinable
    public func bucket(ofNanoseconds value: UInt64) -> Int {
        var index = 0
        while index < upperNanoseconds.count, upperNanoseconds[index] < value { index += 1 }
        return index
    }

    /// How long connections live: 10 ms to a day.
    public static let connectionDuration = HistogramBounds(
        seconds: [0.01, 0.1, 1, 5, 30, 60, 300, 1800, 3600, 14_400, 86_400])

    /// How long it takes to connect, to set up, to answer, to shake hands or to apply: 0.5 ms to 10 s.
    public static let latency = HistogramBounds(
        seconds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10])
}

/// Durations counted in buckets: a plain value that belongs to one thread, or stands behind a lock.
public struct DurationHistogram: Sendable {
    public let bounds: HistogramBounds
    /// Per bucket, not accumulated.
    public private(set) var counts: [UInt64]
    public private(set) var sumNanoseconds: UInt64 = 0

    public init(_ bounds: HistogramBounds = .latency) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.bucketCount)
    }

    /// Negative durations count as 0.
    public mutating func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let whole = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let nanoseconds = whole.overflow ? .max : whole.partialValue &+ UInt64(clamping: attoseconds / 1_000_000_000)
        counts[bounds.bucket(ofNanoseconds: nanoseconds)] += 1
        sumNanoseconds &+= nanoseconds
    }
}
