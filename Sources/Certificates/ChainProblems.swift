internal import COpenSSL
internal import Primitives

/// What clients may object to in a chain whose leaf is usable, one sentence each. No clock, no trust store.
func chainProblems(_ certificates: [Certificate]) -> [String] {
    orderProblems(certificates) + validityProblems(certificates) + purposeProblems(certificates[0])
        + missingIntermediate(certificates)
}

private func orderProblems(_ certificates: [Certificate]) -> [String] {
    var problems: [String] = []
    for (index, certificate) in certificates.enumerated().dropFirst() {
        let number = index + 1
        let previous = certificates[index - 1]
        if let twin = certificates[..<index].firstIndex(where: { X509_cmp($0.pointer, certificate.pointer) == 0 }) {
            problems.append("certificate \(number) (\(certificate.subject)) repeats certificate \(twin + 1)")
            continue
        }
        guard !certificate.issued(previous) else { continue }
        if let issuer = certificates.firstIndex(where: { $0 !== previous && $0.issued(previous) }) {
            problems.append(
                "certificate \(number) (\(certificate.subject)) is out of order: certificate \(index) was issued by "
                    + "certificate \(issuer + 1) (\(certificates[issuer].subject)), which belongs right after it")
        } else if previous.isSelfSigned {
            problems.append(
                "certificate \(number) (\(certificate.subject)) is superfluous: certificate \(index) is self-signed")
        } else {
            problems.append(
                "certificate \(number) (\(certificate.subject)) did not issue certificate \(index): its issuer "
                    + "\(previous.issuer) is missing")
        }
    }
    return problems
}

private func validityProblems(_ certificates: [Certificate]) -> [String] {
    guard let end = certificates[0].notAfter else { return [] }
    return certificates.enumerated().dropFirst().compactMap { index, certificate in
        guard let own = certificate.notAfter else {
            return "the validity of certificate \(index + 1) (\(certificate.subject)) cannot be read"
        }
        return own < end ? "certificate \(index + 1) (\(certificate.subject)) expires before the leaf" : nil
    }
}

private func purposeProblems(_ leaf: Certificate) -> [String] {
    defer { ERR_clear_error() }
    guard X509_get_extension_flags(leaf.pointer) & UInt32(EXFLAG_XKUSAGE) != 0 else { return [] }
    let allowed = X509_get_extended_key_usage(leaf.pointer)
    guard allowed & UInt32(XKU_SSL_SERVER | XKU_ANYEKU) == 0 else { return [] }
    return ["the certificate's extended key usage does not allow TLS servers"]
}

/// A leaf alone is complete where a root issued it; that no root did is told by the address of its issuer's certificate,
/// which public authorities put into what their intermediates issue.
private func missingIntermediate(_ certificates: [Certificate]) -> [String] {
    guard certificates.count == 1, !certificates[0].isSelfSigned,
        X509_get_ext_by_NID(certificates[0].pointer, NID_info_access, -1) >= 0
    else { return [] }
    return ["the intermediate certificate \(certificates[0].issuer) is not in tls.crt; some clients will not trust it"]
}
