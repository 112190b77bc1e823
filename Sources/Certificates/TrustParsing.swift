public import Primitives

/// Turns a bundle of CA certificates (`ca.crt`) into facts and opaque material. No clock is read; blocks that are not
/// certificates are passed over. Any thread.
public func trustFacts(pem: [UInt8]) -> Result<TrustFacts, CertificateProblem> {
    do throws(CertificateProblem) {
        let certificates = try Certificate.readAll(pem, file: "ca.crt")
        var earliest = Int64.max
        for (index, certificate) in certificates.enumerated() {
            guard let notAfter = certificate.notAfter else {
                throw CertificateProblem(
                    "ca.crt: the validity of certificate \(index + 1) (\(certificate.subject)) cannot be read")
            }
            earliest = min(earliest, notAfter)
        }
        return .success(
            TrustFacts(
                subjects: certificates.map(\.subject), notAfter: earliest,
                material: KeyMaterial(
                    fingerprint: fingerprint(kind: "trust", certificates.map(\.encoding)),
                    storage: TrustStorage(certificates))))
    } catch {
        return .failure(error)
    }
}
