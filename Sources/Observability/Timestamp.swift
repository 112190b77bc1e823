/// RFC 3339 in UTC with milliseconds.
public enum Timestamp {
    /// `nanoseconds` since 1970, as ``Platform/realtimeNanoseconds()`` gives them; years 0 to 9999.
    public static func append(_ nanoseconds: Int64, to output: inout [UInt8]) {
        let (seconds, fraction) = floorDivide(nanoseconds, 1_000_000_000)
        let (days, second) = floorDivide(seconds, 86_400)
        let (year, month, day) = civil(days)
        digits(year, 4, to: &output)
        output.append(UInt8(ascii: "-"))
        digits(month, 2, to: &output)
        output.append(UInt8(ascii: "-"))
        digits(day, 2, to: &output)
        output.append(UInt8(ascii: "T"))
        digits(second / 3600, 2, to: &output)
        output.append(UInt8(ascii: ":"))
        digits(second / 60 % 60, 2, to: &output)
        output.append(UInt8(ascii: ":"))
        digits(second % 60, 2, to: &output)
        output.append(UInt8(ascii: "."))
        digits(fraction / 1_000_000, 3, to: &output)
        output.append(UInt8(ascii: "Z"))
    }

    /// Days since 1970-01-01 to the proleptic Gregorian date: years begin in March, so that the leap day is the last.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
    }

    private static func digits(_ value: Int64, _ count: Int, to output: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<count { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}
