internal import KubernetesAPI
public import Observability
public import Platform

/// How the watches of a ``ClusterSource`` do.
public struct ClusterHealth: Sendable {
    /// Of one kind, in all its namespaces and names together.
    public struct Resource: Hashable, Sendable {
        /// The plural, such as `tcproutes`.
        public var name: String
        /// Listed once, and nothing speaks against it.
        public var isSynced: Bool
        /// When the server last said something, in nanoseconds since 1970; nil: never.
        public var lastEvent: Int64?
        /// The same by a clock that is never set.
        public var lastHeard: MonotonicTime?
        /// Watches that had to be opened again, by `expired`, `error` and `eof`.
        public var restarts: [String: UInt64]
        /// Versions of objects that could not be read.
        public var faults: UInt64
        /// What is wrong now, with the missing right where it is one; nil where nothing is.
        public var problem: String?

        init(name: String) {
            (self.name, isSynced, restarts, faults) = (name, true, [:], 0)
        }
    }

    /// Sorted by name.
    public var resources: [Resource] = []
    /// Every watched kind was listed once, and the first state was handed over. Stays true.
    public var isSynced = false
    /// While a cache on disk stands in for the API server: when that was known to be so, in seconds since 1970.
    public var cachedAsOf: Int64?
    /// Why it is not synced, or what is wrong now: one line for each.
    public var problems: [String] = []

    public init() {}
}

extension PrometheusText {
    /// The families of a cluster's watches.
    public mutating func append(_ health: ClusterHealth) {
        family(.watchSynced) { family in
            for resource in health.resources { family.sample(LabelSet(["resource": resource.name]), resource.isSynced) }
        }
        family(.watchLastEvent) { family in
            for resource in health.resources {
                guard let time = resource.lastEvent else { continue }
                family.sample(LabelSet(["resource": resource.name]), nanoseconds: UInt64(max(0, time)))
            }
        }
        family(.watchRestarts) { family in
            for resource in health.resources {
                for reason in InformerMachine.RestartReason.allCases.map(\.rawValue) {
                    let labels = LabelSet(["resource": resource.name, "reason": reason])
                    family.sample(labels, resource.restarts[reason] ?? 0)
                }
            }
        }
        family(.watchDecodeErrors) { family in
            for resource in health.resources { family.sample(LabelSet(["resource": resource.name]), resource.faults) }
        }
    }
}

extension ClusterHealth {
    /// Sums up what the informers say.
    init(_ informers: [Informer], faults: [String: UInt64], discovery: String?, isSynced: Bool, cachedAsOf: Int64?) {
        var byName: [String: Resource] = [:]
        for informer in informers {
            let name = informer.kind.plural
            var resource = byName[name] ?? Resource(name: name)
            resource.isSynced =
                resource.isSynced && informer.isSettled && (informer.machine.hasSynced || informer.isByName)
            if let time = informer.lastEvent { resource.lastEvent = max(time, resource.lastEvent ?? time) }
            if let time = informer.lastHeard { resource.lastHeard = max(time, resource.lastHeard ?? time) }
            for (reason, count) in informer.machine.restarts { resource.restarts[reason.rawValue, default: 0] += count }
            if let problem = informer.machine.problem {
                resource.problem = resource.problem ?? "\(informer.place): \(problem)"
            }
            byName[name] = resource
        }
        for (name, count) in faults { byName[name]?.faults = count }
        resources = byName.values.sorted { $0.name < $1.name }
        problems = resources.compactMap(\.problem)
        if let discovery { problems.insert("discovery: \(discovery)", at: 0) }
        (self.isSynced, self.cachedAsOf) = (isSynced, cachedAsOf)
    }
}
