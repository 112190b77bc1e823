extension DocumentWriter {
    mutating func write(_ route: RouteList.Route) {
        let entry = route.entry
        let isNamed = !entry.hostnames.isEmpty
        let kind = isNamed ? "TLSRoute" : "TCPRoute"
        let name = ObjectName(namespace: entry.route.namespace, name: route.name)
        let parents = route.parents.map { gateway, listener in
            Tree.object(
                ("name", .text(gateway.name)),
                ("namespace", gateway.namespace == name.namespace ? nil : .text(gateway.namespace)),
                ("sectionName", .text(listener)))
        }
        var backends: [OutputDocument] = []
        let references = entry.targets.map { reference(to: $0, of: entry, name, kind: kind, &backends) }
        anchors.append(Anchor(document: documents.count, ledger: entry.origin.ledger, field: entry.field))
        documents.append(
            .object(
                DocumentWriter.gatewayAPI, kind, name, labels: entry.labels,
                spec: .object(
                    ("parentRefs", .list(parents)), ("hostnames", isNamed ? .texts(entry.hostnames) : nil),
                    ("rules", .list([.object(("backendRefs", .list(references)))]))),
                comments: ["From \(entry.origin.title), \(entry.field)."] + entry.comments))
        let target = DocumentWriter.reference(kind, name.name)
        if let spec = entry.client.spec(target: target) {
            let policy = unused(route.name, kind: "ClientPolicy", namespace: name.namespace)
            documents.append(
                .object(
                    DocumentWriter.ours, "ClientPolicy", ObjectName(namespace: name.namespace, name: policy),
                    spec: spec,
                    comments: entry.client.closed.isEmpty
                        ? [] : ["Nobody is let in until you say who may:"] + entry.client.closed.map { "- " + $0 }))
        }
        if let spec = entry.backend.spec(target: target) {
            let policy = unused(route.name, kind: "BackendPolicy", namespace: name.namespace)
            documents.append(
                .object(
                    DocumentWriter.ours, "BackendPolicy", ObjectName(namespace: name.namespace, name: policy),
                    spec: spec))
        }
        documents += backends
    }

    private mutating func reference(
        to target: Target, of entry: Entry, _ route: ObjectName, kind: String, _ backends: inout [OutputDocument]
    ) -> Tree {
        let weight = target.weight.map(Tree.number)
        switch target.destination {
        case .service(let service, let port):
            let isForeign = service.namespace != route.namespace
            if isForeign {
                grants.add(
                    from: .init(group: "gateway.networking.k8s.io", kind: kind, namespace: route.namespace),
                    to: .init(group: "", kind: "Service", name: service))
            }
            writeTLS(target, at: service, group: "", kind: "Service", of: entry.origin, &backends)
            return .object(
                ("name", .text(service.name)), ("namespace", isForeign ? .text(service.namespace) : nil),
                ("port", .number(port)), ("weight", weight))
        case .endpoints(let wanted, let endpoints, let fallback):
            let name = ObjectName(
                namespace: route.namespace, name: unused(wanted, kind: "Backend", namespace: route.namespace))
            let spec = Tree.object(
                ("endpoints", .list(endpoints.map(\.tree))), ("fallback", fallback ? .flag(true) : nil))
            backends.append(.object(DocumentWriter.ours, "Backend", name, spec: spec))
            writeTLS(target, at: name, group: "sluice.dev", kind: "Backend", of: entry.origin, &backends)
            return .object(
                ("group", .text("sluice.dev")), ("kind", .text("Backend")), ("name", .text(name.name)),
                ("weight", weight))
        }
    }

    private mutating func writeTLS(
        _ target: Target, at object: ObjectName, group: String, kind: String, of origin: SourceObject,
        _ backends: inout [OutputDocument]
    ) {
        guard let tls = target.tls else { return }
        var key = target.destination
        if case .service(let service, _) = key { key = .service(service, port: 0) }
        if kind == "Backend" { key = .endpoints(name: object.description, [], fallback: false) }
        if let other = upstream[key] {
            if other != tls {
                origin.ledger.fail("\(kind) \(object) is reached by TLS in two ways: the first one was written.")
            }
            return
        }
        upstream[key] = tls
        let authorities = tls.authorities.map { authority in
            Tree.object(
                ("group", .text("")), ("kind", .text(authority.isConfigMap ? "ConfigMap" : "Secret")),
                ("name", .text(authority.name.name)))
        }
        let names = tls.alternativeNames.map { name in
            Tree.object(
                ("type", .text(name.isURI ? "URI" : "Hostname")), (name.isURI ? "uri" : "hostname", .text(name.value)))
        }
        let validation = Tree.object(
            ("caCertificateRefs", Tree.list(authorities).orNothing),
            ("wellKnownCACertificates", authorities.isEmpty ? .text("System") : nil),
            ("hostname", .text(tls.hostname)), ("subjectAltNames", Tree.list(names).orNothing))
        let name = unused(object.name, kind: "BackendTLSPolicy", namespace: object.namespace)
        let reference = DocumentWriter.reference(kind, object.name, group: group)
        backends.append(
            .object(
                DocumentWriter.gatewayAPI, "BackendTLSPolicy", ObjectName(namespace: object.namespace, name: name),
                spec: .object(("targetRefs", .list([reference])), ("validation", validation)), comments: tls.comments))
    }
}

extension Endpoint {
    fileprivate var tree: Tree {
        let isAddress = DestinationName.isAddress(host)
        let place = Tree.object((isAddress ? "address" : "hostname", .text(host)), ("port", .number(port)))
        return .object((isAddress ? "ip" : "fqdn", place), ("weight", weight.map(Tree.number)))
    }
}
