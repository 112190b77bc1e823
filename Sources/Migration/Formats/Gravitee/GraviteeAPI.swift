internal import Primitives

/// One API of Gravitee.
struct GraviteeAPI {
    private let object: SourceObject
    private let root: SourceField
    private let context: ConversionContext
    /// Where Gravitee listens for TCP unless its configuration says otherwise (`tcp.port`).
    private static let usualPort = 4082

    init(_ object: SourceObject, _ root: SourceField, _ context: ConversionContext) {
        (self.object, self.root, self.context) = (object, root, context)
    }

    var entries: [Entry] {
        let listeners = (root["listeners"]?.items ?? []).filter { $0["type"]?.scalar?.lowercased() == "tcp" }
        guard !listeners.isEmpty else {
            object.ledger.fail("It has no listener of type tcp, and only those are converted.")
            object.root.drop("It has no listener of type tcp: nothing was written for it.")
            return []
        }
        for (key, wanted) in [("type", "PROXY"), ("definitionVersion", "V4")] {
            guard let text = root[key]?.scalar else { continue }
            guard text.uppercased() == wanted else {
                let why = "Its \(key) is \(printable(text)), and only \(wanted) is converted."
                object.ledger.fail(why)
                object.root.leaveOut(why)
                return []
            }
        }
        root.convert("type", "definitionVersion")
        if object.apiVersion.isEmpty { root["name"]?.convert() }
        if let state = root["state"], state.scalar?.uppercased() == "STOPPED" {
            object.root.drop("The API is stopped: nothing was written for it.")
            return []
        }
        if root["state"]?.scalar?.uppercased() == "STARTED" { root["state"]?.convert() }
        return listeners.compactMap(entry)
    }

    private func entry(of listener: SourceField) -> Entry? {
        var port = context.options.entryPoints["gravitee"] ?? GraviteeAPI.usualPort
        if let given = listener["port"]?.takeInteger(), (1...65535).contains(given) { port = given }
        var entry = Entry(
            origin: object, field: listener.path, gateway: "gravitee", listener: "tls-\(port)", port: port,
            mode: .terminate,
            route: object.name)
        listener["type"]?.convert()
        for host in listener["hosts"]?.items ?? [] {
            guard let text = host.scalar, HostnamePattern(text) != nil else {
                object.ledger.fail("\(host.path): \(host.shown) is no host name.")
                host.drop("It is no host name: nothing is served for it.")
                continue
            }
            entry.hostnames.append(text.lowercased())
            host.convert()
        }
        guard !entry.hostnames.isEmpty else {
            object.ledger.fail("\(listener.path): left out. It has no host name, by which Gravitee would choose it.")
            return nil
        }
        let secret = ObjectName(namespace: object.name.namespace, name: "gravitee-tls")
        entry.certificates = [secret]
        entry.comments.append("Gravitee's own key store (tcp.ssl) has the certificate: put it in the Secret \(secret).")
        if context.options.entryPoints["gravitee"] == nil, listener["port"] == nil {
            entry.gatewayComments.append(
                "\(port) is Gravitee's usual port for TCP (tcp.port): say another by --entry-point gravitee=PORT.")
        }
        guard addGroups(to: &entry) else { return nil }
        closeForPlans(&entry)
        return entry
    }

    /// Plans with a security of their own ask clients who they are.
    private func closeForPlans(_ entry: inout Entry) {
        let lists = [root["plans"], object.root["plans"]].compactMap { $0 }
        for plan in lists.flatMap({ $0.items.isEmpty ? $0.entries.map(\.field) : $0.items }) {
            let type = plan.at("security", "type")?.scalar?.uppercased().replacing("-", with: "_") ?? ""
            guard !["", "KEY_LESS", "KEYLESS"].contains(type) else {
                plan.drop("A plan without a key: everyone may connect, as here.")
                continue
            }
            let why = "its plan asks clients who they are (\(printable(type)))"
            entry.client.closed.append(why + ".")
            object.ledger.fail("\(entry.field): closed, since \(why).")
            plan.drop("It asks clients who they are: the route lets nobody in until you say who may.")
        }
        for flow in root["flows"]?.items ?? [] where flow["enabled"]?.bool != false {
            let why = "its flow may keep clients out"
            entry.client.closed.append(why + ".")
            object.ledger.fail("\(entry.field): closed, since \(why).")
            flow.drop("Flows have no equivalent: the route lets nobody in until you say who may.")
        }
        root["flows"]?.drop("The flow is not enabled.")
    }

    private func addGroups(to entry: inout Entry) -> Bool {
        let groups = (root["endpointGroups"]?.items ?? []).filter { $0["type"]?.scalar == "tcp-proxy" }
        guard let group = groups.first else {
            object.ledger.fail("\(entry.field): left out. It has no endpoint group of type tcp-proxy.")
            return false
        }
        for other in groups.dropFirst() { other.drop("The first group is the one that connections go to.") }
        group["type"]?.convert()
        if let type = group.at("loadBalancer", "type") { balance(type, &entry) }
        let isWeighted = group.at("loadBalancer", "type")?.scalar?.uppercased().hasPrefix("WEIGHTED") ?? false
        addClient(group["sharedConfiguration"], to: &entry)
        for endpoint in group["endpoints"]?.items ?? [] {
            guard let target = target(endpoint, group, isWeighted, &entry) else { continue }
            entry.targets.append(target)
        }
        if entry.targets.isEmpty {
            object.ledger.fail("\(entry.field): left out. Its endpoint group has no endpoint with a host and port.")
        }
        return !entry.targets.isEmpty
    }

