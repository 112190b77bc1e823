public import EngineModel
internal import Platform

extension Engine: HealthObserving {
    public func health() -> [BackendHealthReport] {
        let runtimes = withCompiler { compiler, _ in Array(compiler.healthBook.runtimes) }
        var endpoints: [BackendID: [ObjectIdentifier: EndpointHealth]] = [:]
        for runtime in runtimes {
            let id = runtime.configuration.id.withoutVariant
            for endpoint in runtime.standings { endpoints[id, default: [:]][ObjectIdentifier(endpoint)] = endpoint }
        }
        return endpoints.sorted { $0.key < $1.key }.map { id, endpoints in
            BackendHealthReport(
                backend: id, endpoints: endpoints.values.map(\.report).sorted { $0.address < $1.address })
        }
    }

    public var awaitsFirstChecks: Bool { withCompiler { compiler, _ in compiler.healthBook.awaitsFirstChecks } }
}

extension EndpointHealth {
    fileprivate var report: EndpointHealthReport {
        let past = record.withLock { $0 }
        return EndpointHealthReport(
            address: "\(address)", state: standing.state, lastCheck: past.last, ejections: past.ejections)
    }

    /// Nanoseconds of the monotonic clock; nil: no check has ended.
    var lastCheckBegan: Int64? { record.withLock { $0.began } }
    /// The same; nil: it is not ejected.
    var ejectedUntil: Int64? { record.withLock { $0.ejectedUntil } }
}
