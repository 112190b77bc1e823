import EngineCore
import EngineModel
import Platform
import Primitives

@testable import Engine

/// A worker without sockets. Its turn has the order of `Worker.run`; what it decides, the engine's own objects decide.
final class VirtualWorker {
    let index: Int
    unowned let gateway: Gateway
    var random: SplitMix64
    var now: Int64
    var table = VirtualTable()
    private var timers = TimerWheel()
    private var ledger = TimerLedger()
    var pauses = PauseTimers()
    var sessions: [Session?] = []
    private var byID: [UInt64: Session] = [:]
    private var freeSlots: [Int] = []
    var inbox: [Happening] = []
    private var orders: [Order] = []
    var isWoken = false
    var stalledUntil: Int64 = 0
    var lines: [LocalLine] = []
    var waitingForEndpoints: [UInt64] = []
    private var sweeps = false
    private var wakesAt: Int64 = .max

    init(_ index: Int, _ gateway: Gateway) {
        (self.index, self.gateway) = (index, gateway)
        random = SplitMix64(seed: gateway.scenario.seed ^ UInt64(index) << 56)
        now = gateway.clock.now
    }

    var oracle: Oracle { gateway.oracle }
    var milliseconds: Int64 { now / 1_000_000 }
    var open: [Session] { sessions.compactMap(\.self) }
    func session(_ id: UInt64) -> Session? { byID[id] }
    func order(_ order: Order) {
        orders.append(order)
        isWoken = true
    }

    // MARK: Turns

    private var hasWork: Bool { isWoken || !inbox.isEmpty || sessions.contains { $0?.isReady == true } }

    var nextTurn: Int64 { stalledUntil > now && hasWork ? stalledUntil : max(stalledUntil, wakesAt) }

    func isRunnable(_ time: Int64) -> Bool { time >= stalledUntil && (hasWork || wakesAt <= time) }

    func turn(_ time: Int64) {
        now = time
        refreshTable()
        let wasWoken = isWoken
        isWoken = false
        let happenings = inbox
        inbox = []
        for happening in happenings { take(happening) }
        while let flow = pauses.next(now: now) { endPause(flow) }
        for session in open where session.isReady { round(session) }
        for case .arrives(let listener, let client) in happenings { accept(listener, client) }
        expireTimers()
        if sweeps { sweep() }
        if wasWoken { runOrders() }
        rest()
    }

    private func refreshTable() {
        guard table.generation < gateway.table.generation else { return }
        let hadBandwidth = table.bandwidthChanges
        table = gateway.table
        if table.bandwidthChanges != hadBandwidth {
            for session in open where session.stage == .relay { limitBandwidth(session) }
        }
        recheckWaiting()
        recheckPending()
    }

    private func runOrders() {
        let orders = orders
        self.orders = []
        refreshTable()
        serveLines()
        for order in orders {
            switch order {
            case .recheckWaiting: recheckWaiting()
            case .sweep: sweeps = true
            }
        }
        if sweeps { sweep() }
    }

    private func sweep() {
        sweeps = false
        for session in open { endIfOverdue(session) }
    }

    /// Until when it may sleep, as `Worker.wait` works it out.
    private func rest() {
        let wait = timers.millisecondsUntilNext(now: milliseconds)
        ledger.checkRest(wait, now: milliseconds, oracle)
        let pause = pauses.isEmpty ? .max : pauses.nanosecondsUntilNext(now: now)
        let sleep = min(wait.map { $0 * 1_000_000 } ?? .max, pause)
        wakesAt = sleep == .max ? .max : now + sleep
    }

    // MARK: Slots and timers

    func newSession(_ client: Client, _ listener: ListenerRuntime) -> Session {
        let slot = freeSlots.popLast() ?? sessions.count
        if slot == sessions.count {
            sessions.append(nil)
            timers.reserve(slots: sessions.count)
        }
        let session = Session(
            id: gateway.newSessionID(), slot: slot, client: client, listener: listener, now: now)
        sessions[slot] = session
        byID[session.id] = session
        return session
    }

    func free(_ session: Session) {
        timers.cancel(Int32(session.slot))
        ledger.cancelled(Int32(session.slot))
        sessions[session.slot] = nil
        byID[session.id] = nil
        freeSlots.append(session.slot)
    }

    func arm(_ session: Session) {
        let deadline = session.stage == .relay ? relayDeadline(session) : session.stageDeadline
        if deadline > 0, deadline < .max {
            timers.schedule(Int32(session.slot), at: deadline)
            ledger.scheduled(Int32(session.slot), at: deadline)
        } else {
            timers.cancel(Int32(session.slot))
            ledger.cancelled(Int32(session.slot))
        }
    }

    private func expireTimers() {
        ledger.willExpire(milliseconds)
        while !oracle.hasFailed, let slot = timers.nextExpired(now: milliseconds) {
            ledger.expired(slot, now: milliseconds, oracle)
            guard let session = sessions[Int(slot)] else {
                return oracle.fail("timers", "the timer of a free slot has expired")
            }
            expire(session)
        }
    }

    private func expire(_ session: Session) {
        switch session.stage {
        case .choose, .over: oracle.fail("timers", "a connection is due in a stage that has no time")
        case .pending:
            oracle.circuits.timedOut(session, now: milliseconds)
            close(session, .queueTimeout)
        case .resolve: close(session, .noHealthyEndpoint)
        case .retry:
            session.stage = .choose
            advance(session)
        case .connect: attemptFailed(session, .connectTimeout)
        case .relay: expireRelay(session)
        }
    }

    /// Nothing is left of anybody.
    var isEmpty: Bool { open.isEmpty && lines.isEmpty && timers.count == 0 && pauses.isEmpty && ledger.isEmpty }
}
