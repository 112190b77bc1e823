public import KubernetesAPI
public import KubernetesClient
public import Translation

/// What the controller made of the newest state, for those who write to the API server. Immutable.
public struct Outcome: Sendable {
    /// Counts what ``statuses``, ``infrastructure`` and ``notices`` have been; equal where only ``observed`` is newer.
    public var revision: UInt64
    /// Counts what ``statuses`` alone have been.
    public var statusRevision: UInt64
    /// As they are to be written, `Programmed` closed.
    public var statuses: StatusReport
    public var infrastructure: Infrastructure
    public var notices: [Notice]
    /// The conditions that are new, or say something else than in the outcome before.
    public var changes: [StatusItem]
    /// Objects whose newest version cannot be read.
    public var faults: [ClusterState.Fault]
    /// What was translated: who an Event speaks of, and which Services stand.
    public var snapshot: ClusterSnapshot
    /// What the API server has.
    public var observed: ObservedStatuses

    public init(
        revision: UInt64, statusRevision: UInt64? = nil, statuses: StatusReport,
        infrastructure: Infrastructure = Infrastructure(),
        notices: [Notice] = [], changes: [StatusItem] = [], faults: [ClusterState.Fault] = [],
        snapshot: ClusterSnapshot, observed: ObservedStatuses
    ) {
        self.statusRevision = statusRevision ?? revision
        (self.revision, self.statuses, self.infrastructure) = (revision, statuses, infrastructure)
        (self.notices, self.changes, self.faults) = (notices, changes, faults)
        (self.snapshot, self.observed) = (snapshot, observed)
    }
}
