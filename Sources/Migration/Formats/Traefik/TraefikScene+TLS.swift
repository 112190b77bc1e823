internal import Primitives

extension TraefikScene {
    func addTLS(to entry: inout Entry, _ tls: SourceField?) throws(TraefikRule.Problem) {
        guard let tls else { return }
        if tls.entries.isEmpty { tls.convert() }
        if tls["passthrough"]?.takeBool() == true {
            entry.mode = .passthrough
            tls["secretName"]?.drop("TLS is passed through, and the gateway shows no certificate.")
            tls["options"]?.drop("TLS is passed through: its parameters are those of the backend.")
            return
        }
        entry.mode = .terminate
        let namespace = entry.origin.name.namespace
        if let secret = tls["secretName"]?.take() {
            entry.certificates = [ObjectName(namespace: namespace, name: secret)]
        } else {
            let secret = ObjectName(namespace: namespace, name: Names.label("\(entry.origin.name.name)-tls"))
            entry.certificates = [secret]
            entry.comments.append("No Secret was named: put the certificate and key in \(secret).")
        }
        if let reference = tls["options"] {
            let name = ObjectName(
                namespace: reference["namespace"]?.scalar ?? namespace, name: reference["name"]?.scalar ?? "default")
            reference.convert("name", "namespace")
            guard let option = options[name] else {
                throw TraefikRule.Problem(
                    message: "TLSOption \(name) was not among what was converted, and may demand client certificates.")
            }
            TraefikOption(option).apply(to: &entry)
        } else if let option = options.filter({ $0.key.name == "default" }).min(by: { $0.key < $1.key })?.value {
            TraefikOption(option).apply(to: &entry)
        }
    }
}

/// A TLSOption.
struct TraefikOption {
    private let object: SourceObject

    init(_ object: SourceObject) { self.object = object }

    func apply(to entry: inout Entry) {
        guard let spec = object.root["spec"] else { return }
        version(spec["minVersion"], isLowest: true, &entry.portSettings.tls.minVersion)
        version(spec["maxVersion"], isLowest: false, &entry.portSettings.tls.maxVersion)
        if let suites = spec["cipherSuites"] {
            entry.portSettings.tls.ciphers = CipherNames.translated(suites)
            if entry.portSettings.tls.minVersion == "1.3" { entry.portSettings.tls.ciphers = [] }
        }
        if let curves = spec["curvePreferences"] { entry.portSettings.tls.curves = CipherNames.groups(curves) }
        if let protocols = spec["alpnProtocols"] { entry.portSettings.tls.alpn = protocols.takeTexts() }
        if spec["disableSessionTickets"]?.takeBool() == true { entry.portSettings.tls.withoutTickets = true }
        if let client = spec["clientAuth"] { authenticate(client, &entry) }
    }

    private func version(_ field: SourceField?, isLowest: Bool, _ result: inout String?) {
        guard let field, let text = field.scalar else { return }
        switch text {
        case "VersionTLS12", "VersionTLS13":
            result = text == "VersionTLS12" ? "1.2" : "1.3"
            field.convert()
        default:
            // The oldest that is spoken here.
            result = "1.2"
            field.drop(
                isLowest
                    ? "TLS below 1.2 is not spoken." : "TLS below 1.2 is not spoken: clients that need it are refused.")
        }
    }

    private func authenticate(_ client: SourceField, _ entry: inout Entry) {
        let type = client["clientAuthType"]?.scalar ?? "NoClientCert"
        let secrets = client["secretNames"]?.texts ?? []
        if type == "NoClientCert" {
            client["clientAuthType"]?.convert()
            client["secretNames"]?.drop("Client certificates are not asked for.")
            return
        }
        guard !secrets.isEmpty else {
            let why =
                "Client certificates of TLSOption \(object.name) are not verified by an authority, which is not possible."
            entry.client.closed.append(why)
            entry.origin.ledger.fail("\(entry.field): closed. \(why)")
            return client.drop("A certificate that nobody verifies is not asked for; the route is closed.")
        }
        client["secretNames"]?.convert()
        entry.portSettings.clientAuthorities = secrets.map {
            AuthorityReference(name: ObjectName(namespace: object.name.namespace, name: $0))
        }
        if type == "RequireAndVerifyClientCert" {
            client["clientAuthType"]?.convert()
        } else {
            client["clientAuthType"]?.drop(
                "Clients need a certificate that an authority of the Gateway's spec.tls.frontend issued: there is no way to"
                    + " verify one only where it is shown.")
        }
    }
}
