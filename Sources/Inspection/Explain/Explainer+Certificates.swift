internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension Explainer {
    /// How long before its end a certificate is a warning: that of the alert.
    private static let soon: Int64 = 14 * 86_400

    /// The certificates of a listener that terminates TLS, and what else is said of its references.
    mutating func certificates(_ listener: ListenerFacts) {
        let namespace = (listener.set ?? listener.gateway).namespace
        var said: Set<String> = []
        for (index, reference) in (listener.spec.tls?.certificateRefs ?? []).enumerated() {
            let key = ObjectKey(namespace: reference.namespace ?? namespace, name: reference.name)
            said.insert("Secret \(key)")
            guard case .success(let facts)? = snapshot.secrets[key]?.keyPair else { continue }
            validity(
                facts, "Secret \(key)", field: "\(listener.field).tls.certificateRefs[\(index)]", .tlsError, depth: 2)
        }
        // The rest of what is said of certificates that are used all the same.
        let remarks = (listener.status?.conditions ?? [])[.resolvedRefs].flatMap {
            $0.status == .true ? $0.message : nil
        }
        for remark in (remarks ?? "").split(separator: "; ").map(String.init)
        where !said.contains(where: { remark.hasPrefix($0 + ": the certificate ") }) {
            links.append(
                Link(
                    .warning, object: listener.title, field: "\(listener.field).tls", message: remark,
                    advice: "compare the certificate with the listener's hostname", depth: 2))
        }
    }

    /// How long a certificate holds.
    mutating func validity(
        _ facts: KeyPairFacts, _ object: String, field: String? = nil, _ reason: CloseReason, depth: Int
    ) {
        let names = facts.dnsNames.map(\.description).joined(separator: ", ")
        let text = names.isEmpty ? "certificate" : "certificate of \(names)"
        let now = snapshot.asOf
        if now >= facts.notAfter || now < facts.notBefore {
            let what =
                now >= facts.notAfter
                ? "the certificate has expired (\(date(facts.notAfter)))"
                : "the certificate is not valid yet (from \(date(facts.notBefore)))"
            links.append(
                Link(
                    .broken, object: object, field: field, cause: reason.rawValue,
                    message: "\(what): clients that verify it refuse it",
                    advice: "renew the certificate: cert-manager, or who else writes the Secret", depth: depth))
        } else if facts.notAfter - now < Explainer.soon {
            links.append(
                Link(
                    .warning, object: object, field: field,
                    message: "\(text) expires in \((facts.notAfter - now) / 86_400) days (\(date(facts.notAfter)))",
                    advice: "renew the certificate: cert-manager, or who else writes the Secret", depth: depth))
        } else {
            good(object, "\(text), valid until \(date(facts.notAfter))", field: field, depth: depth)
        }
    }
}

/// The day, in UTC: `2026-11-22`.
func date(_ seconds: Int64) -> String {
    // Days to a civil date, by eras of 400 years that begin on 1 March.
    let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400 + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(year + era * 400 + (month <= 2 ? 1 : 0))-\(two(month))-\(two(dayOfYear - (153 * shifted + 2) / 5 + 1))"
}
