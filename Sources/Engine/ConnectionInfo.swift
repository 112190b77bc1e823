public import EngineModel

extension Engine {
    /// The open connections that `isWanted`, at most `limit` of them, in no order. Workers walk their slots a few at a
    /// time between turns; nobody's traffic waits. `isWanted` runs on the workers' threads. Blocks for milliseconds.
    public func connections(
        limit: Int = .max, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool = { _ in true }
    ) -> [ConnectionInfo] { walk(SlotWalk(limit: limit, closes: nil, isWanted: isWanted)) }

    /// Ends the open connections that `isWanted` and returns them as they were. Both sides see a FIN.
    public func closeConnections(
        reason: CloseReason = .adminClosed, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool
    ) -> [ConnectionInfo] { walk(SlotWalk(limit: .max, closes: reason, isWanted: isWanted)) }
}
