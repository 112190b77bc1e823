internal import CLinux
internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform
internal import Primitives
internal import Synchronization

/// All mutable state of one data-plane thread: made on it, gone with it. Not Sendable, so the compiler keeps it there.
///
/// Connections live in slots of raw memory, so that a turn of the loop touches no reference count: `records` (who and
/// when), `sides` (two sockets each) and `flows` (two directions each).
final class Worker {
    let handle: WorkerHandle
    let shared: EngineShared
    /// Nil: there is no access log.
    let access: AccessPort?
    let epoll: Epoll
    let pacedEpoll: Epoll
    var tables: Published<RoutingTable>.Reader

    let capacity: Int
    let records: UnsafeMutablePointer<ConnectionRecord>
    let sides: UnsafeMutablePointer<Side>
    let flows: UnsafeMutablePointer<Flow>
    /// Keeps the slot tables' memory.
    private let memory: [ZeroedPages]
    private let freeSlots: UnsafeMutablePointer<Int32>
    private var freeCount = 0
    private(set) var highestSlot = 0
    private(set) var openCount = 0

    var timers = TimerWheel()
    var blocks: BlockPool
    var pipes: PipePool
    var random: SplitMix64
    /// Where reads of this thread land before they are written on.
    let scratch: UnsafeMutableRawPointer
    static let scratchSize = 256 << 10

    var ready = SlotQueue()
    /// Steady bulk that may have more; not empty only while ``pacedAt`` is set.
    var paced = SlotQueue()
    /// When paced sources are looked at next, in nanoseconds; -1: when one of them reports something.
    var pacedAt: Int64 = -1
    var handshakes: HandshakeQueue
    /// Connections that come or go, with something to do: served after established traffic (`Worker+Turns`).
    var comers = SlotQueue()
    /// Listeners with connections to take, by binding slot, until the turn comes to them.
    var callers: [Int] = []
    /// Slots that wait for a name's first answer or for the first results of checks.
    var waitingForEndpoints: [Int32] = []
    /// Whether something goes through all slots, some of them each turn: a walk, a recheck, a sweep, a rebind or a hurry.
    var isGoingThroughSlots = false
    /// Where connections of this worker wait for room at a backend.
    var lines: [LocalLine] = []
    /// Second attempts to connect, by slot.
    var races: [Int32: Race] = [:]
    var walks: [SlotCursor] = []
    var rechecks: [RecheckCursor] = []
    /// The slot at which a sweep goes on; -1: none is under way.
    var sweepNext = -1
    /// Directions that wait for their share of a bandwidth.
    var pauses = PauseTimers()
    /// ``RoutingTable/bandwidthChanges`` of the newest table; 0: nothing is limited.
    var bandwidthChanges: UInt64 = 0
    /// The slot at which connections go on to be told what limits them; -1: all know.
    var rebindNext = -1

    /// By binding slot: the socket this worker accepts from, or -1.
    var listeners: [Int32] = []
    /// Bindings that an operator has paused, by slot.
    var pausedByOperator: Set<Int> = []
    /// Bindings that wait at a connection limit, by slot.
    var pausedAtLimit: Set<Int> = []
    var isPaused = false
    var pauseReason = PauseReason.limit
    var resumeAt: Int64 = 0
    /// The slot at which a look for idle connections goes on; -1: none is under way.
    var hurryNext = -1
    /// When the next one may begin, in milliseconds.
    var hurryAt: Int64 = 0

    /// The time of this turn, monotonic.
    private(set) var now: Int64 = 0
    private var lateness = TurnLateness()
    @inline(__always) var nowMilliseconds: Int64 { now / 1_000_000 }

    var connectionCount: UInt64 = 0
    /// Per reason, so that a flood of one kind neither hides the others nor floods the log.
    var logLimiter = LogRateLimiter<CloseReason>(limit: 10, per: .seconds(1))
    /// By policy and rule.
    var auditLimiter = LogRateLimiter<String>(limit: 10, per: .seconds(1))
    private var isStopping = false
    static let eventCapacity = 512
    private static let slackSlots = 1024

