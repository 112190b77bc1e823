/// What a PROXY protocol header says of the client's TLS session: the TLV PP2_TYPE_SSL (§2.2.6).
public struct ProxyTLSFacts: Equatable, Sendable {
    public struct Client: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The client came over TLS.
        public static let tls = Client(rawValue: 1)
        /// It gave a certificate on this connection.
        public static let certificateOnConnection = Client(rawValue: 2)
        /// It gave one at least once in the session that the connection belongs to.
        public static let certificateInSession = Client(rawValue: 4)
    }

    private enum Subtype {
        static let version: UInt8 = 0x21
        static let commonName: UInt8 = 0x22
        static let cipher: UInt8 = 0x23
        static let signatureAlgorithm: UInt8 = 0x24
        static let keyAlgorithm: UInt8 = 0x25
    }

    public var client: Client
    /// Zero when the client gave a certificate and it was verified. Not zero otherwise.
    public var verify: UInt32
    /// Such as `TLSv1.3`.
    public var version: String?
    /// The common name of the client certificate's subject.
    public var commonName: String?
    public var cipher: String?
    /// Of the certificate the sender presented to the client, such as `RSA-SHA256`.
    public var signatureAlgorithm: String?
    /// Of that certificate's key, such as `RSA2048`.
    public var keyAlgorithm: String?

    /// The client gave a certificate, now or earlier in the session, and it was verified.
    public var isCertificateVerified: Bool {
        verify == 0 && !client.isDisjoint(with: [.certificateOnConnection, .certificateInSession])
    }

    public init(
        client: Client, verify: UInt32, version: String? = nil, commonName: String? = nil, cipher: String? = nil,
        signatureAlgorithm: String? = nil, keyAlgorithm: String? = nil
    ) {
        self.client = client
        self.verify = verify
        self.version = version
        self.commonName = commonName
        self.cipher = cipher
        self.signatureAlgorithm = signatureAlgorithm
        self.keyAlgorithm = keyAlgorithm
    }

    /// Reads the TLV's value; nil when it is too short or its own TLVs do not fill it. Other types are passed over, of
    /// several of one type the first counts, and bytes that are not UTF-8 are replaced.
    public init?(_ value: some Collection<UInt8>) {
        let fixed = Array(value.prefix(5))
        guard fixed.count == 5 else { return nil }
        self.init(
            client: Client(rawValue: fixed[0]), verify: fixed[1...].reduce(0) { $0 << 8 | UInt32($1) })
        var rest = value.dropFirst(5)
        while !rest.isEmpty {
            let head = Array(rest.prefix(3))
            guard head.count == 3 else { return nil }
            let length = Int(head[1]) << 8 | Int(head[2])
            let content = rest.dropFirst(3).prefix(length)
            guard content.count == length else { return nil }
            note(head[0], content)
            rest = rest.dropFirst(3 + length)
        }
    }

    private mutating func note(_ type: UInt8, _ content: some Collection<UInt8>) {
        guard let field = ProxyTLSFacts.field(type), self[keyPath: field] == nil else { return }
        self[keyPath: field] = String(decoding: content, as: UTF8.self)
    }

    private static func field(_ type: UInt8) -> WritableKeyPath<ProxyTLSFacts, String?>? {
        switch type {
        case Subtype.version: \.version
        case Subtype.commonName: \.commonName
        case Subtype.cipher: \.cipher
        case Subtype.signatureAlgorithm: \.signatureAlgorithm
        case Subtype.keyAlgorithm: \.keyAlgorithm
        default: nil
        }
    }

    /// The TLV's value; nil when a text is longer than 65535 bytes.
    public func encoded() -> [UInt8]? {
        var bytes = [client.rawValue]
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: verify >> shift)) }
        for type in Subtype.version...Subtype.keyAlgorithm {
            guard let field = ProxyTLSFacts.field(type), let text = self[keyPath: field]?.utf8 else { continue }
            guard text.count <= UInt16.max else { return nil }
            bytes.append(type)
            bytes.append(UInt8(truncatingIfNeeded: text.count >> 8))
            bytes.append(UInt8(truncatingIfNeeded: text.count))
            bytes.append(contentsOf: text)
        }
        return bytes
    }
}

extension ProxyTLVs {
    /// The first ``ProxyTLVType/tls``, read now: nil without one, or when it breaks its definition.
    public var tls: ProxyTLSFacts? { self[ProxyTLVType.tls].flatMap { ProxyTLSFacts($0) } }

    /// Adds them as ``ProxyTLVType/tls``; false, and the list as before, where they do not fit.
    public mutating func append(_ facts: ProxyTLSFacts) -> Bool {
        guard let value = facts.encoded() else { return false }
        return append(ProxyTLVType.tls, value)
    }
}
