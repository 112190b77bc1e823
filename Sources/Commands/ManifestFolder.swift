internal import Controller
internal import ManifestSource
internal import Observability
internal import Platform

/// A folder of manifests, or one file, as the source of `run`.
final class ManifestFolder: SnapshotSource {
    private let path: String
    private let source: ManifestSource

    init(_ path: String, logger: Logger) throws {
        self.path = path
        source = try ManifestSource(path: path, logger: logger)
    }

    var onOutcome: (@Sendable (Outcome) -> Void)? { nil }

    func start(_ controller: Controller) throws {
        try source.start { manifests in
            controller.submit(
                manifests.snapshot, isComplete: !manifests.problems.contains { $0.severity == .error })
        }
    }

    var view: SourceView { SourceView(kind: "manifests", from: path) }
    var missing: [String] { [] }
    var details: [String: String] { [:] }
    func writeMetrics(into text: inout PrometheusText) {}
    func resign() {}
    func stop() { source.stop() }
}
