public import EngineModel
public import Inspection
public import KubernetesAPI
public import Observability
public import Translation

/// What the controller has reached, as one value: for probes, metrics and what is shown to people.
public struct ControllerState: Sendable {
    /// What was last given to the engine; nil before the first time.
    public internal(set) var configuration: EngineConfiguration?
    public internal(set) var acknowledgement: Acknowledgement?
    public internal(set) var statuses = StatusStore()
    /// Statuses as a status writer would write them, `Programmed` closed.
    public internal(set) var counts = ObjectCounts()
    /// When the configuration last changed, in seconds since 1970.
    public internal(set) var appliedAt: Int64?
    public internal(set) var reloads = Reloads()
    /// What was last translated; nil before the first time.
    public internal(set) var snapshot: ClusterSnapshot?
    /// Statuses with the engine's answer, as they are to be written.
    public internal(set) var report = StatusReport()
    public internal(set) var notices: [Notice] = []
    /// The newest first, at most ``historyLength``.
    public internal(set) var history: [ConfigurationStep] = []
    /// How many changes of the configuration are remembered.
    public static let historyLength = 50
    public internal(set) var reconciles = ReconcileCounts()
    public internal(set) var certificates = CertificateBook()

    /// How loading went. A load is a snapshot from the source; it fails when a part of the source could not be read,
    /// though the rest is served.
    public struct Reloads: Sendable {
        public internal(set) var succeeded: UInt64 = 0
        public internal(set) var failed: UInt64 = 0
        public internal(set) var lastSucceeded = false
        /// Nanoseconds since 1970.
        public internal(set) var lastSuccess: Int64?
        /// From the change seen to the table in use.
        public internal(set) var durations = DurationHistogram()
    }

    /// Whether every worker runs a configuration.
    public var hasApplied: Bool { configuration != nil }

    /// The listeners that could not be bound: what is wrong, one sentence each, sorted.
    public var bindFailures: [String] {
        (acknowledgement?.bindings ?? [:]).sorted { $0.key < $1.key }.compactMap { _, state in
            if case .failed(let failure) = state { failure.message } else { nil }
        }
    }
}
