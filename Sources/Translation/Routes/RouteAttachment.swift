internal import KubernetesAPI
internal import Primitives

/// Attaches routes to the listeners their parentRefs name. Whether a listener is served plays no part in it.
struct RouteAttacher {
    var snapshot: ClusterSnapshot
    private let standalone: Bool
    private let gateways: [GatewayState]
    private let parents: [ParentKey: ParentListeners]
    /// Answers of namespace selectors, which are asked for every route.
    private var admitted: [Admission: Bool] = [:]

    private struct Admission: Hashable {
        let gateway: Int
        let listener: Int
        let namespace: String
    }

    /// What a parentRef may name.
    private struct ParentKey: Hashable {
        let isSet: Bool
        let key: ObjectKey
    }

    /// The listeners that a parent stands for.
    private struct ParentListeners {
        let gateway: Int
        /// Index among the gateway's sets; nil: the gateway itself.
        let set: Int?
        /// Indices among the gateway's listeners.
        let listeners: Range<Int>
        let byName: [String: Int]

        init(_ index: Int, _ gateway: GatewayState, set: Int?) {
            self.gateway = index
            self.set = set
            listeners = set.map { gateway.sets[$0].listeners } ?? gateway.ownListeners.indices
            byName = Dictionary(zip(gateway.listeners[listeners].map(\.spec.name), listeners)) { first, _ in first }
        }
    }

    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState], standalone: Bool) {
        self.snapshot = snapshot
        self.standalone = standalone
        self.gateways = gateways
        var parents: [ParentKey: ParentListeners] = [:]
        for (index, gateway) in gateways.enumerated() {
            parents[ParentKey(isSet: false, key: gateway.key)] = ParentListeners(index, gateway, set: nil)
            for (set, state) in gateway.sets.enumerated() {
                parents[ParentKey(isSet: true, key: state.key)] = ParentListeners(index, gateway, set: set)
            }
        }
        self.parents = parents
    }

    /// Decides what becomes of a route at each parent of ours, and which listeners take it.
    mutating func attach(_ route: RouteState) {
        for reference in route.parentRefs {
            guard let (parent, places) = attach(route, to: reference) else { continue }
            route.parents.append(parent)
            route.places += places
        }
        guard route.parents.count > 1 else { return }
        // Two references may name one listener.
        route.places.sort { ($0.gateway, $0.listener) < ($1.gateway, $1.listener) }
        var last: Place?
        route.places.removeAll { place in
            defer { last = place }
            return place.gateway == last?.gateway && place.listener == last?.listener
        }
    }

    /// What becomes of one parentRef; nil: the parent is not ours.
    private mutating func attach(_ route: RouteState, to reference: ParentReference) -> (ParentState, [Place])? {
        guard reference.effectiveGroup == gatewayAPIGroup else { return nil }
        let isSet = reference.effectiveKind == ListenerSet.resourceKind.kind
        guard isSet || reference.effectiveKind == "Gateway" else { return nil }
        let key = reference.key(from: route.key.namespace)
        guard let found = parents[ParentKey(isSet: isSet, key: key)] else {
            let exists = isSet ? snapshot.listenerSets[key] != nil : snapshot.gateways[key] != nil
            guard standalone, !exists else { return nil }
            let verdict = Verdict(.noMatchingParent, "\(reference.effectiveKind) \(key) does not exist")
            return (ParentState(reference: reference, rejection: verdict), [])
        }
        var parent = ParentState(reference: reference, gateway: found.gateway)
        if let set = found.set, let refusal = gateways[found.gateway].sets[set].rejection {
            parent.rejection = Verdict(
                .noMatchingParent, "ListenerSet \(key) adds no listeners: \(refusal.message)")
            return (parent, [])
        }
        switch select(route, found, reference) {
        case .success(let places):
            parent.listeners = places.map(\.listener)
            return (parent, places)
        case .failure(let failure):
            parent.rejection = failure.verdict
            return (parent, [])
        }
    }

    private struct Rejection: Error { let verdict: Verdict }

    /// The listeners that take the route, or why none does.
    private mutating func select(
        _ route: RouteState, _ parent: ParentListeners, _ reference: ParentReference
    ) -> Result<[Place], Rejection> {
        let gateway = parent.gateway
        func rejected(_ reason: Condition.Reason, _ message: String) -> Result<[Place], Rejection> {
            .failure(Rejection(verdict: Verdict(reason, message)))
        }
        guard route.rules.first != nil else { return rejected(.unsupportedValue, "the route has no rule") }
        let named = candidates(parent, reference)
        if named.isEmpty { return rejected(.noMatchingParent, noMatchMessage(route, reference)) }
        let allowed = named.filter { allows(route, gateway, $0) }
        if allowed.isEmpty { return rejected(.notAllowedByListeners, notAllowedMessage(route, gateway, named)) }
        guard route.kind == .tls else {
            return .success(
                allowed.map { Place(gateway: gateway, listener: $0, names: [AttachedName(name: nil, specificity: 0)]) })
        }
        if !route.invalidHostnames.isEmpty, route.hostnames.isEmpty {
            let names = route.invalidHostnames.joined(separator: ", ")
            return rejected(.unsupportedValue, "hostnames: no DNS name among \(names)")
        }
        let matching = allowed.map {
            Place(
                gateway: gateway, listener: $0,
                names: names(of: route, at: gateways[gateway].listeners[$0].hostname))
        }.filter { !$0.names.isEmpty }
        if matching.isEmpty {
            let wanted = allowed.compactMap { gateways[gateway].listeners[$0].hostname?.description }
            return rejected(
                .noMatchingListenerHostname,
                "no hostname of the route falls under those of the listeners: \(wanted.joined(separator: ", "))")
        }
        return .success(matching)
    }

    private func candidates(_ parent: ParentListeners, _ reference: ParentReference) -> [Int] {
        let named: [Int]
        if let section = reference.sectionName, !section.isEmpty {
            named = parent.byName[section].map { [$0] } ?? []
        } else {
            named = Array(parent.listeners)
        }
        guard let port = reference.port else { return named }
        return named.filter { gateways[parent.gateway].listeners[$0].spec.port == port }
    }

    private mutating func allows(_ route: RouteState, _ gateway: Int, _ listener: Int) -> Bool {
        guard gateways[gateway].listeners[listener].kinds.contains(route.kind) else { return false }
        let rule = gateways[gateway].listeners[listener].namespaces
        guard case .selector = rule else {
            return rule.admits(route.key.namespace, in: snapshot, standalone: standalone)
        }
        let admission = Admission(gateway: gateway, listener: listener, namespace: route.key.namespace)
        if let known = admitted[admission] { return known }
        let answer = rule.admits(route.key.namespace, in: snapshot, standalone: standalone)
        admitted[admission] = answer
        return answer
    }

    /// The names a TLSRoute takes at a listener; empty: none.
    private func names(of route: RouteState, at hostname: HostnamePattern?) -> [AttachedName] {
        guard !route.hostnames.isEmpty else { return [AttachedName(name: hostname, specificity: 0)] }
        return route.hostnames.compactMap { own in
            guard let hostname else { return AttachedName(name: own, specificity: own.specificity) }
            return hostname.intersection(own).map { AttachedName(name: $0, specificity: own.specificity) }
        }
    }
}

