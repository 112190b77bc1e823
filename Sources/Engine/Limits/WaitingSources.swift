internal import EngineModel
internal import Primitives

/// Limits of sources at one bound port, held against those that wait to be judged: whose ClientHello is not there yet. As many of
/// a source as may be open may wait beside them, so that who says nothing cannot take all of the gateway's places. Immutable.
final class WaitingSources: Sendable {
    /// Those that hold whatever listener of the port the hello will ask for.
    private let levels: [LimitLevel]

    /// Nil where no source is limited, or not by the same limit at all of them.
    init?(_ listeners: [ListenerRuntime]) {
        let levels = (listeners.first?.limits?.levels ?? []).filter { level in
            guard let counts = level.waitingCounts else { return false }
            return listeners.allSatisfy { listener in
                listener.limits?.levels.contains { $0.waitingCounts === counts } == true
            }
        }
        guard !levels.isEmpty else { return nil }
        self.levels = levels
    }

    /// Counts one more from an address at all levels, or at none. Nil: there is room; else the level that has none.
    func enter(_ client: IPAddress) -> LimitLevel? {
        for (index, level) in levels.enumerated() where !level.enterWaiting(client) {
            for entered in levels[..<index] { entered.leaveWaiting(client) }
            return level
        }
        return nil
    }

    /// Takes back what ``enter(_:)`` counted.
    func leave(_ client: IPAddress) {
        for level in levels { level.leaveWaiting(client) }
    }
}
