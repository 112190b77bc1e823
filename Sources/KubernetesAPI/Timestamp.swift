/// A point in time as Kubernetes writes it (`2026-03-01T12:00:00Z`): the text as it came, and what it means.
public struct Timestamp: Hashable, Sendable, CustomStringConvertible {
    /// RFC 3339.
    public let text: String
    /// Seconds since 1970; fractions are cut off.
    public let seconds: Int64

    /// Parses RFC 3339: date, `T`, time with optional fraction, `Z` or a numeric offset.
    public init?(_ text: String) {
        guard let seconds = Timestamp.parse(Array(text.utf8)) else { return nil }
        self.text = text
        self.seconds = seconds
    }

    public var description: String { text }

    private static func parse(_ bytes: [UInt8]) -> Int64? {
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] | 0x20 == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"), (1...12).contains(month),
            (1...daysIn(month: month, year: year)).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var zone = 19
        if bytes[zone] == UInt8(ascii: ".") {
            zone += 1
            let digits = bytes[zone...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard !digits.isEmpty, digits.endIndex < bytes.count else { return nil }
            zone = digits.endIndex
        }
        let time = daysSince1970(year: year, month: month, day: day) * 86400 + hour * 3600 + minute * 60 + second
        if bytes[zone] | 0x20 == UInt8(ascii: "z") { return zone + 1 == bytes.count ? time : nil }
        guard zone + 6 == bytes.count, bytes[zone + 3] == UInt8(ascii: ":"), let hours = number(zone + 1..<zone + 3),
            let minutes = number(zone + 4..<zone + 6), hours < 24, minutes < 60
        else { return nil }
        switch bytes[zone] {
        case UInt8(ascii: "+"): return time - hours * 3600 - minutes * 60
        case UInt8(ascii: "-"): return time + hours * 3600 + minutes * 60
        default: return nil
        }
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar: years begin in March, so that leap days come last.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let leapDays = shifted / 4 - shifted / 100 + shifted / 400
        return shifted * 365 + leapDays + (monthFromMarch * 153 + 2) / 5 + day - 1 - 719_468
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is not a time such as 2026-03-01T12:00:00Z (RFC 3339)")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
