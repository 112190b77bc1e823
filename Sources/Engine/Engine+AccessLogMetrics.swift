internal import Observability

extension Engine {
    /// Written where there is an access log.
    func writeAccessLog(_ text: inout PrometheusText) {
        guard let log = shared.accessLog else { return }
        text.single(
            "sluice_access_log_dropped_total", .counter,
            help: "Lines of the access log that were dropped: its queue was full, or they could not be written.",
            log.dropped)
    }
}
