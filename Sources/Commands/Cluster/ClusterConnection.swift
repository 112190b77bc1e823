internal import HTTPClient
internal import KubernetesClient
internal import Observability
internal import Platform

/// An API server, and what the installation is there. ``init(_:logger:)`` makes the real one; tests have their own.
struct ClusterConnection: Sendable {
    let server: any APIServer
    /// For people.
    let url: String
    /// The installation's own.
    let namespace: String
    /// Appends what was asked of the server.
    let writeMetrics: @Sendable (inout PrometheusText) -> Void
    /// Ends it: what is under way is cancelled.
    let close: @Sendable () -> Void
}

/// By which every timeout and pause towards the API server is multiplied, so that tests of long outages are short:
/// `SLUICE_TEST_CLOCK_FACTOR`, 1 where it is not set.
enum TestClock {
    static let factor: Double = {
        guard let factor = Host.environment("SLUICE_TEST_CLOCK_FACTOR").flatMap(Double.init) else { return 1 }
        return factor > 0 && factor <= 1 ? factor : 1
    }()
}
