internal import CLinux
internal import EngineCore
internal import EngineModel
internal import Primitives

// Directions that are limited (ClientPolicy, bandwidthLimit). They have no allowance between two rounds: each round asks the
// buckets for one, and gives back what it did not move. A direction without a limit has one for ever, and comes here never.

/// When directions go on that wait for their share: a wheel whose ticks are a millisecond.
struct PauseTimers: ~Copyable {
    /// The wheel's ticks are four of whatever it is given: quarters of a millisecond here.
    private static let unit: Int64 = 1_000_000 / TimerWheel.tickMilliseconds
    private var wheel = TimerWheel()

    @inline(__always) var isEmpty: Bool { wheel.count == 0 }

    /// Makes room, so that nothing is allocated when a direction has to wait.
    mutating func reserve(flows: Int) { wheel.reserve(slots: flows) }

    /// `due`: monotonic nanoseconds. The flow must be reserved.
    mutating func set(_ flow: Int, due: Int64) {
        wheel.schedule(Int32(flow), at: due / PauseTimers.unit + 1)
    }

    mutating func cancel(_ flow: Int) { wheel.cancel(Int32(flow)) }

    mutating func next(now: Int64) -> Int? { wheel.nextExpired(now: now / PauseTimers.unit).map { Int($0) } }

    /// How long the thread may sleep; `Int64.max` where nobody waits.
    func nanosecondsUntilNext(now: Int64) -> Int64 {
        guard let wait = wheel.millisecondsUntilNext(now: now / PauseTimers.unit) else { return .max }
        return wait * PauseTimers.unit
    }
}

extension Worker {
    /// The most a round takes from the buckets, or a share where that is more.
    private static let mostAtOnce = Worker.scratchSize
    /// With less than that, splicing costs more than it spares.
    private static let leastForSplice = 64 << 10
    /// The allowance of a limited direction between two rounds.
    private static let notAsked = -1
    /// Slots looked at in one turn after values have changed.
    private static let rebindStride = 256

    // MARK: What limits a connection

    /// Looks up what limits a connection now, and makes it so: when bytes begin to flow, and after each change. What was spent
    /// stays spent.
    func limitBandwidth(_ slot: Int) {
        let record = records + slot
        guard let listener = record.pointee.listener, let route = record.pointee.route else { return }
        let levels =
            listener._withUnsafeGuaranteedRef { $0.state.bandwidth.levels }
            + route._withUnsafeGuaranteedRef { $0.state.bandwidth.levels }
        if levels.isEmpty, record.pointee.throttles == nil { return }
        pauses.reserve(flows: 2 * slot + 2)
        for direction in [Direction.request, .response] { bind(slot, direction, levels) }
    }

    private func bind(_ slot: Int, _ direction: Direction, _ levels: [BandwidthLevel]) {
        let record = records + slot
        let throttle = throttles(of: slot) + direction.rawValue
        let levels = levels.filter { $0.bucket(direction) != nil }
        if throttle.pointee.draws(from: levels) { return }
        let wasLimited = throttle.pointee.isLimited
        if wasLimited {
            endPause(slot, direction, throttle)
            throttle.pointee.giveBack()
        }
        let new = levels.compactMap { level in
            level.bucket(direction).map {
                ThrottleLevel(
                    level, $0, direction, client: record.pointee.client.ip, after: throttle.pointee.level(level.id),
                    now: now)
            }
        }
        throttle.pointee.end(now: now)
        throttle.initialize(to: Throttle(new, waited: throttle.pointee.waited))
        let flow = flows + (2 * slot + direction.rawValue)
        flow.pointee.allowance = new.isEmpty ? .max : Worker.notAsked
        if !new.isEmpty, flow.pointee.flags.contains(.paced) { leavePace(slot, direction, flow) }
        if wasLimited { wake(slot, flow) }
    }

    private func throttles(of slot: Int) -> UnsafeMutablePointer<Throttle> {
        if let throttles = records[slot].throttles { return throttles }
        let throttles = UnsafeMutablePointer<Throttle>.allocate(capacity: 2)
        throttles.initialize(repeating: Throttle(), count: 2)
        records[slot].throttles = throttles
        return throttles
    }

    /// Whether a direction waits for its share.
    @inline(__always)
    func isPaused(_ slot: Int, _ direction: Direction) -> Bool {
        guard let throttles = records[slot].throttles else { return false }
        return throttles[direction.rawValue].pausedSince != 0
    }

