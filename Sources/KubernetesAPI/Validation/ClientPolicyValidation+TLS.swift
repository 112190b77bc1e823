extension FieldChecks {
    mutating func tls(_ field: String, _ tls: ClientPolicy.TLS?) {
        guard let tls else { return }
        tlsParameters(
            field, versions: (tls.minVersion, tls.maxVersion), ciphers: tls.ciphers, curves: tls.ecdhCurves,
            alpnProtocols: tls.alpnProtocols)
        texts("\(field).signatureAlgorithms", tls.signatureAlgorithms, 1...16, 1...64)
        clientValidation("\(field).clientValidation", tls.clientValidation)
        let resumption = tls.session?.resumption
        oneOf("\(field).session.resumption.tickets", resumption?.tickets, ["Enabled", "Disabled"])
        duration(
            "\(field).session.resumption.lifetime", resumption?.lifetime, "must be greater than 0s and at most 24h"
        ) {
            $0 > .zero && $0 <= .seconds(86400)
        }
        rule(
            field, "alpnRequired needs alpnProtocols", holds: tls.alpnRequired != true || tls.alpnProtocols != nil)
    }

    private mutating func clientValidation(_ field: String, _ validation: ClientPolicy.ClientValidation?) {
        guard let validation else { return }
        if validation.subjectAltNames == nil, validation.spkiHashes == nil, validation.crlRefs == nil {
            add(field, "must not be empty: set at least one of subjectAltNames, spkiHashes and crlRefs")
        }
        count("\(field).subjectAltNames", validation.subjectAltNames?.count, 1...64)
        for (index, name) in (validation.subjectAltNames ?? []).enumerated() {
            let field = "\(field).subjectAltNames[\(index)]"
            oneOf("\(field).type", name.type, ["DNS", "URI", "Email"])
            oneOf("\(field).match", name.match, ["Exact", "Prefix", "Suffix"])
            text("\(field).value", name.value, 1...2048)
        }
        texts("\(field).spkiHashes", validation.spkiHashes, 1...64, 44...44, .publicKeyHash)
        count("\(field).crlRefs", validation.crlRefs?.count, 1...8)
        for (index, reference) in (validation.crlRefs ?? []).enumerated() {
            let field = "\(field).crlRefs[\(index)]"
            oneOf("\(field).kind", reference.kind, ["ConfigMap", "Secret"])
            text("\(field).name", reference.name, 1...253, .subdomain)
            text("\(field).key", reference.key, 1...253, .dataKeyReference)
        }
    }
}
