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
        // S is what clients show, V the same and never translated.
        var body: [UInt8] = []
        for (type, text) in [("S", "FATAL"), ("V", "FATAL"), ("C", sqlState.rawValue), ("M", message)] {
            body += type.utf8
            for byte in text.utf8 where byte != 0 { body.append(byte) }
            body.append(0)
        }
        body.append(0)
        let length = UInt32(clamping: body.count + 4)
        let head: [UInt8] = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> ($0 as UInt32)) }
        return [UInt8(ascii: "E")] + head + body
    }
}
