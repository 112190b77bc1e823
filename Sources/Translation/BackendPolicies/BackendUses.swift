internal import KubernetesAPI

/// Where a listener's traffic goes, as far as BackendPolicies have to know.
struct BackendUse: Hashable {
    let gateway: Int
    let listener: Int
    /// Nil: no policy targets the route.
    let route: RouteKey?
    let backend: Backend

    enum Backend: Hashable {
        /// A policy's target.
        case target(BackendTarget)
        /// None is for it alone: whether it is spoken to in TLS by a BackendTLSPolicy, and has names for endpoints.
        case other(hasTLS: Bool, hasNames: Bool)
        /// Nothing that can be resolved.
        case none
    }
}

/// How often each is there, and whether one came or went.
struct Tally<Element: Hashable> {
    private var counts: [Element: Int] = [:]
    /// Whether it was there, of what was counted since ``begin()``.
    private var before: [Element: Bool]?

    var elements: Dictionary<Element, Int>.Keys { counts.keys }

    /// From now on changes are looked for.
    mutating func begin() { before = [:] }

    /// Whether something came or went since ``begin()``.
    var isChanged: Bool { before?.contains { $0.value != (counts[$0.key] != nil) } ?? false }

    mutating func add(_ element: Element) {
        note(element)
        counts[element, default: 0] += 1
    }

    mutating func remove(_ element: Element) {
        note(element)
        counts[element, default: 1] -= 1
        if counts[element] == 0 { counts[element] = nil }
    }

    private mutating func note(_ element: Element) {
        guard before != nil, before?[element] == nil else { return }
        before?[element] = counts[element] != nil
    }
}

extension BackendPolicyResolution {
    /// What a route makes of its places.
    func uses(of route: RouteState, _ catalog: BackendCatalog, _ policies: PolicyIndex) -> Set<BackendUse> {
        if isEmpty { return [] }
        let key = index.isTarget(.route(route.ref)) ? route.ref : nil
        var backends = Set(
            (route.rule?.targets ?? []).compactMap(\.backend).map { target -> BackendUse.Backend in
                if concerns(target) { return .target(target) }
                return .other(hasTLS: policies.tls(for: target) != nil, hasNames: catalog.hasNames(target))
            })
        if backends.isEmpty, key != nil { backends = [.none] }
        var uses: Set<BackendUse> = []
        for place in route.places {
            for backend in backends {
                uses.insert(
                    BackendUse(gateway: place.gateway, listener: place.listener, route: key, backend: backend))
            }
        }
        return uses
    }
}
