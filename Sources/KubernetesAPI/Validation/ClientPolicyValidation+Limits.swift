extension FieldChecks {
    mutating func authorization(_ field: String, _ authorization: ClientPolicy.Authorization?) {
        guard let authorization else { return }
        oneOf("\(field).defaultAction", authorization.defaultAction, ["Allow", "Deny"])
        let rules = authorization.rules ?? []
        count("\(field).rules", rules.count, 0...64)
        for (index, item) in rules.enumerated() {
            let field = "\(field).rules[\(index)]"
            text("\(field).name", item.name, 1...63, .label)
            oneOf("\(field).action", item.action, ["Allow", "Deny", "Audit"])
            principal("\(field).principal", item.principal)
        }
        rule("\(field).rules", "rule names must be unique", holds: areUnique(rules, by: \.name))
    }

    private mutating func principal(_ field: String, _ principal: ClientPolicy.Principal) {
        cidrs("\(field).clientCIDRs", principal.clientCIDRs, 1...1024)
        count("\(field).clientCIDRRefs", principal.clientCIDRRefs?.count, 1...8)
        for (index, reference) in (principal.clientCIDRRefs ?? []).enumerated() {
            let field = "\(field).clientCIDRRefs[\(index)]"
            text("\(field).name", reference.name, 1...253, .subdomain)
            text("\(field).key", reference.key, 1...253, .dataKeyReference)
        }
        cidrs("\(field).peerCIDRs", principal.peerCIDRs, 1...1024)
        certificate("\(field).clientCertificate", principal.clientCertificate)
        texts("\(field).serverNames", principal.serverNames, 1...64, 1...253, .hostname)
        rule(
            field,
            "at least one of clientCIDRs, clientCIDRRefs, peerCIDRs, clientCertificate and serverNames must be set",
            holds: principal.clientCIDRs != nil || principal.clientCIDRRefs != nil || principal.peerCIDRs != nil
                || principal.clientCertificate != nil || principal.serverNames != nil)
    }

    private mutating func certificate(_ field: String, _ certificate: ClientPolicy.CertificatePrincipal?) {
        guard let certificate else { return }
        texts("\(field).dnsNames", certificate.dnsNames, 1...64, 1...253, .starred)
        texts("\(field).uris", certificate.uris, 1...64, 1...2048, .starred)
        texts("\(field).emails", certificate.emails, 1...64, 1...253, .starred)
        texts("\(field).spkiHashes", certificate.spkiHashes, 1...64, 44...44, .publicKeyHash)
        texts("\(field).issuerCommonNames", certificate.issuerCommonNames, 1...64, 1...253)
        rule(
            field, "at least one of dnsNames, uris, emails, spkiHashes and issuerCommonNames must be set",
            holds: certificate.dnsNames != nil || certificate.uris != nil || certificate.emails != nil
                || certificate.spkiHashes != nil || certificate.issuerCommonNames != nil)
    }

    mutating func connectionLimit(_ field: String, _ limit: ClientPolicy.ConnectionLimit?) {
        guard let limit else { return }
        atLeast(1, "\(field).value", limit.value)
        let source = limit.perSourceIP
        atLeast(1, "\(field).perSourceIP.value", source?.value)
        prefixes("\(field).perSourceIP", source?.ipv4PrefixLength, source?.ipv6PrefixLength)
        duration("\(field).closeDelay", limit.closeDelay, "must be at most 60s") { $0 <= .seconds(60) }
        oneOf("\(field).onLimit", limit.onLimit, ["Close", "Pause"])
        oneOf("\(field).shared", limit.shared, ["PerPod", "Divide"])
        rule(
            field, "at least one of value and perSourceIP must be set", holds: limit.value != nil || source != nil)
        rule(
            field, "onLimit Pause cannot be combined with perSourceIP",
            holds: limit.onLimit != "Pause" || source == nil)
    }

    mutating func connectionRateLimit(_ field: String, _ limit: ClientPolicy.ConnectionRateLimit?) {
        guard let limit else { return }
        range("\(field).connections", limit.connections, 1...1_000_000)
        oneOf("\(field).unit", limit.unit, ["Second", "Minute", "Hour"])
        range("\(field).burst", limit.burst, 1...1_000_000)
        let source = limit.perSourceIP
        range("\(field).perSourceIP.connections", source?.connections, 1...1_000_000)
        range("\(field).perSourceIP.burst", source?.burst, 1...1_000_000)
        prefixes("\(field).perSourceIP", source?.ipv4PrefixLength, source?.ipv6PrefixLength)
        rule(
            field, "at least one of connections and perSourceIP must be set",
            holds: limit.connections != nil || source != nil)
        rule(field, "burst needs connections", holds: limit.burst == nil || limit.connections != nil)
    }

    private mutating func prefixes(_ field: String, _ ipv4: Int?, _ ipv6: Int?) {
        range("\(field).ipv4PrefixLength", ipv4, 1...32)
        range("\(field).ipv6PrefixLength", ipv6, 1...128)
    }

    mutating func bandwidthLimit(_ field: String, _ limit: ClientPolicy.BandwidthLimit?) {
        guard let limit else { return }
        for (name, direction) in [("request", limit.request), ("response", limit.response)] {
            for (part, amount) in [("value", direction?.value), ("burst", direction?.burst)] {
                quantity("\(field).\(name).\(part)", amount, from: Quantity("1Ki"), to: Quantity("1Ti"))
            }
        }
        oneOf("\(field).scope", limit.scope, ["Connection", "SourceIP", "Target"])
        rule(
            field, "at least one of request and response must be set",
            holds: limit.request != nil || limit.response != nil)
    }
}
