internal import EngineModel
internal import KubernetesAPI

/// What ClientPolicies make of our listeners and of the routes behind them.
struct ClientPolicyResolution {
    typealias Holder = AttachmentIndex<ClientPolicyReading>.Holder

    private(set) var index: AttachmentIndex<ClientPolicyReading>
    /// Whether a limit is shared out among the installation's pods.
    let isDivided: Bool
    /// How many they are; nil: not known.
    private let replicas: Int?
    /// By gateway and listener; empty where there is no policy at all.
    private var listeners: [[ListenerPolicies]] = []

    /// What holds for one listener.
    struct ListenerPolicies {
        var settings = ClientSettings()
        var limits: [ClientLimits] = []
        /// What client certificates must hold.
        var requirements: [ClientValidation.Requirement] = []
    }

    init(
        _ snapshot: ClusterSnapshot, _ gateways: [GatewayState], _ memory: PolicyMemory,
        _ options: TranslationOptions
    ) {
        isDivided = snapshot.clientPolicies.values.contains { $0.spec.isDivided }
        replicas = isDivided ? readyReplicas(snapshot, options) : 1
        index = AttachmentIndex(snapshot, gateways, memory, replicas: replicas)
        guard !index.isEmpty else { return }
        // A policy that is not accepted after all changes what holds for others: so it goes on until nothing is found any
        // more. Each round takes at least one attachment out.
        repeat {
            listeners = gateways.map { gateway in gateway.listeners.map { resolve($0) } }
        } while rejectContradictions(gateways) || rejectPortConflicts(gateways)
        for gateway in gateways { note(gateway) }
    }

    var isEmpty: Bool { index.isEmpty }

    subscript(_ gateway: Int, _ listener: Int) -> ListenerPolicies {
        index.isEmpty ? ListenerPolicies() : listeners[gateway][listener]
    }

    /// What holds for a route at a listener, beyond the listener's own limits.
    func route(_ route: RouteKey, under listener: ListenerPolicies) -> (
        settings: ClientSettings, limits: [ClientLimits]
    ) {
        guard !isEmpty, let holder = index.holder(at: .route(route)) else { return (listener.settings, []) }
        var settings = listener.settings
        let limits = add(holder, to: &settings)
        return (settings, limits.map { [$0] } ?? [])
    }

    private func resolve(_ listener: ListenerState) -> ListenerPolicies {
        var result = ListenerPolicies()
        for holder in index.holders(at: listener.attachmentPoints) {
            if let limits = add(holder, to: &result.settings) { result.limits.append(limits) }
            guard index.obstacle(holder) == nil else { continue }
            let reading = index.reading(holder)
            if reading.unprotected(listener) != nil {
                // Its own id: elsewhere the policy's limits are others.
                var limits = closed(holder)
                limits.id.target += " without its protection"
                result.limits.append(limits)
            }
            if let requirement = reading.requirement { result.requirements.append(requirement) }
        }
        return result
    }

    /// Adds a policy's settings, and returns its limits. One that does not hold, though it should protect something, lets
    /// nobody in.
    private func add(_ holder: Holder, to settings: inout ClientSettings) -> ClientLimits? {
        guard index.obstacle(holder) == nil else { return index.isSecurity(holder) ? closed(holder) : nil }
        let reading = index.reading(holder)
        settings.merge(reading.spec, of: holder.policy, at: index[holder].point)
        guard var limits = reading.limits else { return nil }
        limits.id = index.limitID(holder)
        return limits
    }

    /// Lets nobody in.
    private func closed(_ holder: Holder) -> ClientLimits {
        ClientLimits(id: index.limitID(holder), authorization: Authorization(rules: [], allowsByDefault: false))
    }

    // MARK: What cannot stand beside each other

    private mutating func rejectContradictions(_ gateways: [GatewayState]) -> Bool {
        var isChanged = false
        for (gateway, state) in gateways.enumerated() {
            for (listener, listenerState) in state.listeners.enumerated() {
                let chain = index.holders(at: listenerState.attachmentPoints).filter { index.obstacle($0) == nil }
                let places = Dictionary(chain.enumerated().map { ($1.policy, $0) }) { $1 }
                let found = listeners[gateway][listener].settings.contradiction { places[$0] ?? 0 }
                guard let found, let holder = chain.last(where: { $0.policy == found.policy }) else { continue }
                let other = found.other == found.policy ? "" : " (with ClientPolicy \(index.policies[found.other].key))"
                index[holder].refuse(Verdict(.invalid, "tls: \(found.message)\(other)"))
                isChanged = true
            }
        }
        return isChanged
    }

