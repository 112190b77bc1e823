internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension Explainer {
    /// The backendRefs of a route's rule.
    mutating func backends(of route: RouteFacts, _ configuration: RouteConfiguration, _ focus: Focus) {
        let references = route.rules.first?.backendRefs ?? []
        if configuration.backends.allSatisfy({ $0.weight == 0 }) {
            note(
                .broken, route.title, .invalidBackend,
                references.isEmpty ? "the rule has no backendRefs" : "all weights are 0",
                field: "spec.rules[0].backendRefs",
                depth: 3)
        }
        for (index, reference) in references.enumerated() {
            let name = "\(reference.effectiveKind) \(reference.key(from: route.key.namespace))"
            guard focus.backends?.contains(name) ?? true else { continue }
            let field = "spec.rules[0].backendRefs[\(index)]"
            guard index < configuration.backends.count, case .backend(let id) = configuration.backends[index].target
            else {
                invalid(route, reference, name, field)
                continue
            }
            let share = configuration.backends[index]
            backend(id, field: field, weight: share.weight, isFallback: share.isFallback)
        }
    }

    /// The backendRefs of a route that serves nowhere: those that do not resolve are worth knowing all the same.
    mutating func unresolved(_ route: RouteFacts, _ focus: Focus) {
        for (index, reference) in (route.rules.first?.backendRefs ?? []).enumerated() {
            let name = "\(reference.effectiveKind) \(reference.key(from: route.key.namespace))"
            guard focus.backends?.contains(name) ?? true, !problems(route, name).isEmpty else { continue }
            invalid(route, reference, name, "spec.rules[0].backendRefs[\(index)]")
        }
    }

    /// What the condition ResolvedRefs says of one backend.
    private func problems(_ route: RouteFacts, _ name: String) -> [String] {
        let conditions = route.status?.parents.compactMap { $0.conditions[.resolvedRefs] } ?? []
        let messages = conditions.filter { $0.status == .false }.flatMap { $0.message.split(separator: "; ") }
        var seen: Set<Substring> = []
        return messages.filter { message in
            // The kind may stand with its group.
            let isIt =
                message.hasPrefix(name + " ") || message.hasPrefix(name + ":") || message.hasPrefix(groupedName(name))
            return isIt && seen.insert(message).inserted
        }.map(String.init)
    }

    private func groupedName(_ name: String) -> String { name.replacingFirstSpace }

    private mutating func invalid(
        _ route: RouteFacts, _ reference: BackendReference, _ name: String, _ field: String
    ) {
        let found = problems(route, name)
        let conditions = route.status?.parents.compactMap { $0.conditions[.resolvedRefs] } ?? []
        let whole = conditions.first { $0.status == .false }?.message ?? ""
        let message = found.isEmpty ? whole : found.joined(separator: "; ")
        let key = reference.key(from: route.key.namespace)
        let (part, advice) = mending(message, reference, key, of: route)
        let cause = Cause.of(.invalidBackend)
        links.append(
            Link(
                .broken, object: title(reference, key), field: field + part, cause: CloseReason.invalidBackend.rawValue,
                message: "\(cause?.meaning ?? ""): \(message)", advice: advice ?? cause?.advice, depth: 3))
    }

    private func title(_ reference: BackendReference, _ key: ObjectKey) -> String {
        "\(reference.effectiveKind) \(key)" + (reference.port.map { ":\($0)" } ?? "")
    }

    /// The part of the reference that decides, and what to do.
    private func mending(
        _ message: String, _ reference: BackendReference, _ key: ObjectKey, of route: RouteFacts
    ) -> (field: String, advice: String?) {
        if message.contains("no ReferenceGrant") {
            return (
                ".namespace",
                "add a ReferenceGrant in namespace \(key.namespace): from \(route.kind) in \(route.key.namespace), to "
                    + reference.effectiveKind
            )
        }
        if message.contains("has no port") {
            let ports = (snapshot.services[key]?.spec.ports ?? []).map { "\($0.port)" }
            return (".port", ports.isEmpty ? nil : "use a port that the Service has: \(ports.joined(separator: ", "))")
        }
        if message.contains("gives no port") { return (".port", "say which port of the Service is meant") }
        if message.contains("does not exist") {
            let names =
                reference.effectiveKind == "Service" ? Array(snapshot.services.keys) : Array(snapshot.backends.keys)
            let near = near(key, among: names)
            return (".name", near.map { "did you mean \($0)?" } ?? "make \(reference.effectiveKind) \(key)")
        }
        return message.contains("supported are") ? (".kind", "refer to a Service or a Backend") : ("", nil)
    }

    /// A backend that resolves: how it is spoken to, and how its endpoints stand.
    mutating func backend(_ id: BackendID, field: String? = nil, weight: Int = 1, isFallback: Bool = false) {
        let title = "\(id)"
        guard let backend = backends[id] else { return }
        let part = (weight == 0 ? ", weight 0: it gets nothing" : "") + (isFallback ? ", fallback" : "")
        guard explained.insert(id).inserted else {
            good(title, "see above" + part, field: field, depth: 3)
            return
        }
        let before = links.count
        names(backend, title, field)
        policies(of: backend)
        attempts(backend, title, field)
        if backend.endpoints.isEmpty {
            note(.broken, title, .noEndpoints, unready(id), field: field, depth: 3)
            return
        }
        let endpoints = endpointLinks(backend)
        if let problem = standing(backend) {
            note(.broken, title, .noHealthyEndpoint, problem, field: field, depth: 3)
        } else if links.count == before || links[before...].allSatisfy({ $0.object != title }) {
            let count = backend.endpoints.count
            let tls = backend.tls.map { $0.trust == .unusable ? "" : ", over TLS as \($0.hostname)" } ?? ""
            links.insert(
                Link(
                    .good, object: title, field: field,
                    message: "\(count) endpoint\(count == 1 ? "" : "s")\(tls)\(part)", depth: 3), at: before)
        }
        links += endpoints
    }

    /// Backends by name: whether the names have addresses.
    private mutating func names(_ backend: BackendConfiguration, _ title: String, _ field: String?) {
        var id = backend.id
        id.variant = ""
        guard let problem = inspected.acknowledgement?.unresolved[id] else { return }
        note(.broken, title, .dnsError, problem, field: field, depth: 3)
    }

    /// What became of attempts to connect. Where none has succeeded, nothing gets through.
    private mutating func attempts(_ backend: BackendConfiguration, _ title: String, _ field: String?) {
        var id = backend.id
        id.variant = ""
        guard let traffic = inspected.traffic.backends[id] else { return }
        let failures: [(String, CloseReason)] = [
            ("refused", .connectRefused), ("timeout", .connectTimeout), ("unreachable", .connectUnreachable),
            ("tls_error", .backendTLSError), ("dns_error", .dnsError),
        ]
        for (label, reason) in failures {
            guard let count = traffic.failed[label], count > 0 else { continue }
            guard !links.contains(where: { $0.object == title && $0.cause == reason.rawValue }) else { continue }
            let detail = "\(count) attempt\(count == 1 ? "" : "s") since the start, \(traffic.connected) succeeded"
            note(traffic.connected == 0 ? .broken : .warning, title, reason, detail, field: field, depth: 3)
        }
    }

    /// Why a Service has no endpoints that are ready.
    private mutating func unready(_ id: BackendID) -> String {
        guard id.kind == "Service" else { return "" }
        let slices = self.slices[ObjectKey(namespace: id.namespace, name: id.name)] ?? []
        guard !slices.isEmpty else { return "no EndpointSlice belongs to the Service" }
        let endpoints = slices.flatMap { $0.endpoints ?? [] }
        guard !endpoints.isEmpty else { return "its EndpointSlices are empty: no pod is selected" }
        let ready = endpoints.filter { $0.conditions?.ready ?? true }.count
        return ready == 0
            ? "\(endpoints.count) in its EndpointSlices, none of them ready"
            : "\(ready) of \(endpoints.count) in its EndpointSlices are ready, but none for port \(id.port)"
    }
}

extension String {
    /// `Kind name` as `Kind.`: what a message begins with that names the kind's group.
    fileprivate var replacingFirstSpace: String {
        guard let space = firstIndex(of: " ") else { return self }
        return String(self[..<space]) + "."
    }
}
