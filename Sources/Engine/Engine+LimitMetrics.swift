internal import EngineModel
internal import Observability

extension Engine {
    /// Families of client policies (POLICY: TLS, PROXY protocol, policy). Series come with a policy and go with its last connection.
    func writeLimits(into text: inout PrometheusText) {
        let (decisions, hits) = withCompiler { compiler, _ in
            (compiler.decisionCounters.living(), compiler.limitHits.living())
        }
        text.family(
            "sluice_authorization_decisions_total", .counter,
            help: "Connections that a rule of a policy decided on or audited; rule is empty where none matched."
        ) { family in
            for counter in decisions.sorted(by: { $0.key.order < $1.key.order }) where counter.count > 0 {
                let more = LabelSet([
                    "policy": counter.key.policy, "rule": counter.key.rule, "action": counter.key.action,
                ])
                family.sample(LabelSet(of: counter.key.scope), more, counter.count)
            }
        }
        text.family(
            "sluice_limit_hits_total", .counter, help: "How often a limit of a policy took effect, by limit."
        ) { family in
            for entry in hits.sorted(by: { $0.scope.order < $1.scope.order }) {
                for limit in LimitHits.Limit.allCases where entry.count(limit) > 0 {
                    family.sample(LabelSet(of: entry.scope), LabelSet(["limit": limit.rawValue]), entry.count(limit))
                }
            }
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
        case .route(let key): key.order
        }
    }
}

extension DecisionCounter.Key {
    fileprivate var order: String { "\(scope.order) \(policy) \(rule) \(action)" }
}
