/// The keys that TLS session tickets are sealed with, for all listeners: with those of an installation a client that comes
/// back to another of its replicas resumes. What lets a ticket be resumed besides (its listener, its age) is not theirs.
public struct TicketKeyRing: Hashable, Sendable {
    /// Every one of them opens tickets. Their names are unique. Empty: no ticket is opened.
    public var keys: [TicketKey]
    /// Index in ``keys`` of the one that seals; nil: no ticket is given out, and clients make whole handshakes.
    public var sealing: Int?

    /// `sealing` that is no index of `keys` counts as nil.
    public init(keys: [TicketKey] = [], sealing: Int? = nil) {
        self.keys = keys
        self.sealing = sealing.flatMap { keys.indices.contains($0) ? $0 : nil }
    }

    /// The key that seals.
    public var sealingKey: TicketKey? { sealing.map { keys[$0] } }
}

/// One key of tickets: AES-256 and HMAC-SHA-256, found by its name, which tickets carry in the clear (RFC 5077 §4).
/// Nothing prints it but its name.
public struct TicketKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// 16 bytes.
    public let name: [UInt8]
    /// Twice 32 bytes: for AES, and for HMAC.
    private let secret: SecretBytes

    /// 16 and twice 32 bytes; nil: there are more or fewer.
    public init?(name: [UInt8], encryptionKey: [UInt8], authenticationKey: [UInt8]) {
        guard name.count == 16, encryptionKey.count == 32, authenticationKey.count == 32 else { return nil }
        self.name = name
        secret = SecretBytes(encryptionKey + authenticationKey)
    }

    /// Bytes of a key as it is stored: name, encryption key, authentication key.
    public static let byteCount = 80

    /// From ``byteCount`` bytes; nil: there are more or fewer.
    public init?(bytes: [UInt8]) {
        guard bytes.count == TicketKey.byteCount else { return nil }
        name = Array(bytes[..<16])
        secret = SecretBytes(bytes[16...])
    }

    /// As ``init(bytes:)`` reads it. For a Secret's bytes, never for text that people see.
    public var bytes: [UInt8] { name + secret.withBytes { Array($0) } }

    /// The encryption key and the authentication key, one behind the other, where they stand: no copy is made of them.
    public func withKeys<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result { secret.withBytes(body) }

    /// The first bytes of the name, in hexadecimal.
    public var description: String {
        "ticket key "
            + name.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [("name", description)]) }
}
