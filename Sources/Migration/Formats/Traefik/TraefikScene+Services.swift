internal import Primitives

extension TraefikScene {
    func addServices(of route: SourceField, to entry: inout Entry) throws(TraefikRule.Problem) {
        let services = route["services"]?.items ?? []
        guard !services.isEmpty else { throw TraefikRule.Problem(message: "It has no service.") }
        let isWeighted = services.contains { $0["weight"] != nil }
        for (index, service) in services.enumerated() {
            var target = try target(of: service, entry)
            if isWeighted { target.weight = service["weight"].map { $0.takeInteger() ?? 1 } ?? 1 }
            entry.targets.append(target)
            try addTransport(of: service, to: &entry, isFirst: index == 0)
        }
    }

    private func target(of service: SourceField, _ entry: Entry) throws(TraefikRule.Problem) -> Target {
        let name = ObjectName(
            namespace: service["namespace"]?.scalar ?? entry.origin.name.namespace, name: service["name"]?.scalar ?? "")
        guard HostnamePattern.isDNSName(name.name) else {
            throw TraefikRule.Problem(message: "\(printable(name.name)) is no name of a Service.")
        }
        let written = service["port"]?.scalar ?? ""
        guard let port = context.port(written, of: name) else {
            throw TraefikRule.Problem(
                message:
                    "A backendRef needs the number of the port: convert the Service \(name) along with it, or write the"
                    + " number in place of \(printable(written)).")
        }
        for key in ["name", "namespace", "port"] { service[key]?.convert() }
        var target = Target(.service(name, port: port))
        if service["tls"]?.takeBool() == true {
            target.tls = try upstream(of: service, name, entry)
        }
        return target
    }

    private func transport(of service: SourceField, _ entry: Entry) throws(TraefikRule.Problem) -> SourceObject? {
        guard let field = service["serversTransport"], let text = field.take() else { return nil }
        let name = ObjectName(namespace: entry.origin.name.namespace, name: text)
        guard let transport = transports[name] else {
            throw TraefikRule.Problem(
                message:
                    "ServersTransportTCP \(printable(name.description)) was not among what was converted, and may say how"
                    + " backends are verified.")
        }
        return transport
    }

    private func upstream(of service: SourceField, _ name: ObjectName, _ entry: Entry) throws(TraefikRule.Problem)
        -> UpstreamTLS
    {
        let object = try transport(of: service, entry)
        let tls = object?.root.at("spec", "tls")
        let server = tls?["serverName"]
        var upstream = UpstreamTLS(hostname: server?.scalar?.lowercased() ?? "\(name.name).\(name.namespace).svc")
        server?.convert()
        if server == nil {
            upstream.comments.append("No serverName was given: set hostname to the name in the backend's certificate.")
        }
        if let field = tls?["insecureSkipVerify"], field.bool == true {
            field.drop(
                "Backends are always verified: set validation of the BackendTLSPolicy, or pin their keys by a BackendPolicy"
                    + " (tls.verification: PinOnly).")
        } else {
            tls?["insecureSkipVerify"]?.convert()
        }
        addAuthorities(tls, at: name, object, &upstream)
        addNames(tls, &upstream)
        if let secrets = tls?["certificatesSecrets"], let first = secrets.items.first, let secret = first.take() {
            upstream.clientCertificate = ObjectName(namespace: entry.origin.name.namespace, name: secret)
            for item in secrets.items.dropFirst() { item.drop("A Gateway shows backends one certificate.") }
        }
        return upstream
    }

