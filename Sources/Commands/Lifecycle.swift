internal import Certificates
internal import Controller
internal import EngineModel
internal import EventStream
internal import Observability
internal import Platform
internal import AdminServer

/// Where a running gateway is between start and end, and what its probes say of that. Safe to use from any thread.
final class Lifecycle: Sendable {
    enum Phase: Hashable, Sendable {
        case serving
        /// SIGTERM came; new connections are still accepted.
        case grace
        /// Listeners are closed; established connections go on.
        case draining
    }

    private let phaseState = Locked(Phase.serving)
    private let failsDuringGrace: Bool
    private let parts = Locked<Parts?>(nil)
    /// Whether everything was read and applied once: what the source lacks later takes no traffic away.
    private let wasComplete = Locked(false)
    /// When nothing but first health checks was missing.
    private let awaitsChecksSince = Locked<MonotonicTime?>(nil)
    private let now: @Sendable () -> MonotonicTime

    /// How long first checks are waited for at most: what they say is needed to serve at once, but no reason not to serve.
    static let patienceForChecks = Duration.seconds(10)

    /// What there is to ask once everything is made.
    struct Parts: Sendable {
        var controller: Controller
        var dataPlane: any DataPlane
        var source: any SnapshotSource
        var observer: TrafficObserver
        var events: EventStream?
        let start = StartTime()
    }

    init(
        readinessOnShutdown: RunOptions.ReadinessOnShutdown, exposure: Exposure,
        now: @escaping @Sendable () -> MonotonicTime = { .now() }
    ) {
        self.now = now
        failsDuringGrace =
            switch readinessOnShutdown {
            case .auto: exposure == .host
            case .fail: true
            case .keep: false
            }
    }

    var phase: Phase { phaseState.withLock { $0 } }
    func enter(_ phase: Phase) { phaseState.withLock { $0 = phase } }
    func connect(_ parts: Parts) { self.parts.withLock { $0 = parts } }
    /// What there is to ask; nil while it is being made.
    var current: Parts? { parts.withLock { $0 } }

    /// Ready: everything that is watched was read once, a configuration runs on every worker, the first round of health checks is
    /// over (or has had its time), and the process is not past what it grants to new connections. A listener that is not bound is a detail: the others serve.
    func readiness(isVerbose: Bool) -> ProbeResult {
        var result = ProbeResult()
        guard let parts = parts.withLock({ $0 }) else { return ProbeResult(reasons: ["starting"]) }
        let state = parts.controller.state
        result.reasons = unfinished(parts, state)
        switch phase {
        case .serving: break
        case .grace: if failsDuringGrace { result.reasons.append("shutting down: accepting for the accept grace") }
        case .draining: result.reasons.append("shutting down: draining")
        }
        if !parts.dataPlane.warnings.isEmpty {
            result.details["engine"] = parts.dataPlane.warnings.joined(separator: "; ")
        }
        if !state.bindFailures.isEmpty { result.details["listeners"] = state.bindFailures.joined(separator: "; ") }
        if isVerbose { result.details.merge(parts.source.details) { own, _ in own } }
        return result
    }

    /// What the start still waits for; nothing once it was complete.
    private func unfinished(_ parts: Parts, _ state: ControllerState) -> [String] {
        guard !wasComplete.withLock({ $0 }) else { return [] }
        var reasons = parts.source.missing
        if !state.hasApplied { reasons.append("no configuration has been applied yet") }
        if reasons.isEmpty, awaitsChecks(parts.dataPlane) {
            reasons.append("endpoints wait for their first health check")
        }
        if reasons.isEmpty { wasComplete.withLock { $0 = true } }
        return reasons
    }

    /// So that a process that begins does not refuse what it has merely not checked.
    private func awaitsChecks(_ dataPlane: any DataPlane) -> Bool {
        let time = now()
        let since = awaitsChecksSince.withLock { since in
            since = since ?? time
            return since ?? time
        }
        return time - since < Lifecycle.patienceForChecks && dataPlane.awaitsFirstChecks
    }

    func appendMetrics(to text: inout PrometheusText) {
        text.family(.buildInfo) {
            $0.sample(
                LabelSet([
                    "version": sluiceVersion, "commit": Host.buildCommit, "tls_library": tlsLibraryVersion,
                ]), 1)
        }
        guard let parts = parts.withLock({ $0 }) else { return }
        parts.controller.state.append(to: &text)
        parts.source.writeMetrics(into: &text)
        parts.dataPlane.writeMetrics(into: &text)
        parts.events?.writeMetrics(into: &text)
        let draining = phase == .draining
        text.single(.drainActive, draining ? 1 : 0)
        text.single(.drainRemaining, draining ? UInt64(clamping: parts.dataPlane.activeConnections) : 0)
    }

    /// The answer of /config.
    var configuration: String {
        guard let parts = parts.withLock({ $0 }),
            let bytes = try? parts.controller.state.configurationJSON(source: parts.source.view)
        else { return "{}\n" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