    private func balance(_ type: SourceField, _ entry: inout Entry) {
        switch type.scalar?.uppercased() {
        case "RANDOM", "WEIGHTED_RANDOM": entry.backend.loadBalancer = "Random"
        case "ROUND_ROBIN", "WEIGHTED_ROUND_ROBIN": entry.backend.loadBalancer = "RoundRobin"
        default: return type.drop("It is none of the four load balancers; the one with fewer connections is used.")
        }
        type.convert()
    }

    private func addClient(_ shared: SourceField?, to entry: inout Entry) {
        let tcp = shared?["tcp"]
        func time(_ key: String) -> String? {
            guard let field = tcp?[key], let value = field.takeInteger(), value > 0 else { return nil }
            return Durations.written(value)
        }
        entry.backend.connectTimeout = time("connectTimeout")
        entry.client.idleTimeout = time("idleTimeout")
        // What Gravitee reads from the backend is what the server says.
        entry.client.serverIdleTimeout = time("readIdleTimeout")
        entry.client.clientIdleTimeout = time("writeIdleTimeout")
        if let attempts = tcp?["reconnectAttempts"]?.takeInteger() { entry.backend.retries = min(max(attempts, 0), 10) }
    }

    private func target(_ endpoint: SourceField, _ group: SourceField, _ isWeighted: Bool, _ entry: inout Entry)
        -> Target?
    {
        func refuse(_ why: String) -> Target? {
            object.ledger.fail("\(endpoint.path): left out. \(why)")
            endpoint.leaveOut(why)
            return nil
        }
        let place = endpoint.at("configuration", "target")
        guard let host = place?["host"]?.scalar, let port = place?["port"]?.integer else {
            return refuse("It has no configuration.target with a host and port.")
        }
        if let type = endpoint["type"]?.scalar, type != "tcp-proxy" {
            return refuse("Its type is \(printable(type)), not tcp-proxy.")
        }
        let isSpare = endpoint["secondary"]?.takeBool() ?? false
        let name = Names.label("\(object.name.name)-\(endpoint["name"]?.scalar ?? host)")
        guard let destination = DestinationName.target(host, port: port, name: name, fallback: isSpare) else {
            return refuse("\(printable(host)) with port \(port) is no target.")
        }
        if isSpare, case .service = destination {
            return refuse("A Service cannot be a spare one: write a Backend with fallback: true, by an address.")
        }
        for key in ["host", "port"] { place?[key]?.convert() }
        endpoint.convert("type")
        if case .endpoints = destination { endpoint["name"]?.convert() }
        var target = Target(destination)
        if let weight = endpoint["weight"] {
            isWeighted
                ? target.weight = weight.takeInteger()
                : weight.drop("The load balancer of the group does not look at weights.")
        }
        if place?["secured"]?.takeBool() == true { target.tls = upstream(host, endpoint, group, &entry) }
        dropOverrides(endpoint)
        return target
    }

    private func dropOverrides(_ endpoint: SourceField) {
        if endpoint["inheritConfiguration"]?.bool == false {
            endpoint["inheritConfiguration"]?.drop("All endpoints of a route are connected to as its first group says.")
            endpoint["sharedConfigurationOverride"]?.drop(
                "Connections of one route are made in one way: give the endpoint a route of its own.")
        } else {
            endpoint.convert("inheritConfiguration")
            endpoint["sharedConfigurationOverride"]?.drop("The endpoint inherits its group's configuration.")
        }
    }

    private func upstream(_ host: String, _ endpoint: SourceField, _ group: SourceField, _ entry: inout Entry)
        -> UpstreamTLS
    {
        var tls = UpstreamTLS(hostname: host.lowercased())
        if DestinationName.isAddress(host) || host == "localhost" {
            tls.hostname = Names.label(object.name.name) + ".invalid"
            tls.comments.append("Set hostname to the name in the backend's certificate: \(printable(host)) is none.")
        }
        let ssl = group.at("sharedConfiguration", "ssl")
        if let field = ssl?["trustAll"], field.bool == true {
            field.drop("Backends are always verified: pin their keys by a BackendPolicy (tls.verification: PinOnly).")
        } else {
            ssl?["trustAll"]?.convert()
        }
        if let store = ssl?["trustStore"], !store.entries.isEmpty, store["type"]?.scalar?.isEmpty == false {
            let secret = ObjectName(namespace: targetNamespace(host), name: "\(object.name.name)-ca")
            tls.authorities = [AuthorityReference(name: secret)]
            tls.comments.append(
                "Put the authorities of the trust store, as PEM, in the key ca.crt of the Secret \(secret).")
            store.drop("The Secret \(secret) stands for it.")
        }
        if let store = ssl?["keyStore"], !store.entries.isEmpty, store["type"]?.scalar?.isEmpty == false {
            let secret = ObjectName(namespace: object.name.namespace, name: "\(object.name.name)-client")
            tls.clientCertificate = secret
            entry.gatewayComments.append(
                "Put the certificate and key of Gravitee's key store, as PEM, in the Secret \(secret).")
            store.drop("The Secret \(secret) stands for it.")
        }
        ssl?["hostnameVerifier"]?.drop("Names of backends are always verified.")
        return tls
    }

    private func targetNamespace(_ host: String) -> String {
        DestinationName.service(host)?.namespace ?? object.name.namespace
    }
}