    /// Gives back what the connection's directions hold of their buckets.
    func endThrottles(_ slot: Int) {
        guard let throttles = records[slot].throttles else { return }
        for direction in [Direction.request, .response] {
            let throttle = throttles + direction.rawValue
            endPause(slot, direction, throttle)
            // A round that ends its connection has moved some of what it was allowed.
            let left = flows[2 * slot + direction.rawValue].allowance
            if left >= 0, left < throttle.pointee.reserved { throttle.pointee.spent(throttle.pointee.reserved - left) }
            throttle.pointee.end(now: now)
        }
        throttles.deallocate()
        records[slot].throttles = nil
    }

    // MARK: Rounds

    /// One round of a direction that is limited, with what its buckets allow. False: the connection is gone.
    @inline(never)
    func limitedRound(_ slot: Int, _ direction: Direction) -> Bool {
        guard let throttles = records[slot].throttles else { return true }
        let throttle = throttles + direction.rawValue
        guard throttle.pointee.pausedSince == 0 else { return true }
        let flow = flows + (2 * slot + direction.rawValue)
        let source = sides + (2 * slot + direction.rawValue)
        let allowance = throttle.pointee.take(upTo: Worker.mostAtOnce, now: now)
        guard allowance > 0 else {
            pause(slot, direction, throttle)
            return true
        }
        flow.pointee.allowance = allowance
        // It never becomes steady bulk, which a clock of its own looks after.
        flow.pointee.bulk = allowance < Worker.leastForSplice ? 0 : min(flow.pointee.bulk, Worker.steadyBulk - 2)
        guard relayRound(slot, direction) else { return false }
        let left = min(allowance, flow.pointee.allowance)
        flow.pointee.allowance = Worker.notAsked
        throttle.pointee.spent(allowance - left)
        if flow.pointee.holdsData || flow.pointee.flags.contains(.ended)
            || !source.pointee.flags.contains(.readable)
        {
            throttle.pointee.giveBack()
        } else if left <= 0 {
            // All of it has moved, so there is more.
            pause(slot, direction, throttle)
        }
        return true
    }

    private func pause(_ slot: Int, _ direction: Direction, _ throttle: UnsafeMutablePointer<Throttle>) {
        let flow = flows + (2 * slot + direction.rawValue)
        let wait = throttle.pointee.wait(now: now)
        guard wait > 0 else { return wake(slot, flow) }
        flow.pointee.flags.remove(.ready)
        throttle.pointee.pausedSince = now
        if !records[slot].held.contains(.throttled) { noteThrottled(slot) }
        pauses.set(2 * slot + direction.rawValue, due: now + wait)
    }

    private func wake(_ slot: Int, _ flow: UnsafeMutablePointer<Flow>) {
        flow.pointee.flags.insert(.ready)
        enqueue(slot, in: &ready)
    }

    private func endPause(_ slot: Int, _ direction: Direction, _ throttle: UnsafeMutablePointer<Throttle>) {
        guard throttle.pointee.pausedSince != 0 else { return }
        pauses.cancel(2 * slot + direction.rawValue)
        let time = UInt64(throttle.pointee.endWait(now: now))
        records[slot].routeCells?.add(RouteField.throttled(direction), time)
    }

    /// Those whose share is due take their turn with the others.
    func wakePaused() {
        while let index = pauses.next(now: now) {
            let (slot, direction): (Int, Direction) = (index / 2, index % 2 == 0 ? .request : .response)
            guard let throttles = records[slot].throttles else { continue }
            endPause(slot, direction, throttles + direction.rawValue)
            wake(slot, flows + index)
        }
    }

    // MARK: Changed values

    /// A new table: where what limits sessions has changed, all of them look it up again.
    func noteBandwidth(_ changes: UInt64) {
        guard changes != bandwidthChanges else { return }
        bandwidthChanges = changes
        rebindNext = 0
        isGoingThroughSlots = true
    }

    func continueRebind() {
        let end = min(rebindNext + Worker.rebindStride, highestSlot)
        while rebindNext < end {
            if records[rebindNext].stage == .relay { limitBandwidth(rebindNext) }
            rebindNext += 1
        }
        if rebindNext >= highestSlot { rebindNext = -1 }
    }
}
