/// What a server says to a PostgreSQL client before it hangs up (PostgreSQL's documentation, "ErrorResponse" and "Error and
/// Notice Message Fields").
///
/// A client reads it where it expects the answer to its StartupMessage. As the answer to a request for encryption it is
/// not shown to anyone: clients know no error there that they could trust (CVE-2024-10977).
public enum PostgresErrorResponse {
    /// Codes of PostgreSQL's appendix A.
    public enum SQLState: String, Hashable, Sendable {
        case protocolViolation = "08P01"
        /// What PostgreSQL answers to a protocol version it does not speak.
        case featureNotSupported = "0A000"
    }

    /// An ErrorResponse of severity FATAL for a client of protocol 3. The message is for people, in one line of English;
    /// bytes of zero in it are left out, for they end a field.
    public static func fatal(_ message: String, sqlState: SQLState = .protocolViolation) -> [UInt8] {
        let text = message.utf8.filter { $0 != 0 }
        // S is what clients show, V the same and never translated.
        let fields: [(type: UInt8, value: [UInt8])] = [
            (UInt8(ascii: "S"), Array("FATAL".utf8)), (UInt8(ascii: "V"), Array("FATAL".utf8)),
            (UInt8(ascii: "C"), Array(sqlState.rawValue.utf8)), (UInt8(ascii: "M"), text),
        ]
        let body = fields.flatMap { [$0.type] + $0.value + [0] } + [0]
        let length = UInt32(clamping: body.count + 4)
        return [UInt8(ascii: "E")] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + body
    }
}
