internal import COpenSSL
public import Primitives

/// Turns certificate revocation lists (RFC 5280 §5), PEM blocks or one list in DER, into facts and opaque material. `file` is
/// the name used in messages. No clock is read and no signature checked: that is done where a certificate is. In a bundle,
/// blocks of other kinds are passed over; lists that must not be relied on alone are failures. Any thread.
public func revocationFacts(_ bytes: [UInt8], file: String) -> Result<RevocationFacts, CertificateProblem> {
    do throws(CertificateProblem) {
        let lists = try RevocationList.readAll(bytes, file: file)
        return .success(
            RevocationFacts(
                issuers: lists.map(\.issuer), nextUpdate: lists.compactMap(\.nextUpdate).min(),
                material: KeyMaterial(
                    fingerprint: fingerprint(kind: "revocation", lists.map(\.encoding)),
                    storage: RevocationStorage(lists))))
    } catch {
        return .failure(error)
    }
}

extension RevocationList {
    fileprivate static func readAll(_ text: [UInt8], file: String) throws(CertificateProblem) -> [RevocationList] {
        // What else an object holds need not be decoded for that.
        guard text.first == 0x30 || holdsMarker(text) else {
            throw CertificateProblem("\(file) holds no certificate revocation list")
        }
        if text.first == 0x30 {
            guard let list = text.withUnsafeBufferPointer({ parse($0) }) else {
                throw CertificateProblem(
                    "\(file) is no readable certificate revocation list: \(drainErrors() ?? "bytes follow it")")
            }
            return [try RevocationList(owning: list, place: file)]
        }
        var lists: [RevocationList] = []
        for block in try readPEM(text, file: file) where block.label == "X509 CRL" {
            guard let list = parse(UnsafeBufferPointer(block.bytes)) else {
                throw CertificateProblem(
                    "\(file): \(block.place) is no readable certificate revocation list: "
                        + (drainErrors() ?? "bytes follow it"))
            }
            lists.append(try RevocationList(owning: list, place: "\(file): \(block.place)"))
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

    /// An `X509_CRL *` to own. Nil also where bytes are left over.
    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> OpaquePointer? {
        ERR_clear_error()
        var cursor = bytes.baseAddress
        guard let list = d2i_X509_CRL(nil, &cursor, bytes.count) else { return nil }
        ERR_clear_error()
        guard let end = bytes.baseAddress.map({ $0 + bytes.count }), cursor == end else {
            X509_CRL_free(list)
            return nil
        }
        return list
    }
}
