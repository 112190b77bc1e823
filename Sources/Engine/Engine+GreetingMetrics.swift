internal import Observability

extension Engine {
    func writeDroppedTLVs(_ backends: [(LabelSet, BackendState)], _ text: inout PrometheusText) {
        text.family(
            "sluice_backend_proxy_tlvs_dropped_total", .counter,
            help: "TLVs left out of headers of the PROXY protocol to endpoints because the header had no room for them."
        ) { family in
            for (labels, state) in backends {
                let count = state.counters.sum(BackendField.droppedTLVs)
                if count > 0 { family.sample(labels, count) }
            }
        }
    }
}
