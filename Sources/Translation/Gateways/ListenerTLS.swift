internal import KubernetesAPI
internal import Primitives

/// The one key of a listener's `tls.options` that we know: ALPN protocols in order, separated by commas.
let alpnOption = "sluice.dev/alpn-protocols"

/// Checks what a listener that terminates TLS needs: certificates, options, client certificates.
func checkTLS(
    _ state: inout ListenerState, _ frontend: FrontendTLS, _ snapshot: ClusterSnapshot, grants: GrantIndex
) {
    guard state.isTLS else { return }
    checkOptions(&state)
    guard state.traffic == .terminate else { return }
    if let clients = frontend[state.spec.port] {
        state.clientValidation = clients.validation
        if let rejection = clients.rejection { state.rejections.append(rejection) }
        state.unresolved = clients.unresolved + state.unresolved
        state.remarks += clients.remarks
    }
    let references = state.spec.tls?.certificateRefs ?? []
    if references.isEmpty {
        state.unresolved.insert(Verdict(.invalidCertificateRef, "tls.certificateRefs is empty"), at: 0)
        return
    }
    var problems: [Verdict] = []
    for reference in references {
        let found = keyPair(
            reference, field: "certificateRef", of: state.owner.kind, in: state.owner.namespace,
            invalid: .invalidCertificateRef, snapshot, grants: grants)
        switch found {
        case .success(let read):
            if !state.certificates.contains(read.pair) { state.certificates.append(read.pair) }
            state.remarks += read.remarks
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
