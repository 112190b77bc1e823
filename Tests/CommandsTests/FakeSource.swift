import Controller
import KubernetesAPI
import Observability
import Platform
import Translation

@testable import Commands

/// A source that says what the test has it say, and hands over an empty snapshot when it is told to.
final class FakeSource: SnapshotSource {
    struct State {
        var missing: [String] = []
        var details: [String: String] = [:]
        var events: [String] = []
        var controller: Controller?
    }

    let state = Locked(State())
    let translation = TranslationOptions()

    init(missing: [String] = []) { state.withLock { $0.missing = missing } }

    var onOutcome: (@Sendable (Outcome) -> Void)? { nil }
    var tickets: TicketKeeper? { nil }
    func start(_ controller: Controller) { state.withLock { $0.controller = controller } }

    /// Nothing is missing any more, and the first snapshot is there.
    func complete() {
        let controller = state.withLock { state in
            state.missing = []
            return state.controller
        }
        controller?.submit(ClusterSnapshot(asOf: 1_700_000_000), isComplete: true)
    }

    var events: [String] { state.withLock { $0.events } }

    var view: SourceView {
        SourceView(kind: "cluster", from: "https://api.test:6443", isLeader: false)
    }
    var missing: [String] { state.withLock { $0.missing } }
    var details: [String: String] { state.withLock { $0.details } }
    func writeMetrics(into text: inout PrometheusText) {
        text.single(MetricDescriptor("fake_source", .gauge, help: "Stands for the source's families."), 1)
    }
    func resign() { state.withLock { $0.events.append("resign") } }
    func stop() { state.withLock { $0.events.append("stop") } }
    func close() { state.withLock { $0.events.append("close") } }
}
