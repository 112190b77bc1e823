internal import COpenSSL
internal import Certificates
internal import EngineModel
internal import Platform
internal import Primitives

/// What is wrong with a certificate whose chain verified: verify results beside those of OpenSSL, which answers them with the
/// alert certificate_unknown. A revoked one has OpenSSL's own.
enum RequirementProblem: Int32, CaseIterable {
    case names = 50_001
    case publicKey
    /// A revocation list has run out: it revokes all.
    case listExpired
    /// No list speaks of the certificate.
    case listMissing

    var text: String {
        switch self {
        case .names: "none of its names is one that is let in"
        case .publicKey: "its public key is none of those that are let in"
        case .listExpired: "the revocation list of its issuer has expired"
        case .listMissing: "there is no revocation list of its issuer"
        }
    }
}

/// What a listener demands of certificates beyond a chain to one of its CAs.
final class ClientRequirements: Sendable {
    private let rules: [Rule]
    /// Whether clients are let in all the same, as ones without a certificate that verified.
    private let isTolerant: Bool

    private struct Rule: Sendable {
        var names: [ClientValidation.Name]?
        var spkiHashes: Set<String>?
        var lists: [RevocationStorage]
    }

    /// Nil: it demands nothing.
    init?(_ validation: ClientValidation, authorities: [OpaquePointer]) throws(TLSSetupError) {
        guard !validation.requirements.isEmpty else { return nil }
        isTolerant = validation.mode == .insecureFallback
        var rules: [Rule] = []
        for requirement in validation.requirements {
            var lists: [RevocationStorage] = []
            for facts in requirement.revocationLists {
                guard let storage = facts.material.storage as? RevocationStorage else {
                    throw TLSSetupError("revocation list \(facts.material) is not loaded")
                }
                for authority in authorities { storage.prepare(for: authority) }
                lists.append(storage)
            }
            let names = requirement.names?.map(\.comparable)
            rules.append(Rule(names: names, spkiHashes: requirement.spkiHashes, lists: lists))
        }
        self.rules = rules
    }

    /// Clients of `context`, which must not outlive this, are held against it at every full handshake.
    func install(in context: OpaquePointer) {
        SSL_CTX_set_cert_verify_callback(
            context,
            { verification, argument in
                guard let verification, let argument else { return 0 }
                let own = Unmanaged<ClientRequirements>.fromOpaque(argument).takeUnretainedValue()
                return own.verify(verification) ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Whether the handshake goes on; what is wrong is the verification's error.
    private func verify(_ verification: OpaquePointer) -> Bool {
        guard X509_verify_cert(verification) > 0 else { return false }
        // A tolerant verification has let anything through.
        guard X509_STORE_CTX_get_error(verification) == X509_V_OK else { return isTolerant }
        guard let problem = problem(of: verification) else { return true }
        X509_STORE_CTX_set_error(verification, problem)
        return isTolerant
    }

    private func problem(of verification: OpaquePointer) -> Int32? {
        guard let leaf = sluice_chain_certificate(verification, 0) else { return X509_V_ERR_UNSPECIFIED }
        let now = realtimeNanoseconds() / 1_000_000_000
        for rule in rules where !rule.lists.isEmpty {
            if let problem = revocation(verification, rule.lists, now) { return problem }
        }
        let identity = clientIdentity(of: leaf)
        for rule in rules {
            if let names = rule.names, !names.contains(where: { $0.matches(identity) }) {
                return RequirementProblem.names.rawValue
            }
            if let hashes = rule.spkiHashes, !hashes.contains(identity.spkiHash) {
                return RequirementProblem.publicKey.rawValue
            }
        }
        return nil
    }

    /// The client's own certificate must be covered; those above it, where a list does.
    private func revocation(_ verification: OpaquePointer, _ lists: [RevocationStorage], _ now: Int64) -> Int32? {
        var index: Int32 = 0
        while let certificate = sluice_chain_certificate(verification, index) {
            // The issuer of the last one, an anchor, is at hand only where it is its own.
            let issuer =
                sluice_chain_certificate(verification, index + 1)
                ?? (X509_self_signed(certificate, 0) == 1 ? certificate : nil)
            var answers: [RevocationStatus] = []
            if let issuer { answers = lists.map { $0.status(of: certificate, issuedBy: issuer, at: now) } }
            if answers.contains(.revoked) { return X509_V_ERR_CERT_REVOKED }
            if !answers.contains(.good) {
                if answers.contains(.expired) { return RequirementProblem.listExpired.rawValue }
                if index == 0 { return RequirementProblem.listMissing.rawValue }
            }
            index += 1
        }
        return nil
    }
}

extension ClientValidation.Name {
    /// DNS names are compared in lower case.
    fileprivate var comparable: ClientValidation.Name {
        guard case .dns(let pattern) = self else { return self }
        return switch pattern {
        case .exact(let text): .dns(.exact(text.lowercased()))
        case .prefix(let text): .dns(.prefix(text.lowercased()))
        case .suffix(let text): .dns(.suffix(text.lowercased()))
        }
    }

    fileprivate func matches(_ identity: ClientIdentity) -> Bool {
        switch self {
        case .dns(let pattern): identity.dnsNames.contains { pattern.matches($0) }
        case .uri(let pattern): identity.uris.contains { pattern.matches($0) }
        case .email(let pattern): identity.emails.contains { pattern.matches($0) }
        }
    }
}
