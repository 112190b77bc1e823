internal import EngineModel
internal import Observability

extension Engine {
    /// Families of health checks (POLICY: backends). Series come with a policy; counters go with the last holder of its health.
    func writeHealth(_ backends: [BackendState], _ text: inout PrometheusText) {
        let (endpoints, counters) = withCompiler { compiler, _ in
            (compiler.endpointCounts, compiler.healthBook.counters.living())
        }
        text.family(.backendEndpoints) { family in
            for state in backends { endpoints[ObjectIdentifier(state)]?.write(state.labels, to: &family) }
        }
        let counted = counters.sorted { $0.backend < $1.backend }.map { (LabelSet(backend: $0.backend), $0.now) }
        writeChecks(counted, &text)
        text.family(.backendHealthTransitions) { family in
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
        text.family(.backendHealthChecks) { family in
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
        text.family(.backendHealthCheckDuration) { family in
            for (labels, counts) in counted where counts.durations.counts.contains(where: { $0 > 0 }) {
                family.histogram(labels, counts.durations)
            }
        }
    }
}
