internal import Controller
internal import Observability
internal import Translation

/// Where the snapshots come from, as `run`, its probes and its metrics see it. Safe to use from any thread.
protocol SnapshotSource: Sendable {
    /// How its snapshots are to be translated.
    var translation: TranslationOptions { get }
    /// Takes what the controller made of them; nil where there is nobody to write to.
    var onOutcome: (@Sendable (Outcome) -> Void)? { get }
    /// Who has the keys of TLS session tickets that other replicas have too; nil: there are none. It is stopped by ``close()``.
    var tickets: TicketKeeper? { get }
    /// Hands the first snapshot to `controller` when there is one, and goes on with every change. Called once.
    func start(_ controller: Controller) throws
    /// What /config shows of it.
    var view: SourceView { get }
    /// Why not everything was read yet, one sentence each; empty once it was.
    var missing: [String] { get }
    /// What an operator may want to know besides (`/readyz?verbose`).
    var details: [String: String] { get }
    /// What is to be seen to, though it serves (`sluice status`, the status page).
    var warnings: [String] { get }
    func writeMetrics(into text: inout PrometheusText)
    /// SIGTERM or SIGINT came: lets another replica take over what only one of them does. Does not wait.
    func resign()
    /// Ends the snapshots: none is handed over after this returns.
    func stop()
    /// Ends what is left of it, resigning where that was not done. Called last; waits a few seconds at most.
    func close()
}

extension SnapshotSource {
    var warnings: [String] { [] }
}

/// Where the snapshots come from, in /config.
struct SourceView: Encodable, Hashable, Sendable {
    /// `manifests` or `cluster`.
    var kind: String
    /// The folder, or the API server's URL.
    var from: String
    /// Whether this replica writes status and Services; absent where nobody does.
    var isLeader: Bool?
    /// While a cache on disk stands in for the API server: when that was known to be so, in seconds since 1970.
    var cachedAsOf: Int64?
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
