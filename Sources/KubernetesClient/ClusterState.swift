public import KubernetesAPI

/// What the caches hold at one moment.
public struct ClusterState: Sendable {
    /// What the translation reads: unchanged by writes of status.
    public var snapshot: ClusterSnapshot
    /// What the status writer compares with.
    public var observed: ObservedStatuses
    /// Every watched kind was listed once.
    public var isSynced: Bool
    /// A cache on disk stands in for what the API server has not said yet: served, but nothing that may be written from.
    public var isFromCache = false
    /// Objects whose newest version cannot be read: their last good one, if there was one, is in the snapshot.
    public var faults: [Fault] = []
    /// What may differ from the snapshot of the state that the same caches handed over before; nil: that is not known.
    public var touched: TouchedObjects?

    /// Why an object cannot be read.
    public struct Fault: Hashable, Sendable {
        public var kind: String
        public var key: ObjectKey
        /// A path such as `spec.rules[0].backendRefs`; empty where it concerns the whole object.
        public var field: String
        public var message: String

        public init(kind: String, key: ObjectKey, field: String, message: String) {
            (self.kind, self.key, self.field, self.message) = (kind, key, field, message)
        }
    }

    public init(snapshot: ClusterSnapshot, observed: ObservedStatuses, isSynced: Bool) {
        (self.snapshot, self.observed, self.isSynced) = (snapshot, observed, isSynced)
    }
}

/// The statuses that the API server has of the kinds we write a status to, by the kind's name, such as `TCPRoute`.
public struct ObservedStatuses: Sendable {
    public var byKind: [String: [ObjectKey: ObservedStatus]] = [:]

    public init() {}

    public subscript(_ kind: String, _ key: ObjectKey) -> ObservedStatus? { byKind[kind]?[key] }
}

/// An object's status as the API server has it.
public struct ObservedStatus: Hashable, Sendable {
    public var uid: String
    /// For optimistic locking; opaque.
    public var resourceVersion: String
    public var generation: Int64?
    /// The version the cache reads it in, such as `v1`: for the URL of a patch.
    public var version: String
    /// The whole status with the entries of other controllers; nil where there is none yet.
    public var status: JSONValue?
    /// Whose the value of the condition `Accepted` is, as the server keeps account of it (metadata.managedFields); only of
    /// Gateways and ListenerSets, whose status names no controller.
    public var conditionManagers: Set<String> = []

    public init(uid: String, resourceVersion: String, generation: Int64?, version: String, status: JSONValue?) {
        (self.uid, self.resourceVersion, self.generation) = (uid, resourceVersion, generation)
        (self.version, self.status) = (version, status)
    }
}
