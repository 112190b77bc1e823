internal import EngineModel
internal import KubernetesAPI

/// What ClientPolicies make of our listeners and of the routes behind them.
struct ClientPolicyResolution {
    private(set) var index: ClientPolicyIndex
    private let snapshot: ClusterSnapshot
    /// By gateway and listener; empty where there is no policy at all.
    private var listeners: [[ListenerPolicies]] = []

    /// What holds for one listener.
    struct ListenerPolicies {
        var settings = ClientSettings()
        var limits: [ClientLimits] = []
        /// What client certificates must hold.
        var requirements: [ClientValidation.Requirement] = []
    }

    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState]) {
        self.snapshot = snapshot
        index = ClientPolicyIndex(snapshot, gateways)
        guard !index.isEmpty else { return }
        // A policy that is not accepted after all changes what holds for others: so it goes on until nothing is found any
        // more. Each round takes at least one attachment out.
        repeat {
            listeners = gateways.map { gateway in gateway.listeners.map { resolve($0) } }
        } while rejectContradictions(gateways) || rejectPortConflicts(gateways)
        for gateway in gateways { note(gateway) }
    }

    subscript(_ gateway: Int, _ listener: Int) -> ListenerPolicies {
        index.isEmpty ? ListenerPolicies() : listeners[gateway][listener]
    }

    /// What holds for a route at a listener, beyond the listener's own limits.
    func route(_ route: RouteKey, at gateway: Int, _ listener: Int) -> (
        settings: ClientSettings, limits: [ClientLimits]
    ) {
        guard !index.isEmpty else { return (ClientSettings(), []) }
        var settings = listeners[gateway][listener].settings
        guard let holder = index.holder(of: route) else { return (settings, []) }
        let limits = add(holder, to: &settings)
        return (settings, limits.map { [$0] } ?? [])
    }

    private func resolve(_ listener: ListenerState) -> ListenerPolicies {
        var result = ListenerPolicies()
        for holder in index.holders(at: listener.attachmentPoints) {
            if let limits = add(holder, to: &result.settings) { result.limits.append(limits) }
            guard index.obstacle(holder) == nil else { continue }
            if let requirement = index.policies[holder.policy].requirement { result.requirements.append(requirement) }
        }
        return result
    }

    /// Adds a policy's settings, and returns its limits. One that does not hold, though it should protect something, lets
    /// nobody in.
    private func add(_ holder: ClientPolicyIndex.Holder, to settings: inout ClientSettings) -> ClientLimits? {
        let policy = index.policies[holder.policy]
        let id = LimitID(policy: policy.key.description, target: index[holder].point.description)
        guard index.obstacle(holder) == nil else {
            let closed = Authorization(rules: [], allowsByDefault: false)
            return policy.isSecurity ? ClientLimits(id: id, authorization: closed) : nil
        }
        var reader = ClientPolicyReader(policy.key, snapshot)
        settings.merge(policy.policy.spec, &reader, of: holder.policy)
        guard var limits = policy.limits else { return nil }
        limits.id = id
        return limits
    }

    // MARK: What cannot stand beside each other

    private mutating func rejectContradictions(_ gateways: [GatewayState]) -> Bool {
        var isChanged = false
        for (gateway, state) in gateways.enumerated() {
            for (listener, listenerState) in state.listeners.enumerated() {
                let chain = index.holders(at: listenerState.attachmentPoints)
                let places = Dictionary(chain.enumerated().map { ($1.policy, $0) }) { $1 }
                let found = listeners[gateway][listener].settings.contradiction { places[$0] ?? 0 }
                guard let found, let holder = chain.last(where: { $0.policy == found.policy }),
                    index.obstacle(holder) == nil
                else { continue }
                let other = found.other == found.policy ? "" : " (with ClientPolicy \(index.policies[found.other].key))"
                index[holder].verdict = Verdict(.invalid, found.message + other)
                isChanged = true
            }
        }
        return isChanged
    }

    private mutating func rejectPortConflicts(_ gateways: [GatewayState]) -> Bool {
        var isChanged = false
        for (gateway, state) in gateways.enumerated() {
            let served = state.listeners.indices.filter { state.listeners[$0].isServed }
            for (_, indices) in Dictionary(grouping: served, by: { state.listeners[$0].spec.port })
            where indices.count > 1 {
                let conflicts = PortFields.conflicts(
                    indices.map { state.listeners[$0] }, indices.map { listeners[gateway][$0].settings }
                ) { index.policies[$0].key }
                for conflict in conflicts {
                    for listener in indices {
                        for holder in index.holders(at: state.listeners[listener].attachmentPoints)
                        where holder.policy == conflict.policy && index.obstacle(holder) == nil {
                            index[holder].verdict = conflict.verdict
                            isChanged = true
                        }
                    }
                }
            }
        }
        return isChanged
    }

    // MARK: What is to be said

    /// Notes which fields hold at a gateway's listeners, and what deserves to be said.
    private mutating func note(_ gateway: GatewayState) {
        for listener in gateway.listeners {
            let chain = index.holders(at: listener.attachmentPoints).filter { index.obstacle($0) == nil }
            for (place, holder) in chain.enumerated() {
                noteFields(holder, under: chain[(place + 1)...])
                let warnings = index.policies[holder.policy].warnings(at: listener)
                for warning in warnings where !index[holder].warnings.contains(warning) {
                    index[holder].warnings.append(warning)
                }
            }
        }
    }

    private mutating func noteFields(
        _ holder: ClientPolicyIndex.Holder, under others: ArraySlice<ClientPolicyIndex.Holder>
    ) {
        let fields = self.fields(of: holder)
        var overriders: [String: Int] = [:]
        for other in others {
            for field in self.fields(of: other) { overriders[field] = other.policy }
        }
        for field in fields {
            if let overrider = overriders[field] {
                index[holder].overridden[field, default: []].insert(index.policies[overrider].key.description)
            } else {
                index[holder].holding.insert(field)
            }
        }
        if index.policies[holder.policy].limits != nil { index[holder].holding.insert("limits") }
    }

    private func fields(of holder: ClientPolicyIndex.Holder) -> Set<String> {
        var alone = ClientSettings()
        _ = add(holder, to: &alone)
        return Set(alone.sources.keys)
    }

    /// Says that a route is served at listeners of a gateway, where a policy is attached to it.
    mutating func note(_ route: RouteKey, at gateway: ObjectKey) { index.note(route, at: gateway) }
}
