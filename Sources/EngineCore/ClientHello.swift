/// What a TLS client says first, as far as a gateway needs it to choose a route (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).
public struct ClientHello: Equatable, Sendable {
    /// The name asked for (RFC 6066 §3) in lower case without a final dot, always an RFC 1123 name. Nil: no name, or one
    /// that is not usable (``hasInvalidServerName``). With Encrypted ClientHello this is the outer, public name.
    public var serverName: String?
    /// A name was given, but it is an IP address or not an RFC 1123 name.
    public var hasInvalidServerName: Bool
    /// Protocols in the client's order (RFC 7301), at most the first 64; bytes that are not UTF-8 are replaced.
    public var alpnProtocols: [String]
    /// supported_versions holds TLS 1.3 (0x0304).
    public var supportsTLS13: Bool
    /// An outer encrypted_client_hello is present; clients also send it as GREASE (RFC 9849).
    public var hasEncryptedClientHello: Bool
    /// legacy_version: the highest version of a client without supported_versions.
    public var legacyVersion: UInt16
    /// Bytes of the records that hold the hello, record headers included: what to take off the socket.
    public var consumedBytes: Int

    public init(
        serverName: String? = nil, hasInvalidServerName: Bool = false, alpnProtocols: [String] = [],
        supportsTLS13: Bool = false, hasEncryptedClientHello: Bool = false, legacyVersion: UInt16 = 0x0303,
        consumedBytes: Int = 0
    ) {
        self.serverName = serverName
        self.hasInvalidServerName = hasInvalidServerName
        self.alpnProtocols = alpnProtocols
        self.supportsTLS13 = supportsTLS13
        self.hasEncryptedClientHello = hasEncryptedClientHello
        self.legacyVersion = legacyVersion
        self.consumedBytes = consumedBytes
    }

    /// Reads the hello at the start of a stream, whatever records and segments it came in.
    ///
    /// - Parameters:
    ///   - bytes: the stream from its first byte, as much as has arrived; only read during the call.
    ///   - limit: the most bytes, record headers included, that a hello may take.
    /// - Returns: a value, never a trap, for any bytes. A decision is made at the earliest byte that allows it.
    public static func parse(_ bytes: UnsafeRawBufferPointer, limit: Int = 16384) -> ClientHelloParse {
        var records = HandshakeRecords()
        switch records.scan(bytes, limit: limit) {
        case .stopped(let result): return result
        case .whole: break
        }
        let consumed = records.end
        do throws(ClientHelloProblem) {
            let hello = try records.withMessage(of: bytes) { (body) throws(ClientHelloProblem) in
                try ClientHello(body: body, consumed: consumed)
            }
            return .hello(hello)
        } catch {
            return .malformed(error)
        }
    }
}

/// What the first bytes of a stream turned out to be.
public enum ClientHelloParse: Equatable, Sendable {
    /// At least `total` bytes from the stream's start are needed before parsing again: always more than were given,
    /// never more than the limit.
    case needMore(total: Int)
    case hello(ClientHello)
    /// Not a TLS handshake: another protocol, an SSLv2 hello, an alert.
    case notTLS
    /// The hello is longer than the limit.
    case tooLarge
    case malformed(ClientHelloProblem)
}

/// The rule that a TLS handshake broke before its ClientHello could be read.
public enum ClientHelloProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// A record without content, or longer than 2^14 bytes (RFC 8446 §5.1).
    case recordLength(Int)
    /// Another record type, or another major version, between two parts of the hello.
    case recordInterrupted(type: UInt8)
    /// The first handshake message is not a ClientHello.
    case handshakeType(UInt8)
    /// Bytes follow the hello within its last record.
    case trailingData
    /// legacy_version is not 3.x.
    case version(UInt16)
    /// A field of the hello's fixed part does not fit or has a length that its definition forbids.
    case field(Field)
    /// The list of extensions does not fill the rest of the hello, or one of them does not fit in it.
    case extensionList
    case duplicateExtension(UInt16)
    /// More than 256 extensions.
    case tooManyExtensions
    /// The content of an extension breaks its definition.
    case extensionContent(UInt16)

    public enum Field: String, Hashable, Sendable {
        case version, random, sessionID, cipherSuites, compressionMethods
    }

    public var description: String {
        switch self {
        case .recordLength(let length): "a record of \(length) bytes"
        case .recordInterrupted(let type): "a record of type \(type) inside the hello"
        case .handshakeType(let type): "handshake message \(type) in place of a ClientHello"
        case .trailingData: "bytes after the hello in its record"
        case .version(let version): "legacy_version 0x\(String(version, radix: 16))"
        case .field(let field): "\(field.rawValue) does not fit"
        case .extensionList: "the list of extensions does not fit"
        case .duplicateExtension(let type): "extension \(type) appears twice"
        case .tooManyExtensions: "more than 256 extensions"
        case .extensionContent(let type): "extension \(type) breaks its definition"
        }
    }
}
