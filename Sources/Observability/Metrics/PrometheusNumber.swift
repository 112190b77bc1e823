/// Numbers as Prometheus text has them.
enum PrometheusNumber {
    /// Every digit, without an exponent.
    static func append(_ value: UInt64, to output: inout [UInt8]) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    static func append(_ value: Int64, to output: inout [UInt8]) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &output)
    }

    /// The shortest form that reads back as the same value; whole numbers below 2^53 without a fraction or an exponent.
    static func append(_ value: Double, to output: inout [UInt8]) {
        if value.isNaN {
            output.append(contentsOf: "NaN".utf8)
        } else if value.isInfinite {
            output.append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8)
        } else if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 {
            append(whole, to: &output)
        } else {
            output.append(contentsOf: value.description.utf8)
        }
    }

    /// Seconds, exact to the nanosecond, without an exponent.
    static func append(nanoseconds: UInt64, to output: inout [UInt8]) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        append(seconds, to: &output)
        guard rest > 0 else { return }
        output.append(UInt8(ascii: "."))
        var divisor: UInt64 = 100_000_000
        var left = rest
        while left > 0 {
            output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: left / divisor))
            left %= divisor
            divisor /= 10
        }
    }
}
