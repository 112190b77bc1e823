public import Primitives

/// Who may connect: the first rule that matches decides, else the default.
public struct Authorization: Hashable, Sendable {
    /// In the policy's order.
    public var rules: [Rule]
    /// Whether a client that no rule matches is let in.
    public var allowsByDefault: Bool
    /// Whether a change closes sessions that are no longer allowed (`authz_denied`).
    public var terminatesExisting: Bool

    public struct Rule: Hashable, Sendable {
        /// Unique in the policy; a label of metrics.
        public var name: String
        public var action: Action
        public var principal: Principal
        public init(name: String, action: Action, principal: Principal) {
            self.name = name
            self.action = action
            self.principal = principal
        }
    }

    public enum Action: String, Hashable, Sendable {
        case allow, deny
        /// Counted and logged; the next rules decide.
        case audit
    }

    public init(rules: [Rule], allowsByDefault: Bool = false, terminatesExisting: Bool = false) {
        self.rules = rules
        self.allowsByDefault = allowsByDefault
        self.terminatesExisting = terminatesExisting
    }
}

/// Whom a rule is about: all of the parts that are not nil must match, each by one of its entries. A part whose input a
/// connection can never have (a certificate on plain TCP) does not match.
public struct Principal: Hashable, Sendable {
    /// The client's address, behind the PROXY protocol. Inline blocks and those of ConfigMaps, each a set.
    public var clients: [CIDRSet]?
    /// The peer's address, of the TCP connection itself.
    public var peers: CIDRSet?
    /// Names of the ClientHello; a hello without a usable name matches none.
    public var serverNames: [HostnamePattern]?
    /// The client's certificate, where the listener verified one.
    public var certificate: CertificatePrincipal?

    public init(
        clients: [CIDRSet]? = nil, peers: CIDRSet? = nil, serverNames: [HostnamePattern]? = nil,
        certificate: CertificatePrincipal? = nil
    ) {
        self.clients = clients
        self.peers = peers
        self.serverNames = serverNames
        self.certificate = certificate
    }
}

/// Client certificates: all of the parts that are not nil must match, each by one of its entries.
public struct CertificatePrincipal: Hashable, Sendable {
    /// Compared without regard to case, as DNS names are.
    public var dnsNames: [TextPattern]?
    public var uris: [TextPattern]?
    public var emails: [TextPattern]?
    /// SHA-256 of the SubjectPublicKeyInfo, base64.
    public var spkiHashes: Set<String>?
    public var issuerCommonNames: Set<String>?

    public init(
        dnsNames: [TextPattern]? = nil, uris: [TextPattern]? = nil, emails: [TextPattern]? = nil,
        spkiHashes: Set<String>? = nil, issuerCommonNames: Set<String>? = nil
    ) {
        self.dnsNames = dnsNames
        self.uris = uris
        self.emails = emails
        self.spkiHashes = spkiHashes
        self.issuerCommonNames = issuerCommonNames
    }
}

/// A text, or its beginning or end.
public enum TextPattern: Hashable, Sendable {
    case exact(String)
    case prefix(String)
    case suffix(String)

    /// `*` as the first or last character stands for any text; `*` alone for all.
    public init(star text: String) {
        if text.hasSuffix("*") {
            self = .prefix(String(text.dropLast()))
        } else if text.hasPrefix("*") {
            self = .suffix(String(text.dropFirst()))
        } else {
            self = .exact(text)
        }
    }

    /// Byte for byte: characters that merely look or compare alike are different.
    public func matches(_ text: String) -> Bool {
        switch self {
        case .exact(let own): own.utf8.elementsEqual(text.utf8)
        case .prefix(let own): text.utf8.starts(with: own.utf8)
        case .suffix(let own): text.utf8.reversed().starts(with: own.utf8.reversed())
        }
    }
}

/// What a client's certificate says of it, as far as policies ask.
public struct ClientIdentity: Hashable, Sendable {
    /// Lower case.
    public var dnsNames: [String]
    public var uris: [String]
    public var emails: [String]
    /// SHA-256 of the SubjectPublicKeyInfo, base64.
    public var spkiHash: String
    public var issuerCommonNames: [String]

    public init(
        dnsNames: [String] = [], uris: [String] = [], emails: [String] = [], spkiHash: String = "",
        issuerCommonNames: [String] = []
    ) {
        self.dnsNames = dnsNames
        self.uris = uris
        self.emails = emails
        self.spkiHash = spkiHash
        self.issuerCommonNames = issuerCommonNames
    }
}
