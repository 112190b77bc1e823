/// Times as Kubernetes writes them (RFC 3339, UTC).
enum TimeText {
    /// metav1.Time, such as `2026-03-01T12:00:00Z`. `time`: seconds since 1970.
    static func seconds(_ time: Int64) -> String { stem(time) + "Z" }

    /// metav1.MicroTime: always six digits. `time`: nanoseconds since 1970.
    static func micro(_ time: Int64) -> String {
        let second = floorDivide(time, 1_000_000_000)
        return stem(second.quotient) + "." + padded(second.remainder / 1000, 6) + "Z"
    }

    private static func stem(_ time: Int64) -> String {
        let day = floorDivide(time, 86_400)
        let date = civil(day.quotient)
        let second = day.remainder
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    }

    /// The proleptic Gregorian date of a day since 1970: years begin in March, so that the leap day is the last.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let era = floorDivide(day + 719_468, 146_097)
        let dayOfEra = era.remainder
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (era.quotient * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: by)
        return remainder < 0 ? (quotient - 1, remainder + by) : (quotient, remainder)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
