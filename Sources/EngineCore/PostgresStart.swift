/// How a PostgreSQL client begins: what the first bytes of a stream, or those after the answer to a request for encryption,
/// turned out to be (PostgreSQL's documentation, "Message Formats"; direct TLS: since PostgreSQL 17).
///
/// A client may ask for GSSAPI, then for TLS, and then start in the clear, each after the answer to what went before.
public enum PostgresStart: Equatable, Sendable {
    /// At least `total` bytes from the stream's start are needed before parsing again: always more than were given.
    case needMore(total: Int)
    /// A request for TLS, ``requestLength`` bytes. It is answered with ``accept`` or ``refuse``.
    ///
    /// `following`: how many bytes have come after it. A client waits for the answer, so when TLS is accepted any such
    /// byte came unencrypted from who knows whom, and must never be taken for what the client said under TLS
    /// (CVE-2021-23214): end the connection. Ask again right before the answer is sent.
    case sslRequest(following: Int)
    /// A request for encryption by GSSAPI, ``requestLength`` bytes; `following` as for ``sslRequest(following:)``.
    case gssEncryptionRequest(following: Int)
    /// A request to cancel a query, in the clear; `length` bytes in all, of which eight or more have come.
    case cancelRequest(length: Int)
    /// A start in the clear, with protocol 3.`minorVersion`; `length` bytes in all, of which eight or more have come.
    case startup(length: Int, minorVersion: UInt16)
    /// The first byte of a TLS handshake record.
    case clientHello
    /// Nothing that a PostgreSQL client of protocol 3 begins with.
    case notPostgres(PostgresStartProblem)

    /// Bytes of a request for encryption.
    public static let requestLength = 8
    /// A request for TLS, as a client sends it.
    public static let sslRequestBytes: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]
    /// The answer `S`: go on with TLS.
    public static let accept = UInt8(ascii: "S")
    /// The answer `N`: not with this kind of encryption.
    public static let refuse = UInt8(ascii: "N")

    /// The longest start, its length field included (MAX_STARTUP_PACKET_LENGTH counts without it).
    private static let longest = 10_000 + 4
    /// Version and terminator at the least.
    private static let shortestStartup = 9
    /// Process id and a key of 4 to 256 bytes (4 before protocol 3.2).
    private static let cancelLengths = 16...268
    private static let tlsHandshake: UInt8 = 0x16

    /// The code's upper half of a start: protocol 3.
    private static let protocolMajor: UInt16 = 3
    /// That of requests, and the lower halves.
    private static let requestMajor: UInt16 = 1234
    private static let cancelMinor: UInt16 = 5678
    private static let sslMinor: UInt16 = 5679
    private static let gssMinor: UInt16 = 5680

    /// Reads what has arrived; a value, never a trap, for any bytes. A decision is made at the earliest byte that allows
    /// it, from eight bytes at the most, and more bytes never change it (only the count of those that follow).
    public static func parse(_ bytes: UnsafeRawBufferPointer) -> PostgresStart {
        guard let first = bytes.first else { return .needMore(total: 1) }
        // No length has this byte in front: it would be hundreds of megabytes.
        if first == tlsHandshake { return .clientHello }
        guard first == 0 else { return .notPostgres(.otherProtocol) }
        var cursor = ByteCursor(bytes)
        guard let high = cursor.readUInt16() else { return .needMore(total: requestLength) }
        guard high == 0 else { return .notPostgres(.length) }
        if bytes.count > 2, Int(bytes[2]) << 8 > longest { return .notPostgres(.length) }
        guard let low = cursor.readUInt16() else { return .needMore(total: requestLength) }
        let length = Int(low)
        guard (requestLength...longest).contains(length) else { return .notPostgres(.length) }
        return parseCode(bytes, length)
    }

    private static func parseCode(_ bytes: UnsafeRawBufferPointer, _ length: Int) -> PostgresStart {
        let code = UnsafeRawBufferPointer(rebasing: bytes[4...])
        guard let first = code.first else { return .needMore(total: requestLength) }
        switch first {
        case UInt8(protocolMajor >> 8):
            guard length >= shortestStartup else { return .notPostgres(.length) }
        case UInt8(requestMajor >> 8):
            guard length == requestLength || cancelLengths.contains(length) else { return .notPostgres(.length) }
        default: return .notPostgres(.version)
        }
        var cursor = ByteCursor(code)
        guard let major = cursor.readUInt16() else { return .needMore(total: requestLength) }
        guard major == protocolMajor || major == requestMajor else { return .notPostgres(.version) }
        // All requests have the same byte here.
        if major == requestMajor, code.count > 2, code[2] != UInt8(sslMinor >> 8) { return .notPostgres(.version) }
        guard let minor = cursor.readUInt16() else { return .needMore(total: requestLength) }
        if major == protocolMajor { return .startup(length: length, minorVersion: minor) }
        return request(minor, length, following: cursor.count)
    }

    private static func request(_ minor: UInt16, _ length: Int, following: Int) -> PostgresStart {
        switch minor {
        case cancelMinor: cancelLengths.contains(length) ? .cancelRequest(length: length) : .notPostgres(.length)
        case sslMinor: length == requestLength ? .sslRequest(following: following) : .notPostgres(.length)
        case gssMinor: length == requestLength ? .gssEncryptionRequest(following: following) : .notPostgres(.length)
        default: .notPostgres(.version)
        }
    }
}

/// Why bytes are not those of a PostgreSQL client.
public enum PostgresStartProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first byte begins neither a length that is allowed nor a TLS handshake.
    case otherProtocol
    /// A length that the message cannot have, or over 10,000 bytes.
    case length
    /// A version other than 3.x, or a request that is not defined.
    case version

    public var description: String {
        switch self {
        case .otherProtocol: "another protocol"
        case .length: "a start message of a length that it cannot have"
        case .version: "a protocol version other than 3.x, or an unknown request"
        }
    }
}
