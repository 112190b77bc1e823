internal import EngineCore

extension FuzzTarget {
    /// How a PostgreSQL client begins, and the error that it is answered with.
    static let postgresStart = FuzzTarget(name: "postgres-start", maxLength: 512) { bytes in
        try requireCutIndependence(of: bytes, limit: PostgresStart.requestLength) {
            part -> StartReading<PostgresStart> in
            switch PostgresStart.parse(part) {
            case .needMore(let total): .needMore(total: total)
            // How much follows is no part of the decision.
            case .sslRequest: .decided(PostgresStart.sslRequest(following: 0))
            case .gssEncryptionRequest: .decided(.gssEncryptionRequest(following: 0))
            case let decision: .decided(decision)
            }
        }
        try requireEqual(PostgresStart.parse(bytes), secondReading(Array(bytes)), "a second reading")
        try checkError(String(decoding: bytes, as: UTF8.self))
    }

    private static func secondReading(_ bytes: [UInt8]) -> PostgresStart {
        guard bytes.count >= 8 else {
            // What is short of a decision is so for some continuation: then the first reading has the word.
            return bytes.withUnsafeBytes { PostgresStart.parse($0) }
        }
        if bytes[0] == 0x16 { return .clientHello }
        if bytes[0] != 0 { return .notPostgres(.otherProtocol) }
        let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
        let code = bytes[4..<8].reduce(0) { $0 << 8 | Int($1) }
        guard (8...10_004).contains(length) else { return .notPostgres(.length) }
        if code >> 16 == 3 {
            return length < 9 ? .notPostgres(.length) : .startup(length: length, minorVersion: UInt16(code & 0xffff))
        }
        switch (code, length) {
        case (1234 << 16 | 5678, 16...268): return .cancelRequest(length: length)
        case (1234 << 16 | 5679, 8): return .sslRequest(following: bytes.count - 8)
        case (1234 << 16 | 5680, 8): return .gssEncryptionRequest(following: bytes.count - 8)
        default:
            // Two rules are broken at once where the length fits no message and the code is none: either may be named.
            let named = bytes.withUnsafeBytes { PostgresStart.parse($0) }
            return named == .notPostgres(.length) ? .notPostgres(.length) : .notPostgres(.version)
        }
    }

    /// An ErrorResponse is what its length says, with the fields that a client looks for, in this order.
    private static func checkError(_ text: String) throws {
        let message = PostgresErrorResponse.fatal(text)
        try requireEqual(message.first, UInt8(ascii: "E"), "type")
        let length = message[1..<5].reduce(0) { $0 << 8 | Int($1) }
        try requireEqual(length, message.count - 1, "length")
        let fields = message[5...].split(separator: 0, omittingEmptySubsequences: false)
        try requireEqual(fields.compactMap(\.first), Array("SVCM".utf8), "fields")
        try requireEqual(Array(fields[3].dropFirst()), text.utf8.filter { $0 != 0 }, "message")
        try requireEqual(fields.count, 6, "pieces between zeros")
    }
}