    init(handle: WorkerHandle) {
        self.handle = handle
        shared = handle.shared
        access = handle.shared.accessLog?.port(worker: handle.index)
        epoll = handle.epoll
        pacedEpoll = handle.pacedEpoll
        tables = .init(shared.table)
        // A closed slot that still stands in a queue is not free yet, though its connection counts no more.
        capacity = min(shared.options.maxConnections + Worker.slackSlots, 1 << 20)
        var memory: [ZeroedPages] = []
        // Address space only: a slot costs memory when it is first used.
        records = Worker.slots(of: ConnectionRecord.self, capacity, &memory)
        sides = Worker.slots(of: Side.self, 2 * capacity, &memory)
        flows = Worker.slots(of: Flow.self, 2 * capacity, &memory)
        freeSlots = Worker.slots(of: Int32.self, capacity, &memory)
        self.memory = memory
        scratch = .allocate(byteCount: Worker.scratchSize, alignment: 4096)
        blocks = BlockPool(budget: shared.budget)
        pipes = PipePool(cap: max(2, 48 / shared.options.workers), ceiling: shared.options.descriptorCeiling)
        random = SplitMix64(seed: UInt64(truncatingIfNeeded: sluice_monotonic_ns()) ^ UInt64(handle.index) << 56)
        handshakes = HandshakeQueue(random: SplitMix64(seed: .random(in: .min ... .max)))
    }

    deinit { scratch.deallocate() }

    private static func slots<Value>(
        of type: Value.Type, _ count: Int, _ memory: inout [ZeroedPages]
    ) -> UnsafeMutablePointer<Value> {
        let pages = ZeroedPages(count * MemoryLayout<Value>.stride)
        memory.append(pages)
        return pages.base.bindMemory(to: type, capacity: count)
    }

    func run() {
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Worker.eventCapacity)
        defer { events.deallocate() }
        now = sluice_monotonic_ns()
        while !isStopping {
            let count = wait(events)
            now = sluice_monotonic_ns()
            handle.turns.store(handle.turns.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
            refreshTable()
            var wasWoken = false
            for index in 0..<max(0, Int(count)) {
                let token = events[index].data.u64
                if token == EventToken.wake {
                    wasWoken = true
                } else if token == EventToken.paced {
                    pacedAt = 0
                } else if EventToken.isSpecial(token) {
                    if EventToken.isRace(token) {
                        raceEvent(token, events[index].events)
                        continue
                    }
                    callers.append(EventToken.binding(token))
                } else {
                    dispatch(token, events[index].events)
                }
            }
            if pacedAt >= 0, now >= pacedAt { servePaced(events) }
            if !pauses.isEmpty { wakePaused() }
            serveReady()
            serveComers()
            acceptCallers()
            if !handshakes.isEmpty { serveHandshakes() }
            if lateness.mayExpire(
                at: now, connections: openCount,
                isAllSeen: count < Worker.eventCapacity && ready.isEmpty && comers.isEmpty)
            {
                expireTimers()
            }
            if isPaused, nowMilliseconds >= resumeAt { resumeAccepting() }
            if isGoingThroughSlots { goThroughSlots() }
            if wasWoken { runCommands() }
        }
        closeAll(.drain)
        for cursor in walks { cursor.walk.progress.update { $0.workersLeft -= 1 } }
    }

