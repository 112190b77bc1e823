internal import EngineModel
internal import Observability

extension Engine {
    /// Families of client policies (POLICY: TLS, PROXY protocol, policy). Series come with a policy and go with its last connection.
    func writeLimits(into text: inout PrometheusText) {
        let (decisions, hits) = withCompiler { compiler, _ in
            (
                compiler.decisionCounters.living().filter { $0.count > 0 }.map { ($0.key.order, $0) },
                compiler.limitHits.living().filter(\.hasAny).map { ($0.scope.order, $0) }
            )
        }
        text.family(.authorizationDecisions) { family in
            for (_, counter) in decisions.sorted(by: { $0.0 < $1.0 }) {
                let more = LabelSet([
                    "policy": counter.key.policy, "rule": counter.key.rule, "action": counter.key.action,
                ])
                family.sample(LabelSet(of: counter.key.scope), more, counter.count)
            }
        }
        text.family(.limitHits) { family in
            for (_, entry) in hits.sorted(by: { $0.0 < $1.0 }) {
                for limit in LimitHits.Limit.allCases where entry.count(limit) > 0 {
                    family.sample(LabelSet(of: entry.scope), LabelSet(["limit": limit.rawValue]), entry.count(limit))
                }
            }
        }
        writeOpenConnections(into: &text)
    }

    /// One series for each policy at each of its targets, however many listeners and routes share the count.
    private func writeOpenConnections(into text: inout PrometheusText) {
        let limits = withCompiler { compiler, _ in
            compiler.limitStates.living().compactMap { state in state.limit.map { (state.id, $0, state.open.value) } }
        }
        .sorted { $0.0 < $1.0 }.map { id, limit, open in
            (LabelSet(["policy": id.policy, "target": id.target]), UInt64(limit), UInt64(max(0, open)))
        }
        text.family(.limitConnections) { family in
            for (labels, limit, _) in limits { family.sample(labels, limit) }
        }
        text.family(.limitConnectionsActive) { family in
            for (labels, _, open) in limits { family.sample(labels, open) }
        }
    }
}

extension LabelSet {
    fileprivate init(of scope: LimitScope) {
        switch scope {
        case .listener(let key): self.init(listener: key.id, port: key.port)
        case .route(let key): self.init(of: key)
        }
    }
}

extension LimitScope {
    fileprivate var order: String {
        switch self {
        case .listener(let key): "\(key.id)/\(key.port)"
        case .route(let key): "\(key.listener)/\(key.port)/\(key.kind)/\(key.namespace)/\(key.name)"
        }
    }
}

extension LimitHits {
    fileprivate var hasAny: Bool { Limit.allCases.contains { count($0) > 0 } }
}

extension DecisionCounter.Key {
    fileprivate var order: String { "\(scope.order) \(policy) \(rule) \(action)" }
}
