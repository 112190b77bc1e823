internal import COpenSSL
internal import Certificates

// What listeners and backends have in common of TLS parameters that are given by name.

/// Refuses names that this OpenSSL does not know.
func requireKnown(
    ciphers: [String]?, groups: [String]?, signatureAlgorithms: [String]? = nil
) throws(TLSSetupError) {
    let unknown = unknownTLSNames(
        ciphers: ciphers ?? [], groups: groups ?? [], signatureAlgorithms: signatureAlgorithms ?? [])
    let names = unknown.ciphers + unknown.groups + unknown.signatureAlgorithms
    guard names.isEmpty else { throw TLSSetupError("unknown TLS parameters: \(names.joined(separator: ", "))") }
}

/// Ciphers are those of TLS 1.2, best first.
func setCiphers(of context: OpaquePointer, _ names: [String]) throws(TLSSetupError) {
    guard sluice_context_set_ciphers(context, names.joined(separator: ":")) == 1 else { throw TLSSetupError("ciphers") }
}

func setGroups(of context: OpaquePointer, _ names: [String]) throws(TLSSetupError) {
    guard apply(names, { sluice_context_set_groups(context, $0) == 1 }) else { throw TLSSetupError("groups") }
}

func setSignatureAlgorithms(of context: OpaquePointer, _ names: [String]) throws(TLSSetupError) {
    guard apply(names, { sluice_context_set_signature_algorithms(context, $0) == 1 }) else {
        throw TLSSetupError("signature algorithms")
    }
}

/// Sets a list of names that are known, each alone; OpenSSL refuses a list that has something twice, by whatever names.
private func apply(_ names: [String], _ set: (String) -> Bool) -> Bool {
    if set(names.joined(separator: ":")) { return true }
    var taken = ""
    for name in names {
        let longer = taken.isEmpty ? name : taken + ":" + name
        if set(longer) { taken = longer }
    }
    ERR_clear_error()
    return !taken.isEmpty && set(taken)
}