    private mutating func rejectPortConflicts(_ gateways: [GatewayState]) -> Bool {
        var isChanged = false
        for (gateway, state) in gateways.enumerated() {
            let served = state.listeners.indices.filter { state.listeners[$0].isServed }
            let ports = Dictionary(grouping: served) { state.listeners[$0].spec.port }
            for (_, indices) in ports.sorted(by: { $0.key < $1.key }) where indices.count > 1 {
                var port = port(of: indices.map { (state.listeners[$0], listeners[gateway][$0].settings) })
                let conflicts = PortFields.settle(&port)
                for (place, listener) in indices.enumerated() {
                    listeners[gateway][listener].settings = port.settings[place]
                }
                for conflict in conflicts {
                    let concerned = conflict.listener.map { [port.listeners[$0]] } ?? port.listeners
                    for holder in index.holders(at: concerned.flatMap(\.attachmentPoints))
                    where holder.policy == conflict.policy && index.obstacle(holder) == nil {
                        index[holder].refuse(conflict.verdict)
                        isChanged = true
                    }
                }
            }
        }
        return isChanged
    }

    private func port(of listeners: [(state: ListenerState, settings: ClientSettings)]) -> PortFields.Port {
        PortFields.Port(
            listeners: listeners.map(\.state), settings: listeners.map(\.settings),
            isOfSet: { [index] policy, listener in
                index.holders(at: listener.attachmentPoints.filter { !$0.isOfGateway }).contains { $0.policy == policy }
            },
            title: { [index] policy, reader in
                let key = index.policies[policy].key
                // Of a Gateway it may be known what its listeners are, and so what holds for them.
                return [reader.namespace, reader.gateway.namespace].contains(key.namespace)
                    ? "ClientPolicy \(key)" : "ClientPolicy of another namespace"
            })
    }

    // MARK: What is to be said

    /// Notes which fields hold at a gateway's listeners, and what deserves to be said.
    private mutating func note(_ gateway: GatewayState) {
        for listener in gateway.listeners {
            let chain = chain(of: listener)
            for (place, holder) in chain.enumerated() {
                noteFields(holder, under: chain[(place + 1)...], at: listener)
                index[holder].warn(index.reading(holder).warnings(at: listener) + division(holder))
            }
        }
    }

    /// Takes in where a route is served, if a policy is attached to it. To be told of every route once.
    mutating func note(_ route: RouteState, _ gateways: [GatewayState]) {
        guard index.isTarget(.route(route.ref)), let holder = index.holder(at: .route(route.ref)) else { return }
        for parent in route.parents where parent.rejection == nil {
            if let gateway = parent.gateway { index.note(.route(route.ref), at: gateways[gateway].key) }
        }
        // What a listener lacks that is not served, it may merely lack for now.
        let listeners = route.places.map { gateways[$0.gateway].listeners[$0.listener] }.filter { $0.obstacle == nil }
        while index.obstacle(holder) == nil,
            let verdict = index.reading(holder).neverMatching(at: listeners, index[holder].point)
        {
            index[holder].refuse(verdict)
        }
        guard index.obstacle(holder) == nil else { return }
        for listener in listeners {
            noteFields(holder, under: [], at: listener)
            index[holder].warn(index.reading(holder).unmatched(at: listener) + division(holder))
            for wider in chain(of: listener) { noteFields(wider, under: [holder], at: listener) }
        }
    }

    /// The policies that hold at a listener, the least specific first.
    private func chain(of listener: ListenerState) -> [Holder] {
        index.holders(at: listener.attachmentPoints).filter { index.obstacle($0) == nil }
    }

    /// Said where it is not known among how many pods a limit is to be shared out.
    private func division(_ holder: Holder) -> [Verdict] {
        guard replicas == nil, index.reading(holder).spec.isDivided else { return [] }
        return [
            Verdict(
                .replicasUnknown,
                "connectionLimit.shared is Divide, and no Service with a ready pod selects those of the installation: each "
                    + "counts as the only one")
        ]
    }

    private mutating func noteFields(
        _ holder: Holder, under others: ArraySlice<Holder>,
        at listener: ListenerState
    ) {
        let fields = self.fields(of: holder).filter { listener.heeds($0) }
        var overriders: [String: Holder] = [:]
        for other in others {
            for field in self.fields(of: other) { overriders[field] = other }
        }
        for field in fields {
            if let overrider = overriders[field] {
                index[holder].overridden[field, default: []].insert(index.name(overrider, for: holder))
            } else {
                index[holder].holding.insert(field)
            }
        }
        let reading = index.reading(holder)
        if reading.limits != nil || reading.requirement != nil { index[holder].holding.insert("limits") }
    }

    private func fields(of holder: Holder) -> Set<String> {
        var alone = ClientSettings()
        _ = add(holder, to: &alone)
        return Set(alone.sources.keys)
    }
}