    private func wait(_ events: UnsafeMutablePointer<epoll_event>) -> Int32 {
        let time = waitTime()
        if time < 0 { lateness.willSleep() } else { lateness.willSleep(until: now + Int64(time) * 1_000_000) }
        guard pacedAt >= 0 || !pauses.isEmpty, time != 0 else {
            return sluice_epoll_wait(epoll.raw, events, Int32(Worker.eventCapacity), time)
        }
        let start = sluice_monotonic_ns()
        let pause = min(pacedAt >= 0 ? max(0, pacedAt - start) : .max, pauses.nanosecondsUntilNext(now: start))
        return sluice_epoll_wait_ns(
            epoll.raw, events, Int32(Worker.eventCapacity), time < 0 ? pause : min(pause, Int64(time) * 1_000_000))
    }

    /// Milliseconds for epoll_wait: 0 while work is queued.
    private func waitTime() -> Int32 {
        guard ready.isEmpty, comers.isEmpty, handshakes.isEmpty, !isGoingThroughSlots, !lateness.isLooking else {
            return 0
        }
        var wait = timers.millisecondsUntilNext(now: nowMilliseconds) ?? -1
        if isPaused {
            let pause = max(0, resumeAt - nowMilliseconds)
            wait = wait < 0 ? pause : min(wait, pause)
        }
        return Int32(clamping: wait)
    }

    private func refreshTable() {
        guard tables.refresh() else { return }
        let generation = tables.value.generation
        noteBandwidth(tables.value.bandwidthChanges)
        shared.progress.update { $0.seen[handle.index] = generation }
        recheckWaiting()
        recheckPending()
        if !pausedAtLimit.isEmpty { resumeAtLimit() }
    }

    private func runCommands() {
        handle.wake.drain()
        let commands = handle.commands.withLock { commands in
            defer { commands.removeAll(keepingCapacity: true) }
            return commands
        }
        // A command may rely on a table that was published after this turn began.
        refreshTable()
        if !pausedAtLimit.isEmpty { resumeAtLimit() }
        if !lines.isEmpty { serveLines() }
        for command in commands {
            switch command {
            case .listen(let sockets): for entry in sockets { listen(entry.slot, entry.socket) }
            case .retire(let sockets, let servesQueue): retire(sockets, servesQueue)
            case .walk(let cursor): begin(cursor)
            case .recheck(let change): begin(change)
            case .sweep: beginSweep()
            case .recheckWaiting: recheckWaiting()
            case .pause(let slot, let isPaused): setPaused(slot, isPaused)
            case .stop: isStopping = true
            }
        }
    }
}

extension Worker {
    // MARK: Slots

    var hasFreeSlot: Bool { freeCount > 0 || highestSlot < capacity }

    /// A fresh record, or -1 when every slot is taken.
    func takeSlot() -> Int {
        let slot: Int
        if freeCount > 0 {
            freeCount -= 1
            slot = Int(freeSlots[freeCount])
        } else {
            guard highestSlot < capacity else { return -1 }
            slot = highestSlot
            highestSlot += 1
            timers.reserve(slots: highestSlot)
        }
        let (life, awaitsEndpoint) = (records[slot].life &+ 1, records[slot].awaitsEndpoint)
        (records + slot).initialize(to: ConnectionRecord())
        records[slot].life = life
        records[slot].awaitsEndpoint = awaitsEndpoint
        for side in 0..<2 {
            (sides + (2 * slot + side)).initialize(to: Side())
            (flows + (2 * slot + side)).initialize(to: Flow())
        }
        openCount += 1
        return slot
    }

    /// Frees the slot of a closed connection; one that still stands in a queue waits until it is popped.
    func finishSlot(_ slot: Int) {
        guard records[slot].stage == .free, !records[slot].queued else { return }
        giveBackSlot(slot)
    }

    func giveBackSlot(_ slot: Int) {
        records[slot].stage = .free
        freeSlots[freeCount] = Int32(slot)
        freeCount += 1
        openCount -= 1
    }

    func enqueue(_ slot: Int, in queue: inout SlotQueue) {
        guard !records[slot].queued else { return }
        queue.push(slot, records)
    }

    func enqueueHandshake(_ slot: Int) {
        guard !records[slot].queued else { return }
        handshakes.push(slot, records)
    }
}
