internal import COpenSSL
public import Primitives

/// Turns certificate revocation lists (RFC 5280 §5), PEM blocks or one list in DER, into facts and opaque material. `file` is
/// the name used in messages. No clock is read and no signature checked: that is done where a certificate is. In a bundle,
/// blocks of other kinds are passed over. Any thread.
public func revocationFacts(_ bytes: [UInt8], file: String) -> Result<RevocationFacts, CertificateProblem> {
    do throws(CertificateProblem) {
        let lists = try RevocationList.readAll(bytes, file: file)
        return .success(
            RevocationFacts(
                issuers: lists.map(\.issuer), nextUpdate: lists.compactMap(\.nextUpdate).min(),
                material: KeyMaterial(
                    fingerprint: fingerprint(kind: "revocation", lists.map(\.encoding)),
                    storage: RevocationStorage(owning: lists.map { $0.retained() }))))
    } catch {
        return .failure(error)
    }
}

/// One parsed list: owns a reference on its `X509_CRL *`.
private final class RevocationList {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_CRL_free(pointer) }

    func retained() -> OpaquePointer {
        X509_CRL_up_ref(pointer)
        return pointer
    }

    var issuer: String { distinguishedName(X509_CRL_get_issuer(pointer)) }
    var encoding: [UInt8] { encoded { i2d_X509_CRL(pointer, $0) } }
    /// Seconds since 1970; nil where the list does not say.
    var nextUpdate: Int64? {
        defer { ERR_clear_error() }
        guard let time = X509_CRL_get0_nextUpdate(pointer) else { return nil }
        var value: Int64 = 0
        return sluice_asn1_time_seconds(time, &value) == 1 ? value : nil
    }

    static func readAll(_ text: [UInt8], file: String) throws(CertificateProblem) -> [RevocationList] {
        // What else an object holds need not be decoded for that.
        guard text.first == 0x30 || holdsMarker(text) else {
            throw CertificateProblem("\(file) holds no certificate revocation list")
        }
        if text.first == 0x30 {
            guard let list = text.withUnsafeBufferPointer({ parse($0) }) else {
                throw CertificateProblem(
                    "\(file) is no readable certificate revocation list: \(drainErrors() ?? "bytes follow it")")
            }
            return [list]
        }
        var lists: [RevocationList] = []
        for block in try readPEM(text, file: file) where block.label == "X509 CRL" {
            guard let list = parse(UnsafeBufferPointer(block.bytes)) else {
                throw CertificateProblem(
                    "\(file): \(block.place) is no readable certificate revocation list: "
                        + (drainErrors() ?? "bytes follow it"))
            }
            lists.append(list)
        }
        guard !lists.isEmpty else { throw CertificateProblem("\(file) holds no certificate revocation list") }
        return lists
    }

    private static let marker = Array("BEGIN X509 CRL".utf8)

    private static func holdsMarker(_ text: [UInt8]) -> Bool {
        var rest = text[...]
        while let start = rest.firstIndex(of: marker[0]) {
            rest = rest[start...]
            if rest.starts(with: marker) { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    /// Nil also where bytes are left over.
    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> RevocationList? {
        ERR_clear_error()
        var cursor = bytes.baseAddress
        guard let pointer = d2i_X509_CRL(nil, &cursor, bytes.count) else { return nil }
        let list = RevocationList(owning: pointer)
        ERR_clear_error()
        guard let end = bytes.baseAddress.map({ $0 + bytes.count }), cursor == end else { return nil }
        return list
    }
}
