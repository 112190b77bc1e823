internal import EngineModel
internal import Observability

extension Engine {
    /// Families of queues, and of sessions that ended on account of their endpoint. Series appear with their first event.
    func writeSessions(_ backends: [(LabelSet, BackendState)], _ text: inout PrometheusText) {
        let queued = backends.filter { $0.1.hasQueued }
        text.family(
            "sluice_backend_pending_connections", .gauge, help: "Connections that wait for room at the backend."
        ) { family in
            for (labels, state) in queued { family.sample(labels, state.counters.sum(BackendField.pending)) }
        }
        text.family(
            "sluice_backend_queue_duration_seconds", .histogram,
            help: "How long connections waited for room, however that ended."
        ) { family in
            for (labels, state) in queued { family.histogram(labels, BackendField.queueDuration, state.counters) }
        }
        text.family(
            "sluice_backend_sessions_closed_total", .counter,
            help: "Established sessions closed on account of their endpoint, by reason."
        ) { family in
            for (labels, state) in backends {
                for end in SessionEnd.allCases {
                    let count = state.counters.sum(BackendField.sessionsClosed(end))
                    guard count > 0 else { continue }
                    family.sample(labels, LabelSet(["reason": end.reason.rawValue]), count)
                }
            }
        }
    }
}

extension BackendState {
    fileprivate var hasQueued: Bool {
        counters.sum(BackendField.pending) > 0 || BackendField.queueDuration.counts(counters).contains { $0 > 0 }
    }
}
