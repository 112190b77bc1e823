internal import Observability

extension Engine {
    /// Written where there is an access log.
    func writeAccessLog(_ text: inout PrometheusText) {
        guard let log = shared.accessLog, log.hasLines else { return }
        text.single(.accessLogDropped, log.dropped)
    }
}
