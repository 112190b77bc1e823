internal import EngineModel

/// Which endpoints are judged, and for whom. The compiler's.
struct HealthBook {
    /// Those of the newest table with health.
    private var users: [BackendID: BackendRuntime] = [:]
    /// Of the compilation under way: backends with health that are gone or others now, by identity without variant.
    var replaced: [BackendID: BackendRuntime] = [:]
    let counters = Registry<BackendID, HealthCounters>()
    private var targets: [ObjectIdentifier: HealthTarget] = [:]
    private var hasChanged = false

    mutating func noteGone(_ runtime: BackendRuntime?) {
        guard let runtime, runtime.health != nil else { return }
        replaced[runtime.configuration.id.withoutVariant] = runtime
        users[runtime.configuration.id] = nil
        hasChanged = true
    }

    /// Whether a runtime with health that stays as it is was noted as gone.
    func lacks(_ runtime: BackendRuntime) -> Bool {
        runtime.health != nil && users[runtime.configuration.id] !== runtime
    }

    mutating func note(_ runtime: BackendRuntime) {
        if runtime.health != nil {
            users[runtime.configuration.id] = runtime
            hasChanged = true
        } else if users.removeValue(forKey: runtime.configuration.id) != nil {
            hasChanged = true
        }
    }

    /// All endpoints that are judged, each once, where they are others than at the last call. Those that are no more are forgotten:
    /// should they come back, they are new.
    mutating func takeTargets() -> [HealthTarget]? {
        guard hasChanged else { return nil }
        hasChanged = false
        var now: [ObjectIdentifier: HealthTarget] = [:]
        for runtime in users.values {
            guard let health = runtime.health else { continue }
            for (endpoint, weight) in zip(runtime.standings, runtime.resolved.weights) {
                let id = ObjectIdentifier(endpoint)
                // One variant that gives it connections is enough.
                let isServing = weight > 0 || now[id]?.isServing == true
                now[id] = HealthTarget(health: health, endpoint: endpoint, isServing: isServing)
            }
        }
        for (id, target) in targets where now[id] == nil { target.health.forget(target.endpoint) }
        targets = now
        return Array(now.values)
    }

    /// Whether the first check of one of them has not ended.
    var awaitsFirstChecks: Bool {
        targets.values.contains { $0.health.plan != nil && $0.endpoint.standing.contains(.unchecked) }
    }

    /// Backends whose endpoints are judged; several where variants of one are judged otherwise.
    var runtimes: some Collection<BackendRuntime> { users.values }
}

extension TableCompiler {
    /// What is known of a backend's endpoints: of those that were there under other settings, as they stood.
    mutating func health(
        of backend: BackendConfiguration, before old: BackendRuntime?, tls: TLSClientContext?
    ) -> BackendHealth? {
        guard let key = backend.healthKey else { return nil }
        let health = healths.state(key) {
            let counters = healthBook.counters.state(key.backend) { HealthCounters(backend: key.backend) }
            return BackendHealth(key: key, tls: tls, counters: counters)
        }
        let before = old?.health == nil ? healthBook.replaced[key.backend] : old
        if let before, let past = before.health, past !== health { health.take(over: past, before.standings) }
        return health
    }
}
