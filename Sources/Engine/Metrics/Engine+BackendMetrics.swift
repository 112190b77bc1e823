internal import EngineModel
internal import Observability

extension Engine {
    /// Families of backends, sorted by identity.
    func writeBackends(_ backends: [BackendState], _ text: inout PrometheusText) {
        writeConnects(backends, &text)
        text.family(.backendActive) {
            for state in backends { $0.sample(state.labels, state.counters.gauge(BackendField.active)) }
        }
        text.family(.backendRejected) { family in
            for state in backends {
                family.counts(state.labels, MetricLabels.reasons) { state.counters.sum(BackendField.rejected($0)) }
            }
        }
        writeHealth(backends, &text)
        text.family(.backendDroppedTLVs) { family in
            for state in backends { family.count(state.labels, state.counters.sum(BackendField.droppedTLVs)) }
        }
        writeBalancing(into: &text)
        writeQueues(backends, &text)
        text.family(.backendSessionsClosed) { family in
            for state in backends {
                for end in SessionEnd.allCases {
                    let count = state.counters.sum(BackendField.sessionsClosed(end))
                    if count > 0 { family.sample(state.labels, LabelSet(["reason": end.reason.rawValue]), count) }
                }
            }
        }
        writeNames(&text)
        writeEndpoints(&text)
    }

    private func writeConnects(_ backends: [BackendState], _ text: inout PrometheusText) {
        text.family(.backendConnects) { family in
            for state in backends {
                family.counts(state.labels, MetricLabels.connects) { state.counters.sum(BackendField.connects($0)) }
            }
        }
        text.family(.backendConnectDuration) { family in
            for state in backends where state.counters.sum(BackendField.connects(.ok)) > 0 {
                family.histogram(state.labels, BackendField.connectDuration, state.counters)
            }
        }
        text.family(.backendConnectRetries) { family in
            for state in backends { family.count(state.labels, state.counters.sum(BackendField.retries)) }
        }
    }

    private func writeQueues(_ backends: [BackendState], _ text: inout PrometheusText) {
        let queued = backends.filter { $0.hasQueued }
        text.family(.backendPending) {
            for state in queued { $0.sample(state.labels, state.counters.gauge(BackendField.pending)) }
        }
        text.family(.backendQueueDuration) {
            for state in queued { $0.histogram(state.labels, BackendField.queueDuration, state.counters) }
        }
    }
}

extension BackendState {
    fileprivate var hasQueued: Bool {
        counters.gauge(BackendField.pending) > 0 || BackendField.queueDuration.counts(counters).contains { $0 > 0 }
    }
}
