internal import COpenSSL
internal import Glibc

/// A small certificate authority for tests; nothing in it is secret.
public enum TestPKI {
    /// A self-signed root with an ECDSA P-256 key, or another.
    public static func makeCA(_ name: String = "Test CA", keyType: TestKey.KeyType = .ecdsaP256) throws -> TestCA {
        try TestCA(name: name, key: TestKey(keyType))
    }

    /// A certificate that signs itself and is no CA.
    public static func selfSigned(_ request: TestCertificateRequest) throws -> TestCertificate {
        let key = try request.key ?? TestKey(request.keyType)
        let certificate = try SignedCertificate(request, key: key, issuer: nil, issuerKey: key)
        return try TestCertificate(leaf: certificate, chain: [], key: key, root: certificate)
    }
}

/// What a test certificate says. Times are seconds relative to now.
public struct TestCertificateRequest: Sendable {
    public var commonName: String?
    /// Written as they are, also where they are no host names.
    public var dnsNames: [String] = []
    public var ips: [String] = []
    public var uris: [String] = []
    public var emails: [String] = []
    public var keyType: TestKey.KeyType = .ecdsaP256
    /// Instead of a new key.
    public var key: TestKey?
    public var notBefore: Int = -3600
    public var notAfter: Int = 24 * 3600
    /// OpenSSL's text: `serverAuth,clientAuth`; nil leaves the extension out.
    public var extendedKeyUsage: String? = "serverAuth,clientAuth"
    /// A caIssuers address, as public authorities give it.
    public var issuerURL: String?
    /// Where its revocation list is.
    public var revocationURL: String?
    var isCA = false

    public init(commonName: String? = nil, dnsNames: [String] = []) {
        self.commonName = commonName
        self.dnsNames = dnsNames
    }
}

/// A leaf in PEM with what belongs to it.
public struct TestCertificate: Sendable {
    /// The leaf, then the intermediate where there is one: what tls.crt holds.
    public let chainPEM: String
    public let leafPEM: String
    /// nil without an intermediate.
    public let intermediatePEM: String?
    public let privateKeyPEM: String
    /// The root that a client trusts: what ca.crt holds.
    public let rootPEM: String
    public let key: TestKey
    /// SHA-256 of the leaf's DER in lower-case hex; compare with `TLSTestConnection.peerFingerprint`.
    public let fingerprint: String

    init(leaf: SignedCertificate, chain: [SignedCertificate], key: TestKey, root: SignedCertificate) throws {
        leafPEM = try leaf.pem()
        intermediatePEM = try chain.first?.pem()
        chainPEM = leafPEM + (intermediatePEM ?? "")
        privateKeyPEM = try key.pem()
        rootPEM = try root.pem()
        self.key = key
        fingerprint = certificateFingerprint(leaf.pointer)
    }
}

/// A root that issues certificates, directly or through one intermediate.
public final class TestCA: Sendable {
    public let pem: String
    public let key: TestKey
    let certificate: SignedCertificate
    let intermediate: SignedCertificate
    let intermediateKey: TestKey

    init(name: String, key: TestKey) throws {
        self.key = key
        var request = TestCertificateRequest(commonName: name)
        request.isCA = true
        request.extendedKeyUsage = nil
        request.notAfter = 365 * 24 * 3600
        certificate = try SignedCertificate(request, key: key, issuer: nil, issuerKey: key)
        pem = try certificate.pem()
        intermediateKey = try TestKey(.ecdsaP256)
        request.commonName = name + " Intermediate"
        intermediate = try SignedCertificate(request, key: intermediateKey, issuer: certificate, issuerKey: key)
    }

    public func issue(_ request: TestCertificateRequest, intermediate through: Bool = false) throws -> TestCertificate {
        let key = try request.key ?? TestKey(request.keyType)
        let leaf = try SignedCertificate(
            request, key: key, issuer: through ? intermediate : certificate,
            issuerKey: through ? intermediateKey : self.key)
        return try TestCertificate(leaf: leaf, chain: through ? [intermediate] : [], key: key, root: certificate)
    }

    /// The same with the usual parts as arguments; the common name is the first DNS name.
    public func issue(
        dnsNames: [String], ips: [String] = [], uris: [String] = [], keyType: TestKey.KeyType = .ecdsaP256,
        notBefore: Int = -3600, notAfter: Int = 24 * 3600, intermediate: Bool = false
    ) throws -> TestCertificate {
        var request = TestCertificateRequest(commonName: dnsNames.first ?? "test", dnsNames: dnsNames)
        request.ips = ips
        request.uris = uris
        request.keyType = keyType
        request.notBefore = notBefore
        request.notAfter = notAfter
        return try issue(request, intermediate: intermediate)
    }
}
