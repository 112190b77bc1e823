internal import Controller
internal import ManifestSource
internal import Observability
internal import Platform
internal import Translation

/// A folder of manifests, or one file, as the source of `run`.
final class ManifestFolder: SnapshotSource {
    let translation: TranslationOptions
    private let path: String
    private let source: ManifestSource
    let tickets: TicketKeeper?

    /// `translation`: what holds for any source. `ticketKeys`: a file of keys for TLS session tickets; nil: they are the process's
    /// own.
    init(_ path: String, ticketKeys: String?, translation base: TranslationOptions, logger: Logger) throws {
        var translation = base
        translation.standalone = true
        (self.path, self.translation) = (path, translation)
        tickets = ticketKeys.map { TicketKeeper(.file($0), logger: logger, clockFactor: TestClock.factor) }
        source = try ManifestSource(path: path, logger: logger)
    }

    var onOutcome: (@Sendable (Outcome) -> Void)? { nil }

    func start(_ controller: Controller) throws {
        try source.start { manifests in
            controller.submit(
                manifests.snapshot, isComplete: !manifests.problems.contains { $0.severity == .error },
                touched: manifests.touched)
        }
    }

    var view: SourceView { SourceView(kind: "manifests", from: path) }
    var missing: [String] { [] }
    var details: [String: String] { [:] }
    func writeMetrics(into text: inout PrometheusText) {}
    func resign() {}
    func stop() { source.stop() }
    func close() { tickets?.stop() }
}
