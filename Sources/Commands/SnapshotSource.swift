internal import Controller
internal import Observability

/// Where the snapshots come from, as `run`, its probes and its metrics see it. Safe to use from any thread.
protocol SnapshotSource: Sendable {
    /// Takes what the controller made of them; nil where there is nobody to write to.
    var onOutcome: (@Sendable (Outcome) -> Void)? { get }
    /// Hands the first snapshot to `controller` when there is one, and goes on with every change. Called once.
    func start(_ controller: Controller) throws
    /// What /config shows of it.
    var view: SourceView { get }
    /// Why not everything was read yet, one sentence each; empty once it was.
    var missing: [String] { get }
    /// What an operator may want to know besides (`/readyz?verbose`).
    var details: [String: String] { get }
    func writeMetrics(into text: inout PrometheusText)
    /// SIGTERM or SIGINT came: lets another replica take over what only one of them does.
    func resign()
    /// Ends it: nothing is handed over, and nothing written, after this returns.
    func stop()
}

/// Where the snapshots come from, in /config.
struct SourceView: Encodable, Hashable, Sendable {
    /// `manifests` or `cluster`.
    var kind: String
    /// The folder, or the API server's URL.
    var from: String
    /// Whether this replica writes status and Services; absent where nobody does.
    var isLeader: Bool?
    /// Who holds the Lease, where that is known.
    var leader: String?
    var watches: [Watch]?

    /// One kind that is watched.
    struct Watch: Encodable, Hashable, Sendable {
        var resource: String
        var isSynced: Bool
        /// Seconds since 1970 of the last event or bookmark.
        var lastEvent: Int64?
        var problem: String?
    }
}
