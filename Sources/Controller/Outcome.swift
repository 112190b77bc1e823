public import KubernetesAPI
public import KubernetesClient
public import Translation

/// What the controller made of the newest state, for those who write to the API server. Immutable.
public struct Outcome: Sendable {
    /// Counts what ``statuses``, ``infrastructure`` and ``notices`` have been; equal where only ``observed`` is newer.
    public var revision: UInt64
    /// As they are to be written, `Programmed` closed.
    public var statuses: StatusReport
    public var infrastructure: Infrastructure
    public var notices: [Notice]
    /// What was translated: who an Event speaks of, and which Services stand.
    public var snapshot: ClusterSnapshot
    /// What the API server has.
    public var observed: ObservedStatuses

    public init(
        revision: UInt64, statuses: StatusReport, infrastructure: Infrastructure = Infrastructure(),
        notices: [Notice] = [], snapshot: ClusterSnapshot, observed: ObservedStatuses
    ) {
        (self.revision, self.statuses, self.infrastructure) = (revision, statuses, infrastructure)
        (self.notices, self.snapshot, self.observed) = (notices, snapshot, observed)
    }
}
