/// The value of one field of a log line. What a peer or a user wrote belongs here, never in the message.
public struct LogValue: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case string(String)
        case signed(Int64)
        case unsigned(UInt64)
        case bool(Bool)
        case double(Double)
        case duration(Duration)
    }

    let kind: Kind

    init(kind: Kind) { self.kind = kind }

    public init(_ value: some StringProtocol) { kind = .string(String(value)) }
    public init(_ value: Bool) { kind = .bool(value) }

    /// Written in its shortest form that reads back the same; in JSON NaN and the infinities are strings.
    public init(_ value: Double) { kind = .double(value) }

    /// Text: with the unit that suits it (`1.5ms`). JSON: a number of seconds (`0.0015`).
    public init(_ value: Duration) { kind = .duration(value) }

    public init(_ value: some BinaryInteger) {
        if let value = Int64(exactly: value) {
            kind = .signed(value)
        } else if let value = UInt64(exactly: value) {
            kind = .unsigned(value)
        } else {
            kind = .string(String(value))
        }
    }

    /// Bytes that came from a peer: UTF-8, each invalid sequence replaced by U+FFFD.
    public init(bytes: some Collection<UInt8>) { kind = .string(String(decoding: bytes, as: UTF8.self)) }

    /// An address, an identifier, an error: whatever describes itself.
    public init(describing value: some CustomStringConvertible) { kind = .string(value.description) }

    /// An error of any kind, by its description.
    public init(error: any Error) { kind = .string(String(describing: error)) }
}

extension LogValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) { kind = .string(value) }
}

extension LogValue: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { kind = .signed(value) }
}

extension LogValue: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { kind = .double(value) }
}

extension LogValue: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { kind = .bool(value) }
}
