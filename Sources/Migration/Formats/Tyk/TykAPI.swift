internal import Primitives

/// One API definition.
struct TykAPI {
    private let object: SourceObject
    private let root: SourceField
    private let context: ConversionContext

    init(_ object: SourceObject, _ root: SourceField, _ context: ConversionContext) {
        (self.object, self.root, self.context) = (object, root, context)
    }

    private func refuse(_ why: String) -> Entry? {
        object.ledger.fail("left out. \(why)")
        object.root.leaveOut(why)
        return nil
    }

    var entry: Entry? {
        let kind = root["protocol"]?.scalar ?? ""
        guard ["tcp", "tls"].contains(kind) else {
            return refuse(
                "Its protocol is \(kind.isEmpty ? "HTTP" : printable(kind)), and only tcp and tls are converted.")
        }
        if root["active"]?.bool == false {
            object.root.drop("The API is not active: nothing was written for it.")
            return nil
        }
        guard let port = listenPort else {
            return refuse("It has no listen_port: say where Tyk listens, --entry-point tyk=PORT.")
        }
        var entry = Entry(
            origin: object, field: "the API", gateway: "tyk", listener: "\(kind)-\(port)", port: port,
            mode: kind == "tls" ? .terminate : .plain, route: object.name)
        for key in ["protocol", "active", "listen_port"] { root[key]?.convert() }
        if object.apiVersion.isEmpty { root["name"]?.convert() }
        if root["enable_proxy_protocol"]?.takeBool() == true { entry.portSettings.proxy = .init() }
        guard addTargets(to: &entry) else { return nil }
        if entry.mode == .terminate { addTLS(to: &entry) }
        addLists(to: &entry)
        closeForTheRest(&entry)
        return entry
    }

    private var listenPort: Int? {
        if let port = root["listen_port"]?.integer, (1...65535).contains(port) { return port }
        return context.options.entryPoints["tyk"]
    }

    private func addTLS(to entry: inout Entry) {
        if let domain = root["domain"], let text = domain.scalar, !text.isEmpty {
            if root["domain_disabled"]?.takeBool() == true {
                domain.drop("It is disabled.")
            } else if HostnamePattern(text) != nil {
                entry.hostnames = [text.lowercased()]
                domain.convert()
            } else {
                close(&entry, "the domain \(printable(text)) is no host name")
            }
        }
        let names = ["certificate_secret_names"].flatMap { root[$0]?.takeTexts() ?? [] }
        entry.certificates = names.map { ObjectName(namespace: object.name.namespace, name: $0) }
        for key in ["certificates", "certificate_refs", "certificate"] {
            for field in root[key].map({ $0.items.isEmpty ? [$0] : $0.items }) ?? [] {
                guard let id = field.take(), !id.isEmpty else { continue }
                let secret = ObjectName(
                    namespace: object.name.namespace, name: Names.label("\(object.name.name)-\(id.suffix(12))"))
                entry.certificates.append(secret)
                entry.comments.append("Put Tyk's certificate \(printable(id)) in the Secret \(secret).")
            }
        }
        if entry.certificates.isEmpty {
            let secret = ObjectName(namespace: object.name.namespace, name: Names.label("\(object.name.name)-tls"))
            entry.certificates = [secret]
            entry.comments.append("No certificate was named: put it in the Secret \(secret).")
        }
        addClientAuthorities(to: &entry)
    }

    private func addClientAuthorities(to entry: inout Entry) {
        guard root["use_mutual_tls_auth"]?.takeBool() == true else { return }
        let references = root["client_certificate_refs"]?.takeTexts() ?? []
        let ids = root["client_certificates"]?.takeTexts() ?? []
        entry.portSettings.clientAuthorities = references.map {
            AuthorityReference(name: ObjectName(namespace: object.name.namespace, name: $0))
        }
        for id in ids {
            let secret = ObjectName(
                namespace: object.name.namespace, name: Names.label("\(object.name.name)-ca-\(id.suffix(12))"))
            entry.portSettings.clientAuthorities.append(AuthorityReference(name: secret))
            entry.comments.append(
                "Put the issuer of Tyk's client certificate \(printable(id)) in the Secret \(secret), key ca.crt.")
        }
        if !references.isEmpty || !ids.isEmpty {
            close(
                &entry,
                "Tyk lets in single certificates, not all of an authority: allow their keys by clientCertificate.spkiHashes of"
                    + " the ClientPolicy")
        }
        if references.isEmpty, ids.isEmpty { close(&entry, "mutual TLS names no client certificate") }
    }

