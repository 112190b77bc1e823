internal import EngineModel
internal import Platform

extension TableCompiler {
    /// The limits of a listener or route as they are from now on. What was counted and spent under their ids goes on.
    func limits(_ limits: [ClientLimits], at scope: LimitScope) -> LimitSet? {
        guard !limits.isEmpty else { return nil }
        let hits = limitHits.state(scope) { LimitHits(scope: scope) }
        return LimitSet(limits.map { level($0, scope, hits) })
    }

    private func level(_ limits: ClientLimits, _ scope: LimitScope, _ hits: LimitHits) -> LimitLevel {
        let now = clock()
        let state = limitStates.state(limits.id) { LimitState(id: limits.id) }
        state.setLimit(limits.connections?.value.map { max(1, $0) })
        state.setRate(limits.connectionRate?.total, now: now)
        let sources = limits.connections?.perSource.map { SourcesKey(id: limits.id, source: $0.source) }
        let counts = sources.map { sourceCounts.state($0) { SourceCounts() } }
        let waiting = sources.map { waitingCounts.state($0) { SourceCounts() } }
        let rates = limits.connectionRate?.perSource.flatMap { rate in
            limits.connectionRate.map { limit in
                let rates = sourceRates.state(SourcesKey(id: limits.id, source: limit.source)) { SourceRates() }
                rates.setRate(rate, now: now)
                return rates
            }
        }
        return LimitLevel(
            limits, state: state, sourceCounts: counts, waitingCounts: waiting, sourceRates: rates, hits: hits
        ) { rule, action in
            let key = DecisionCounter.Key(scope: scope, policy: limits.id.policy, rule: rule, action: action)
            return decisionCounters.state(key) { DecisionCounter(key: key) }
        }
    }
}

/// What sessions of one listener or route must be judged by again, as a policy that ends them has changed.
struct AuthorizationRecheck: Sendable {
    /// The `ListenerState` or `RouteState`.
    let state: any AnyObject & Sendable
    let levels: [LimitLevel]

    /// Nil where nothing has changed for them.
    init?(_ state: any AnyObject & Sendable, _ limits: LimitSet?, since old: LimitSet?) {
        guard let limits, limits !== old else { return nil }
        levels = limits.changedAuthorization(since: old)
        guard !levels.isEmpty else { return nil }
        self.state = state
    }
}
