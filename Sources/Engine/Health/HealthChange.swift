internal import EngineModel
internal import Platform

/// An endpoint that stands otherwise than before.
struct HealthChange: Sendable {
    let health: BackendHealth
    let endpoint: EndpointHealth
    let before: Standing
    let now: Standing

    /// Whether it can be used no more: what becomes of its sessions is to be decided.
    var isLost: Bool { before.isUsable && !now.isUsable }
    /// Whether it can be used from now on: who waits for an endpoint may look again.
    var isGained: Bool { !before.isUsable && now.isUsable }
}

/// Where those who find out how endpoints stand tell the control thread of it. For any thread.
final class HealthMailbox: Sendable {
    private let signals: Monitored<Engine.Signals>

    init(_ signals: Monitored<Engine.Signals>) { self.signals = signals }

    func post(_ changes: [HealthChange]) { signals.update { $0.healthChanges += changes } }
}

extension Engine {
    /// Endpoints stand otherwise: connections that wait for one look again, and established sessions may have to go. On the control
    /// thread, without its lock.
    func followHealth(_ changes: [HealthChange]) {
        guard !changes.isEmpty else { return }
        for worker in workers { worker.post(.recheckWaiting) }
        control.withLock { $0.sessions.judge(now: .now()) }
    }
}
