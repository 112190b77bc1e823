public import KubernetesClient
public import Observability
public import Platform

/// Writes what the controller concluded to the API server: statuses, Services and Events, while this replica leads. It has
/// a thread of its own, named `writer`, with up to 16 requests on their way; this handle may be used from any thread.
public final class ClusterWriter: Sendable {
    /// Which installation writes.
    public struct Settings: Hashable, Sendable {
        /// The value of `controllerName` in shared statuses, and who Events are from.
        public var controllerName: String
        /// The installation's namespace.
        public var namespace: String
        /// The ConfigMap in ``namespace`` that owns the Services; nil: none does.
        public var marker: String?
        /// Who is noted as the owner of the fields that are written.
        public var fieldManager: String
        /// The pod's name, for Events.
        public var instance: String

        /// The field manager is `sluice`, or for another controller name `sluice` with that name.
        public init(controllerName: String, namespace: String, marker: String?, instance: String) {
            (self.controllerName, self.namespace, self.marker) = (controllerName, namespace, marker)
            self.instance = instance
            fieldManager = ClusterWriter.fieldManager(of: controllerName)
        }
    }

    /// At most 128 printable characters, Kubernetes' limit.
    static func fieldManager(of controllerName: String) -> String {
        let isDefault = controllerName == "sluice.dev/gateway-controller"
        return isDefault ? "sluice" : String("sluice-\(controllerName)".prefix(128))
    }

    private let setup: WriterLoop.Setup
    private let inbox = Monitored(WriterLoop.Inbox())
    private let counts = Locked(WriterCounts())

    /// `leadership`: asked before every request.
    public init(server: any APIServer, settings: Settings, leadership: Leadership, logger: Logger) {
        setup = WriterLoop.Setup(server: server, settings: settings, leadership: leadership, logger: logger)
        let inbox = inbox
        leadership.onChange { inbox.update { $0.leadershipChanged = true } }
    }

    /// Starts the thread. Call once.
    public func start() throws(Errno) {
        let (setup, inbox, counts) = (setup, inbox, counts)
        try Thread(named: "writer", wiping: true) {
            WriterLoop(setup, inbox: inbox, publish: { value in counts.withLock { $0 = value } }).run()
            inbox.update { $0.stopped = true }
        }.detach()
    }

    /// Hands over the newest outcome; one not yet taken is replaced.
    public func submit(_ outcome: Outcome) {
        inbox.update { inbox in
            inbox.outcome = outcome
            // Far more than Events may be made of them.
            if inbox.changes.count < 16384 { inbox.changes += outcome.changes }
            inbox.submitted += 1
        }
    }

    /// Sends nothing more, and waits, at most a few seconds, for what is on its way. Call it before the Lease is given
    /// back.
    public func stop() {
        inbox.update { $0.stopping = true }
        _ = inbox.wait { $0.stopped ? true : nil }
    }

    /// Whether everything that was submitted is written; also where this replica does not lead and has seen it.
    public var isIdle: Bool {
        let submitted = inbox.wait { $0.submitted as UInt64? } ?? 0
        return counts.withLock { $0.isIdle && $0.taken == submitted }
    }

    /// Appends `sluice_leader`, `sluice_leader_transitions_total` and `sluice_status_updates_total`
    /// (docs/reference/metrics.md).
    public func append(to output: inout PrometheusText) {
        output.single(.leader, setup.leadership.isLeader ? 1 : 0)
        output.single(.leaderTransitions, setup.leadership.gains)
        let counts = counts.withLock { $0 }
        output.family(.statusUpdates) { family in
            for (kind, results) in counts.statuses.sorted(by: { $0.key < $1.key }) {
                for result in StatusBook.Result.allCases {
                    family.sample(
                        LabelSet(["kind": kind.rawValue, "result": result.rawValue]), results[result] ?? 0)
                }
            }
        }
    }
}

/// What the writer's thread tells the others.
struct WriterCounts: Sendable {
    var statuses: [StatusKind: [StatusBook.Result: UInt64]] = [:]
    var isIdle = true
    /// How many outcomes have been taken.
    var taken: UInt64 = 0
}
