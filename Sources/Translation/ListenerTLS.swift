internal import KubernetesAPI
internal import Primitives

/// The one key of a listener's `tls.options` that we know: ALPN protocols in order, separated by commas.
let alpnOption = "sluice.dev/alpn-protocols"

/// Checks what a listener that terminates TLS needs: certificates, options, client certificates.
func checkTLS(
    _ state: inout ListenerState, of gateway: Gateway, _ key: ObjectKey, _ snapshot: ClusterSnapshot, grants: GrantIndex
) {
    guard state.isTLS else { return }
    checkOptions(&state)
    guard state.traffic == .terminate else { return }
    if let problem = clientValidationProblem(state.spec, gateway.spec.tls?.frontend) {
        state.rejections.append(problem)
    }
    let references = state.spec.tls?.certificateRefs ?? []
    if references.isEmpty {
        state.unresolved.insert(Verdict(.invalidCertificateRef, "tls.certificateRefs is empty"), at: 0)
        return
    }
    var problems: [Verdict] = []
    for reference in references {
        let found = certificate(reference, of: key, snapshot, grants: grants)
        switch found.result {
        case .success(let facts):
            if !state.certificates.contains(facts) { state.certificates.append(facts) }
            state.remarks += found.remarks
        case .failure(let problem): problems.append(problem.verdict)
        }
    }
    if let hostname = state.hostname, !state.certificates.isEmpty,
        !state.certificates.contains(where: { $0.dnsNames.contains { $0.intersection(hostname) != nil } })
    {
        state.remarks.append("no certificate is made out to \(hostname)")
    }
    // What concerns certificates is graver than a kind of route that cannot attach.
    state.unresolved = problems + state.unresolved
}

private struct CertificateFailure: Error {
    let verdict: Verdict
}

private func certificate(
    _ reference: SecretObjectReference, of gateway: ObjectKey, _ snapshot: ClusterSnapshot, grants: GrantIndex
) -> (result: Result<KeyPairFacts, CertificateFailure>, remarks: [String]) {
    func refused(_ reason: Condition.Reason, _ message: String) -> (Result<KeyPairFacts, CertificateFailure>, [String])
    {
        (.failure(CertificateFailure(verdict: Verdict(reason, message))), [])
    }
    guard reference.effectiveGroup.isEmpty, reference.effectiveKind == "Secret" else {
        let group = reference.effectiveGroup.isEmpty ? "" : ".\(reference.effectiveGroup)"
        return refused(
            .invalidCertificateRef,
            "certificateRef \(reference.name): kind \(reference.effectiveKind)\(group) is not supported (supported: Secret)"
        )
    }
    let target = ObjectKey(namespace: reference.namespace ?? gateway.namespace, name: reference.name)
    guard grants.permits("Gateway", in: gateway.namespace, toGroup: "", toKind: "Secret", target) else {
        return refused(
            .refNotPermitted,
            "Secret \(target): no ReferenceGrant in \(target.namespace) lets Gateways of \(gateway.namespace) use it")
    }
    guard let secret = snapshot.secrets[target] else {
        return refused(.invalidCertificateRef, "Secret \(target) does not exist")
    }
    switch secret.keyPair {
    case nil: return refused(.invalidCertificateRef, "Secret \(target) has no tls.crt and tls.key")
    case .failure(let problem): return refused(.invalidCertificateRef, "Secret \(target): \(problem.message)")
    case .success(let facts):
        return (.success(facts), certificateRemarks(facts, target, secret.staleReason, asOf: snapshot.asOf))
    }
}

/// What deserves to be known about a certificate that is served all the same.
private func certificateRemarks(
    _ facts: KeyPairFacts, _ secret: ObjectKey, _ staleReason: String?, asOf: Int64
) -> [String] {
    var remarks: [String] = []
    if let staleReason {
        remarks.append("Secret \(secret): the last good certificate is served, because \(staleReason)")
    }
    if asOf >= facts.notAfter {
        remarks.append("Secret \(secret): the certificate has expired")
    } else if asOf < facts.notBefore {
        remarks.append("Secret \(secret): the certificate is not valid yet")
    }
    return remarks + facts.chainProblems.map { "Secret \(secret): \($0)" }
}

/// Reads the options under our own name; what belongs to other implementations is theirs.
private func checkOptions(_ state: inout ListenerState) {
    for (option, value) in (state.spec.tls?.options ?? [:]).sorted(by: { $0.key < $1.key })
    where option.hasPrefix("sluice.dev/") {
        guard option == alpnOption else {
            state.rejections.append(
                Verdict(.unsupportedValue, "tls.options: '\(option)' is unknown (known: \(alpnOption))"))
            continue
        }
        guard state.traffic == .terminate else {
            state.rejections.append(
                Verdict(.unsupportedValue, "tls.options: \(alpnOption) needs mode Terminate"))
            continue
        }
        let protocols = value.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty }
        guard !protocols.isEmpty, protocols.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
            state.rejections.append(
                Verdict(
                    .unsupportedValue,
                    "tls.options: \(alpnOption) must be names of 1-255 bytes separated by commas, such as 'h2,http/1.1'"
                ))
            continue
        }
        state.alpnProtocols = protocols
    }
}

private func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
}

/// Client certificates cannot be demanded yet; a listener that asks for them lets nobody in.
private func clientValidationProblem(_ spec: Gateway.Listener, _ frontend: Gateway.Frontend?) -> Verdict? {
    let ofPort = (frontend?.perPort ?? []).first { $0.port == spec.port }
    let settings = ofPort == nil ? frontend?.default : ofPort?.tls
    guard settings?.validation != nil else { return nil }
    return Verdict(
        .unsupportedValue,
        "client certificates (tls.frontend) are not supported by this version; nobody is let in without the check")
}