    /// Lists of addresses; what cannot be read closes the route.
    private func addLists(to entry: inout Entry) {
        for (flag, list, isAllowed) in [
            ("enable_ip_whitelisting", "allowed_ips", true), ("enable_ip_blacklisting", "blacklisted_ips", false),
        ] {
            guard root[flag]?.takeBool() == true else {
                root[list]?.drop("The list is not enabled.")
                continue
            }
            guard let blocks = Blocks.parse(root[list]?.texts ?? []) else {
                close(&entry, "\(list) is no list of addresses and blocks")
                continue
            }
            root[list]?.convert()
            if isAllowed { entry.client.allowed = blocks } else { entry.client.denied += blocks }
        }
        for flag in ["enable_ip_blacklisting", "ip_access_control_disabled"] where root[flag]?.bool == false {
            root[flag]?.convert()
        }
    }

    /// What asks clients who they are, and has no equivalent.
    private func closeForTheRest(_ entry: inout Entry) {
        let kinds = [
            "use_basic_auth", "use_oauth2", "use_openid", "enable_jwt", "use_standard_auth",
            "enable_signature_checking",
            "enable_coprocess_auth", "use_go_plugin_auth",
        ]
        for kind in kinds where root[kind]?.bool == true {
            close(&entry, "\(kind) has no equivalent")
            root[kind]?.drop("It asks clients who they are: the route lets nobody in until you say who may.")
        }
    }

    private func close(_ entry: inout Entry, _ why: String) {
        entry.client.closed.append(why + ".")
        object.ledger.fail("closed, since \(why).")
    }

    private func addTargets(to entry: inout Entry) -> Bool {
        guard let proxy = root["proxy"] else { return refuse("It has no proxy.target_url.") != nil }
        var fields = [proxy["target_url"]].compactMap { $0 }
        if proxy["enable_load_balancing"]?.takeBool() == true, let list = proxy["target_list"], !list.items.isEmpty {
            fields.first?.drop("The targets of target_list are used.")
            fields = list.items
        } else {
            proxy["target_list"]?.drop("Load balancing is not enabled.")
        }
        var secure: Set<Bool> = []
        for field in fields {
            guard let (destination, isSecure) = destination(field, entry) else {
                return refuse(
                    "\(field.path): \(printable(field.scalar ?? "")) is no tcp:// or tls:// address with a port.")
                    != nil
            }
            secure.insert(isSecure)
            var target = Target(destination)
            if isSecure { target.tls = upstream(field, proxy, &entry) }
            entry.targets.append(target)
            field.convert()
        }
        guard !entry.targets.isEmpty else { return refuse("It has no proxy.target_url.") != nil }
        if secure == [false] { joinEndpoints(of: &entry) }
        if secure.contains(true) { addPins(&entry) }
        if secure.contains(true) { addTransport(proxy["transport"], &entry) }
        return true
    }

    /// Several addresses without TLS are one Backend.
    private func joinEndpoints(of entry: inout Entry) {
        var endpoints: [Endpoint] = []
        for target in entry.targets {
            guard case .endpoints(_, let more, false) = target.destination else { return }
            endpoints += more
        }
        entry.targets = [Target(.endpoints(name: object.name.name, endpoints, fallback: false))]
    }

