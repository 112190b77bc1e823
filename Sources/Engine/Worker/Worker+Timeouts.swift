internal import EngineModel
internal import Synchronization

/// When a session's time is over, and what is said of it then.
struct Expiry {
    /// Milliseconds of the worker's clock; `Int64.max`: never.
    private(set) var at: Int64 = .max
    private(set) var reason = CloseReason.idleTimeout
    private(set) var side = CloseSide.proxy

    /// Of several that end together the first one named counts.
    mutating func consider(_ time: Int64, _ reason: CloseReason, _ side: CloseSide) {
        if time < at { (at, self.reason, self.side) = (time, reason, side) }
    }
}

// How long a session may last as its route's settings say. They are those that were in force when it began.

extension Worker {
    /// The earliest of what the settings allow.
    func expiry(_ slot: Int, _ route: RouteRuntime) -> Expiry {
        let record = records + slot
        if isPaused(slot, .request) || isPaused(slot, .response) { record.pointee.lastActivity = nowMilliseconds }
        var expiry = Expiry()
        if route.maxDuration > 0 {
            let duration = route.maxDuration(of: record.pointee.id)
            expiry.consider(record.pointee.acceptedAt / 1_000_000 + duration, .maxDuration, .proxy)
        }
        if route.hasTimeoutsOfSides { considerSides(slot, route, &expiry) }
        if route.halfCloseTimeout > 0, record.pointee.halfClosedAt > 0 {
            let since = max(record.pointee.halfClosedAt, record.pointee.lastActivity)
            expiry.consider(since + route.halfCloseTimeout, .halfCloseTimeout, .proxy)
        }
        if route.idleTimeout > 0 {
            expiry.consider(record.pointee.lastActivity + route.idleTimeout, .idleTimeout, .proxy)
        }
        return expiry
    }

    private func considerSides(_ slot: Int, _ route: RouteRuntime, _ expiry: inout Expiry) {
        let request = flows + 2 * slot
        if route.firstByteTimeout > 0, request.pointee.bytes == 0, !request.pointee.flags.contains(.ended),
            !isPaused(slot, .request)
        {
            let accepted = records[slot].acceptedAt / 1_000_000
            expiry.consider(accepted + route.firstByteTimeout, .firstByteTimeout, .client)
        }
        if route.clientIdleTimeout > 0, let since = silence(slot, .request) {
            expiry.consider(since + route.clientIdleTimeout, .clientIdleTimeout, .client)
        }
        if route.serverIdleTimeout > 0, let since = silence(slot, .response) {
            expiry.consider(since + route.serverIdleTimeout, .serverIdleTimeout, .backend)
        }
    }

    /// Since when a source has sent nothing, in milliseconds; nil: it has ended, which the half-close timeout is for. One that
    /// is kept from sending, by what the other side did not take yet or by a limit, is not silent.
    private func silence(_ slot: Int, _ direction: Direction) -> Int64? {
        let flow = flows[2 * slot + direction.rawValue]
        if flow.flags.contains(.ended) { return nil }
        return flow.holdsData || isPaused(slot, direction) ? nowMilliseconds : flow.lastByteAt
    }

    /// A first byte that is there, though nobody has read it yet, is in time. False: the connection is gone.
    func readFirstByte(_ slot: Int) -> Bool {
        guard flows[2 * slot].bytes == 0, sides[2 * slot].flags.contains(.readable) else { return true }
        return relayRound(slot, .request)
    }

    /// Ends a session whose time is over: with close_notify where that says the truth, then FIN. One that may be busy is given
    /// time to take what is under way, as long as not too many are.
    func endInTime(_ slot: Int, _ expiry: Expiry) {
        if expiry.reason == .maxDuration,
            shared.lingering.load(ordering: .relaxed) < EngineShared.lingeringLimit / 2
        {
            return endGently(slot, expiry.reason)
        }
        sendCloseNotifies(slot)
        close(slot, expiry.reason, expiry.side, reset: false)
    }
}
