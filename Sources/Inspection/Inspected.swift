public import EngineModel
public import KubernetesAPI
public import Translation

/// What is inspected: one moment of a gateway, from objects to counts.
public struct Inspected: Sendable {
    public var snapshot: ClusterSnapshot
    public var configuration: EngineConfiguration
    /// With the engine's answer, `Programmed` closed.
    public var statuses: StatusReport
    /// Nil where nothing is served (`sluice check`).
    public var acknowledgement: Acknowledgement?
    /// By id, without variant.
    public var health: [BackendID: BackendHealthReport] = [:]
    public var traffic = TrafficReport()
    /// Connections that were refused in the last ten minutes; nil: nobody counts them.
    public var refusals: [TrafficSample.Place: [CloseReason: UInt64]]?
    public var notices: [Notice] = []

    public init(
        snapshot: ClusterSnapshot, configuration: EngineConfiguration, statuses: StatusReport,
        acknowledgement: Acknowledgement? = nil
    ) {
        (self.snapshot, self.configuration) = (snapshot, configuration)
        (self.statuses, self.acknowledgement) = (statuses, acknowledgement)
    }
}
