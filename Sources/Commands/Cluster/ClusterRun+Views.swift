internal import Controller
internal import KubernetesClient
internal import Observability
internal import Platform
internal import SnapshotCache

/// What probes, metrics and /config show of a cluster.
extension ClusterRun {
    var view: SourceView {
        SourceView(
            kind: "cluster", from: connection.url, isLeader: leadership.isLeader, cachedAsOf: source.health.cachedAsOf,
            watches: source.health.resources.map { resource in
                SourceView.Watch(
                    resource: resource.name, isSynced: resource.isSynced,
                    lastEvent: resource.lastEvent.map { $0 / 1_000_000_000 }, problem: resource.problem)
            })
    }

    var missing: [String] {
        let health = source.health
        guard !health.isSynced else { return [] }
        return health.problems.isEmpty ? ["not every watched kind was listed yet"] : health.problems
    }

    var details: [String: String] {
        let health = source.health
        var details = ["leader": leadership.isLeader ? "this replica" : "not this replica", "from": connection.url]
        let now = MonotonicTime.now()
        // Of each kind, watches bring an event or a bookmark about every minute.
        let times = health.resources.compactMap { resource in resource.lastHeard.map { (resource.name, $0) } }
        if let newest = times.max(by: { $0.1 < $1.1 }), let oldest = times.min(by: { $0.1 < $1.1 }) {
            details["age"] =
                "heard from the API server \(age(now - newest.1)) ago; longest silence: \(oldest.0), \(age(now - oldest.1))"
        }
        if let cache {
            details["cache"] = cache.detail(
                servedAsOf: health.cachedAsOf, now: realtimeNanoseconds() / 1_000_000_000)
        }
        if !health.problems.isEmpty { details["watches"] = health.problems.joined(separator: "; ") }
        return details
    }

    var warnings: [String] {
        guard let cache, let asOf = source.health.cachedAsOf else { return [] }
        return ["cache: " + cache.detail(servedAsOf: asOf, now: realtimeNanoseconds() / 1_000_000_000)]
    }

    func writeMetrics(into text: inout PrometheusText) {
        connection.writeMetrics(&text)
        tickets?.append(to: &text)
        let health = source.health
        text.append(health)
        if let cache { text.append(cache.status, serving: health.cachedAsOf != nil) }
        writer.append(to: &text)
    }
}

private func age(_ age: Duration) -> String { "\(max(.zero, age).components.seconds) s" }
