public import EngineModel

extension Engine {
    /// The open connections that `isWanted`, at most `limit` of them, in no order. Workers copy their slots a few at a
    /// time between turns; nobody's traffic waits. `isWanted` runs on the calling thread. Blocks for milliseconds.
    public func connections(
        limit: Int = .max, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool = { _ in true }
    ) -> [ConnectionInfo] {
        var found: [ConnectionInfo] = []
        guard limit > 0 else { return found }
        walk(SlotWalk()) { info in
            if isWanted(info) { found.append(info) }
            return found.count < limit
        }
        return found
    }

    /// Ends the open connections that `isWanted` and returns them as they were. Both sides see a FIN. `isWanted` runs on
    /// the workers' threads.
    public func closeConnections(
        reason: CloseReason = .adminClosed, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool
    ) -> [ConnectionInfo] {
        var closed: [ConnectionInfo] = []
        walk(SlotWalk(closing: SlotWalk.Closing(reason: reason, isWanted: isWanted))) { info in
            closed.append(info)
            return true
        }
        return closed
    }
}
