internal import Primitives

/// A bind: where a frontend listens, and its TLS.
struct HAProxyBind {
    private let bind: SourceField
    private let object: SourceObject

    init(_ bind: SourceField, _ object: SourceObject) { (self.bind, self.object) = (bind, object) }

    /// False where it cannot be listened on.
    func apply(to entry: inout Entry, isNamed: Bool) -> Bool {
        guard let port = bind["port"]?.integer, (1...65535).contains(port), bind["port-range-end"] == nil else {
            let why = "It needs one port: listeners have one each."
            object.ledger.fail("\(bind.path): left out. \(why)")
            bind.leaveOut(why)
            return false
        }
        entry.port = port
        bind["port"]?.convert()
        if let address = bind["address"], let text = address.scalar {
            if !["", "*", "0.0.0.0", "::"].contains(text) {
                guard let host = DestinationName.endpointHost(text), DestinationName.isAddress(host) else {
                    object.ledger.fail("\(address.path): left out. \(printable(text)) is no address.")
                    bind.drop("Left out. \(printable(text)) is no address.")
                    return false
                }
                entry.address = host
            }
            address.convert()
        }
        entry.mode = bind["ssl"]?.takeBool() == true ? .terminate : isNamed ? .passthrough : .plain
        entry.listener = "\(entry.mode == .plain ? "tcp" : "tls")-\(port)"
        if bind["accept_proxy"]?.takeBool() == true { entry.portSettings.proxy = .init() }
        if let limit = bind["maxconn"]?.takeInteger(), limit > 0 {
            entry.portSettings.connections = min(entry.portSettings.connections ?? limit, limit)
        }
        if entry.mode == .plain { entry.portSettings.inspectionTimeout = nil }
        if entry.mode == .terminate { addTLS(to: &entry) }
        if let field = bind["accept_netscaler_cip"] { close(&entry, field, "headers of NetScaler are not read") }
        return true
    }

    private func addTLS(to entry: inout Entry) {
        let namespace = object.name.namespace
        let text = bind["ssl_certificate"]?.take() ?? ""
        if HostnamePattern.isDNSName(text) {
            entry.certificates = [ObjectName(namespace: namespace, name: text)]
        } else {
            let secret = ObjectName(namespace: namespace, name: Names.label("\(entry.route.name)-tls"))
            entry.certificates = [secret]
            entry.comments.append(
                "Put the certificate and key of \(text.isEmpty ? "the controller" : printable(text)) in the Secret \(secret)."
            )
        }
        addClients(to: &entry)
        version("ssl_min_ver", &entry.portSettings.tls.minVersion)
        version("ssl_max_ver", &entry.portSettings.tls.maxVersion)
        if bind["force_tlsv12"]?.takeBool() == true {
            (entry.portSettings.tls.minVersion, entry.portSettings.tls.maxVersion) = ("1.2", "1.2")
        }
        if bind["force_tlsv13"]?.takeBool() == true || bind["no_tlsv12"]?.takeBool() == true {
            entry.portSettings.tls.minVersion = "1.3"
        }
        if bind["no_tlsv13"]?.takeBool() == true { entry.portSettings.tls.maxVersion = "1.2" }
        if entry.portSettings.tls.minVersion != "1.3" { entry.portSettings.tls.ciphers = list("ciphers", ":") }
        entry.portSettings.tls.curves = list("curves", ":")
        entry.portSettings.tls.alpn = list("alpn", ",")
        if bind["no_tls_tickets"]?.takeBool() == true { entry.portSettings.tls.withoutTickets = true }
        if bind["tls_tickets"]?.take() == "disabled" { entry.portSettings.tls.withoutTickets = true }
    }

    private func list(_ key: String, _ mark: Character) -> [String] {
        bind[key]?.take()?.split { $0 == mark || $0 == " " }.map(String.init) ?? []
    }

    private func version(_ key: String, _ result: inout String?) {
        guard let field = bind[key], let text = field.scalar else { return }
        switch text {
        case "TLSv1.2", "TLSv1.3":
            result = String(text.dropFirst(4))
            field.convert()
        default:
            result = "1.2"
            field.drop("TLS below 1.2 is not spoken.")
        }
    }

    private func addClients(to entry: inout Entry) {
        let verify = bind["verify"]?.scalar ?? "none"
        if let list = bind["crl_file"], verify != "none" {
            close(
                &entry, list, "its revocation list is a file: name it in tls.clientValidation.crlRefs of a ClientPolicy"
            )
        }
        guard verify != "none" else {
            bind["verify"]?.convert()
            bind["ssl_cafile"]?.drop("Client certificates are not asked for.")
            return
        }
        let secret = ObjectName(namespace: object.name.namespace, name: Names.label("\(entry.route.name)-clients"))
        entry.portSettings.clientAuthorities = [AuthorityReference(name: secret)]
        for key in ["ssl_cafile", "ca_verify_file"] {
            guard let file = bind[key]?.take() else { continue }
            entry.comments.append(
                "Put the authorities of \(printable(file)) in the key ca.crt of the Secret \(secret).")
        }
        verify == "required"
            ? bind["verify"]?.convert()
            : bind["verify"]?.drop("A certificate is demanded: there is no way to verify one only where it is shown.")
        for key in ["ca_ignore_err", "crt_ignore_err"] {
            bind[key]?.drop("Errors of certificates are not ignored.")
        }
    }

    private func close(_ entry: inout Entry, _ field: SourceField, _ why: String) {
        entry.client.closed.append(why + ".")
        object.ledger.fail("\(field.path): closed, since \(why).")
        field.drop("The route lets nobody in until you say who may.")
    }
}
