/// What the rest of the system may know about a key pair: facts, never key bytes. Made by the module Certificates when a
/// Secret enters a cache; two values are equal when they describe the same bytes.
public struct KeyPairFacts: Hashable, Sendable {
    public enum KeyType: Hashable, Sendable {
        case rsa(bits: Int)
        case ecdsa(curve: String)
        case other(String)
    }

    public var keyType: KeyType
    /// DNS names of the leaf: its subjectAltName, or its common name where it has none; lower case.
    public var dnsNames: [HostnamePattern]
    /// Validity of the leaf, in seconds since 1970.
    public var notBefore: Int64
    public var notAfter: Int64
    /// SHA-256 of the leaf's DER, lower-case hex: what `openssl x509 -fingerprint -sha256` says, without colons.
    public var fingerprint: String
    /// SHA-256 of the leaf's SubjectPublicKeyInfo, base64.
    public var spkiHash: String
    /// Certificates in the chain, the leaf included.
    public var chainLength: Int
    /// What a client may object to, though the pair itself is usable (an intermediate out of order, say).
    public var chainProblems: [String]
    public var material: KeyMaterial

    public init(
        keyType: KeyType, dnsNames: [HostnamePattern], notBefore: Int64, notAfter: Int64, fingerprint: String,
        spkiHash: String, chainLength: Int, chainProblems: [String], material: KeyMaterial
    ) {
        self.keyType = keyType
        self.dnsNames = dnsNames
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.fingerprint = fingerprint
        self.spkiHash = spkiHash
        self.chainLength = chainLength
        self.chainProblems = chainProblems
        self.material = material
    }
}

/// What may be known about a bundle of CA certificates.
public struct TrustFacts: Hashable, Sendable {
    /// Subjects, in the order of the file.
    public var subjects: [String]
    /// The earliest notAfter in the bundle, in seconds since 1970.
    public var notAfter: Int64
    public var material: KeyMaterial

    public init(subjects: [String], notAfter: Int64, material: KeyMaterial) {
        self.subjects = subjects
        self.notAfter = notAfter
        self.material = material
    }
}

/// What may be known about certificate revocation lists (RFC 5280 §5).
public struct RevocationFacts: Hashable, Sendable {
    /// Issuers, in the order of the file.
    public var issuers: [String]
    /// The earliest nextUpdate, in seconds since 1970; nil: none of them says.
    public var nextUpdate: Int64?
    public var material: KeyMaterial

    public init(issuers: [String], nextUpdate: Int64?, material: KeyMaterial) {
        self.issuers = issuers
        self.nextUpdate = nextUpdate
        self.material = material
    }
}

/// Why bytes are not a usable key pair or CA bundle: one sentence without secrets.
public struct CertificateProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

/// An opaque handle on parsed keys or certificates. Identity is the fingerprint; the storage belongs to the module
/// Certificates, is immutable, and is wiped when the last handle goes.
public struct KeyMaterial: Hashable, Sendable, CustomStringConvertible {
    /// SHA-256 over the certificates and the public key, in lower-case hex.
    public let fingerprint: String
    public let storage: any KeyMaterialStorage

    public init(fingerprint: String, storage: any KeyMaterialStorage) {
        self.fingerprint = fingerprint
        self.storage = storage
    }

    public static func == (left: KeyMaterial, right: KeyMaterial) -> Bool { left.fingerprint == right.fingerprint }
    public func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
    /// Only the fingerprint: what it stands for is never printed.
    public var description: String { "sha256:\(fingerprint)" }
}

/// What stands behind a ``KeyMaterial``; only the module Certificates has conforming types.
public protocol KeyMaterialStorage: AnyObject, Sendable {}