extension RouteAttacher {
    private func noMatchMessage(_ route: RouteState, _ reference: ParentReference) -> String {
        let section = reference.sectionName.map { " named \($0)" } ?? ""
        let port = reference.port.map { " on port \($0)" } ?? ""
        let key = reference.key(from: route.key.namespace)
        return "\(reference.effectiveKind) \(key) has no listener\(section)\(port)"
    }

    private func notAllowedMessage(_ route: RouteState, _ gateway: Int, _ listeners: [Int]) -> String {
        let reasons = listeners.map { index in
            let listener = gateways[gateway].listeners[index]
            guard listener.kinds.contains(route.kind) else {
                let kinds = listener.kinds.map(\.rawValue).joined(separator: ", ")
                return "\(listener.spec.name) takes \(kinds.isEmpty ? "no kind of route" : "only \(kinds)")"
            }
            if case .none = listener.namespaces, let why = listener.rejections.merged {
                return "\(listener.spec.name) takes no routes: \(why.message)"
            }
            return "\(listener.spec.name) takes no routes of namespace \(route.key.namespace)"
        }
        return "listener " + reasons.joined(separator: "; ")
    }
}

extension HostnamePattern {
    /// Exact before wildcards, longer wildcards before shorter ones.
    fileprivate var specificity: Int {
        switch self {
        case .exact: .max
        case .wildcard(let suffix): suffix.utf8.count { $0 == UInt8(ascii: ".") } + 1
        }
    }
}