    private func addAuthorities(
        _ tls: SourceField?, at service: ObjectName, _ object: SourceObject?, _ upstream: inout UpstreamTLS
    ) {
        for item in tls?["rootCAs"]?.items ?? [] {
            for key in ["secret", "configMap"] {
                guard let name = item[key]?.take() else { continue }
                upstream.authorities.append(
                    AuthorityReference(
                        isConfigMap: key == "configMap", name: ObjectName(namespace: service.namespace, name: name)))
            }
        }
        for item in tls?["rootCAsSecrets"]?.items ?? [] {
            guard let name = item.take() else { continue }
            upstream.authorities.append(AuthorityReference(name: ObjectName(namespace: service.namespace, name: name)))
        }
        guard let object, !upstream.authorities.isEmpty else { return }
        let move = object.name.namespace == service.namespace ? "" : " (copy it to the namespace \(service.namespace))"
        upstream.comments.append("The authority is read from the key ca.crt\(move).")
    }

    private func addNames(_ tls: SourceField?, _ upstream: inout UpstreamTLS) {
        func add(_ field: SourceField?, _ isURI: Bool) {
            guard let value = field?.take() else { return }
            upstream.alternativeNames.append(.init(isURI: isURI, value: value))
        }
        add(tls?["peerCertURI"], true)
        for item in tls?["peerCertSANs"]?.items ?? [] {
            let type = item["type"]?.scalar ?? ""
            switch type.uppercased() {
            case "URI", "DNSNAME", "DNS":
                item["type"]?.convert()
                add(item["value"], type.uppercased() == "URI")
            default: item.drop("Names of backends are host names and URIs.")
            }
        }
        for item in tls?.at("spiffe", "ids")?.items ?? [] { add(item, true) }
        tls?.at("spiffe", "trustDomain")?.drop(
            "Name the identities that are trusted, in validation.subjectAltNames of the BackendTLSPolicy.")
    }

    /// Settings that hold for the whole route here; a later service that differs is named.
    private func addTransport(of service: SourceField, to entry: inout Entry, isFirst: Bool) throws(TraefikRule.Problem)
    {
        let object = try transport(of: service, entry)
        let spec = object?.root["spec"]
        var backend = BackendSettings()
        var client = ClientSettings()
        for field in [spec?["proxyProtocol"], service["proxyProtocol"]].compactMap({ $0 }) {
            backend.proxyVersion = field["version"]?.integer == 1 ? "V1" : "V2"
            field.entries.isEmpty ? field.convert() : field.convert("version")
        }
        if let field = spec?["dialTimeout"] {
            backend.connectTimeout = field.scalar.flatMap { Durations.text($0) }
            backend.connectTimeout == nil ? field.drop("An attempt to connect ends after 10s.") : field.convert()
        }
        if let field = spec?["dialKeepAlive"] { backend.keepalive = keepalive(field) }
        if let field = spec?["terminationDelay"] { client.halfCloseTimeout = halfClose(field, unit: 1000) }
        if let field = service["terminationDelay"] {
            if object == nil {
                client.halfCloseTimeout = halfClose(field, unit: 1)
            } else {
                field.drop("Traefik does not look at it beside a serversTransport.")
            }
        }
        if isFirst {
            (entry.backend, entry.client.halfCloseTimeout) = (backend, client.halfCloseTimeout)
        } else if entry.backend != backend || entry.client.halfCloseTimeout != client.halfCloseTimeout {
            throw TraefikRule.Problem(
                message:
                    "Its services differ in how they are connected to, which is set by route: give them a route each.")
        }
    }

    private func keepalive(_ field: SourceField) -> Keepalive? {
        if field.scalar?.hasPrefix("-") == true {
            field.convert()
            return Keepalive(disabled: true)
        }
        guard let time = field.scalar.flatMap({ Durations.milliseconds($0) }).flatMap({ Durations.keepalive($0) })
        else {
            field.drop("Keepalives are sent every 15s after 60s of silence.")
            return nil
        }
        field.convert()
        return Keepalive(idle: time, interval: time)
    }

    private func halfClose(_ field: SourceField, unit: Int) -> String? {
        field.convert()
        if field.scalar?.hasPrefix("-") == true { return "0s" }
        return field.scalar.flatMap { Durations.milliseconds($0, unit: unit) }.flatMap {
            $0 > 0 ? Durations.written($0) : "1ms"
        }
    }
}
