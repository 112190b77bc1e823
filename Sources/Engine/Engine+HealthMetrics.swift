internal import EngineModel
internal import Observability

extension Engine {
    /// Families of health checks (POLICY: backends). Series come with a policy; counters go with the last holder of its health.
    func writeHealth(_ text: inout PrometheusText) {
        let (endpoints, counters) = withCompiler { compiler, _ in
            (compiler.endpointCounts, compiler.healthBook.counters.living())
        }
        text.family("sluice_backend_endpoints", .gauge, help: "Endpoints of the backend, by state.") { family in
            for (id, counts) in endpoints.sorted(by: { $0.key < $1.key }) {
                for (state, count) in counts.inOrder {
                    family.sample(LabelSet(backend: id), LabelSet(["state": state.rawValue]), UInt64(count))
                }
            }
        }
        let counted = counters.sorted { $0.backend < $1.backend }.map { (LabelSet(backend: $0.backend), $0.now) }
        writeChecks(counted, &text)
        text.family(
            "sluice_backend_health_transitions_total", .counter,
            help: "How often an endpoint became healthy or unhealthy after its first check, or was ejected."
        ) { family in
            for (labels, counts) in counted {
                let all = [
                    ("healthy", counts.becameHealthy), ("unhealthy", counts.becameUnhealthy),
                    ("ejected", counts.becameEjected),
                ]
                for (state, count) in all where count > 0 { family.sample(labels, LabelSet(["to": state]), count) }
            }
        }
    }

    private func writeChecks(_ counted: [(LabelSet, HealthCounters.Counts)], _ text: inout PrometheusText) {
        text.family(
            "sluice_backend_health_checks_total", .counter,
            help: "Health checks that came to an end, by result; reason is empty where they passed."
        ) { family in
            for (labels, counts) in counted {
                if counts.passed > 0 {
                    family.sample(labels, LabelSet(["result": "success", "reason": ""]), counts.passed)
                }
                for reason in CheckFailureReason.allCases where counts.failed[reason.index] > 0 {
                    family.sample(
                        labels, LabelSet(["result": "failure", "reason": reason.rawValue]), counts.failed[reason.index])
                }
            }
        }
        text.family(
            "sluice_backend_health_check_duration_seconds", .histogram,
            help: "How long health checks took, whatever their result."
        ) { family in
            for (labels, counts) in counted where counts.durations.counts.contains(where: { $0 > 0 }) {
                family.histogram(labels, counts.durations)
            }
        }
    }
}

/// How many endpoints of a backend are in which state.
struct EndpointCounts {
    private var counts: [EndpointHealthReport.State: Int]

    /// Where nobody judges the endpoints, they are unchecked, and nothing is said of other states.
    init(of runtime: BackendRuntime) {
        guard let health = runtime.health else {
            counts = [.unchecked: runtime.endpoints.count]
            return
        }
        counts = [.healthy: 0]
        if health.plan != nil { (counts[.unhealthy], counts[.unchecked]) = (0, 0) }
        if health.failureLimit != nil { counts[.ejected] = 0 }
        for endpoint in runtime.standings { counts[endpoint.standing.state, default: 0] += 1 }
    }

    var all: Int { counts.values.reduce(0, +) }
    var healthy: Int { counts[.healthy] ?? 0 }
    var inOrder: [(EndpointHealthReport.State, Int)] {
        EndpointHealthReport.State.allCases.compactMap { state in counts[state].map { (state, $0) } }
    }
}

extension TableCompiler {
    /// Of several variants of a backend that with the most endpoints counts, and of equal ones that with the fewest healthy ones.
    var endpointCounts: [BackendID: EndpointCounts] {
        Dictionary(backends.map { ($0.key.withoutVariant, EndpointCounts(of: $0.value)) }) { left, right in
            left.all == right.all
                ? (left.healthy <= right.healthy ? left : right) : (left.all > right.all ? left : right)
        }
    }
}

extension Standing {
    /// The one of several that says most.
    var state: EndpointHealthReport.State {
        if contains(.ejected) { return .ejected }
        if contains(.unchecked) { return .unchecked }
        return contains(.unhealthy) ? .unhealthy : .healthy
    }
}
