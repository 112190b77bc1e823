extension FieldChecks {
    mutating func proxyProtocol(_ field: String, _ proxy: BackendPolicy.ProxyProtocol?) {
        guard let proxy else { return }
        oneOf("\(field).version", proxy.version, ["V1", "V2"])
        count("\(field).tlvs", proxy.tlvs?.count, 0...16)
        for (index, tlv) in (proxy.tlvs ?? []).enumerated() { self.tlv("\(field).tlvs[\(index)]", tlv) }
        rule(
            field, "tlvs are only allowed with version V2",
            holds: (proxy.tlvs ?? []).isEmpty || proxy.version == "V2")
    }

    private mutating func tlv(_ field: String, _ tlv: BackendPolicy.TLV) {
        oneOf(
            "\(field).type", tlv.type, ["Authority", "ALPN", "SSL", "UniqueID", "CRC32C", "Forward", "Custom"])
        range("\(field).code", tlv.code, 224...239)
        if let value = tlv.value {
            text("\(field).value", value, 0...256)
            let isShort = value.unicodeScalars.count > 256 || value.utf8.count <= 256
            rule("\(field).value", "must be at most 256 bytes", holds: isShort)
        }
        rule(
            field, "code must be set if, and only if, type is Custom or Forward",
            holds: (tlv.code != nil) == ["Custom", "Forward"].contains(tlv.type))
        rule(
            field, "value must be set if, and only if, type is Custom",
            holds: (tlv.value != nil) == (tlv.type == "Custom"))
    }

    mutating func tls(_ field: String, _ tls: BackendPolicy.TLS?) {
        guard let tls else { return }
        oneOf("\(field).verification", tls.verification, ["CA", "CAAndPin", "PinOnly"])
        texts("\(field).spkiHashes", tls.spkiHashes, 1...16, 44...44, .publicKeyHash)
        tlsParameters(
            field, versions: (tls.minVersion, tls.maxVersion), ciphers: tls.ciphers, curves: tls.ecdhCurves,
            alpnProtocols: tls.alpnProtocols)
        text("\(field).serverName", tls.serverName, 1...253, .serverName)
        rule(
            field, "spkiHashes must be set if, and only if, verification is CAAndPin or PinOnly",
            holds: (tls.spkiHashes != nil) == (tls.effectiveVerification != "CA"))
        rule(
            field,
            "serverName is only allowed with verification PinOnly; otherwise set validation.hostname of the "
                + "BackendTLSPolicy", holds: tls.serverName == nil || tls.verification == "PinOnly")
    }
}