    /// Pins verify backends: without them a route would trust more than it did.
    private func addPins(_ entry: inout Entry) {
        for key in ["pinned_public_keys", "pinned_public_keys_refs"] {
            guard let pins = root[key], !pins.entries.isEmpty else { continue }
            if root["certificate_pinning_disabled"]?.bool == true {
                pins.drop("Pinning is disabled.")
                continue
            }
            close(
                &entry,
                "the keys of its backends are pinned: set tls.verification: CAAndPin and tls.spkiHashes in a BackendPolicy"
            )
            pins.drop(
                "The hashes of these keys belong to tls.spkiHashes of a BackendPolicy; the route is closed until then.")
        }
    }

    private func parts(_ field: SourceField) -> (scheme: String, host: String, port: Int)? {
        guard let text = field.scalar else { return nil }
        let pieces = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard pieces.count == 3, pieces[1].isEmpty, ["tcp:", "tls:"].contains(pieces[0]) else { return nil }
        let authority = pieces[2].prefix { $0 != "/" }
        guard let place = DestinationName.split(String(authority)), let port = place.port else { return nil }
        return (String(pieces[0].dropLast()), place.host, port)
    }

    private func destination(_ field: SourceField, _ entry: Entry) -> (Target.Destination, Bool)? {
        guard let place = parts(field) else { return nil }
        let isBare = !place.host.contains(".") && !place.host.contains(":") && place.host != "localhost"
        if isBare, !object.apiVersion.isEmpty, HostnamePattern.isDNSName(place.host) {
            // In a cluster a bare name is a Service of the namespace.
            let service = ObjectName(namespace: object.name.namespace, name: place.host)
            return (.service(service, port: place.port), place.scheme == "tls")
        }
        return DestinationName.target(place.host, port: place.port, name: object.name.name).map {
            ($0, place.scheme == "tls")
        }
    }

    private func upstream(_ field: SourceField, _ proxy: SourceField, _ entry: inout Entry) -> UpstreamTLS {
        let host = parts(field)?.host ?? ""
        var tls = UpstreamTLS(
            hostname: DestinationName.isAddress(host) ? "\(object.name.name).invalid" : host.lowercased())
        if DestinationName.isAddress(host) || host == "localhost" {
            tls.hostname = "\(object.name.name).invalid"
            tls.comments.append("Set hostname to the name in the backend's certificate: \(printable(host)) is none.")
        }
        for key in ["upstream_certificates", "upstream_certificate_refs"] {
            guard root["upstream_certificates_disabled"]?.bool != true else {
                root[key]?.drop("It is disabled.")
                continue
            }
            for (domain, value) in root[key]?.entries ?? [] {
                guard let id = value.scalar, !id.isEmpty else { continue }
                let name = key.hasSuffix("refs") ? id : Names.label("\(object.name.name)-client-\(id.suffix(12))")
                let secret = ObjectName(namespace: object.name.namespace, name: name)
                guard tls.clientCertificate == nil || tls.clientCertificate == secret else {
                    value.drop("A Gateway shows backends one certificate.")
                    continue
                }
                tls.clientCertificate = secret
                value.convert()
                let comment =
                    "Put the client certificate \(printable(id)), for backends of \(printable(domain)), in the Secret \(secret)."
                if !entry.gatewayComments.contains(comment) { entry.gatewayComments.append(comment) }
            }
        }
        root["upstream_certificates_disabled"]?.convert()
        return tls
    }

    private func addTransport(_ transport: SourceField?, _ entry: inout Entry) {
        if let field = transport?["ssl_insecure_skip_verify"] {
            field.bool == true
                ? field.drop(
                    "Backends are always verified: set validation of the BackendTLSPolicy, or pin their keys by a BackendPolicy"
                        + " (tls.verification: PinOnly).") : field.convert()
        }
        if let field = transport?["ssl_min_version"], let version = field.integer {
            // Numbers of TLS on the wire: 771 is 1.2, 772 is 1.3.
            if version == 771 || version == 772 {
                entry.backend.minVersion = version == 771 ? "1.2" : "1.3"
                field.convert()
            } else {
                field.drop("TLS below 1.2 is not spoken.")
            }
        }
        if let field = transport?["ssl_ciphers"], entry.backend.minVersion != "1.3" {
            entry.backend.ciphers = CipherNames.translated(field)
        }
    }
}
