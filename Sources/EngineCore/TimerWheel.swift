/// Timers of one thread: at most one per slot, O(1) to set and to cancel, no allocation once the slots are reserved.
///
/// A hierarchy of wheels with 64 buckets each: a bucket of the lowest wheel is one tick of 4 ms, a bucket of each higher
/// wheel is a whole turn of the one below. A timer lies on the wheel of the highest digit (base 64) in which its tick
/// differs from the present one; when time reaches its bucket it moves down, at last to the tick itself. A timer is never
/// reported early, and becomes due less than one tick after its deadline.
public struct TimerWheel: ~Copyable {
    /// The length of a tick in milliseconds.
    public static let tickMilliseconds: Int64 = 4

    private static let none: Int32 = -1
    private static let levels = 7
    private static let digitBits: Int64 = 6
    private static let lastTick: Int64 = 1 << (7 * 6) - 1
    /// Buckets of all wheels, and last the list of timers that are due.
    private static let dueList = levels * 64

    private struct Node {
        var tick: Int64 = 0
        var next = TimerWheel.none
        var previous = TimerWheel.none
        /// Where the timer is linked; `none` while it is not set.
        var bucket = TimerWheel.none
    }

    private var nodes: [Node] = []
    private var heads = [Int32](repeating: TimerWheel.none, count: TimerWheel.dueList + 1)
    /// A bit for each bucket of a wheel that is not empty.
    private var occupied = [UInt64](repeating: 0, count: TimerWheel.levels)
    /// The tick up to which everything was handed to the due list. Never goes back.
    private var present: Int64 = 0
    /// Timers that are set.
    public private(set) var count = 0

    /// An empty wheel; `now` only spares it the way from zero.
    public init(slots: Int = 0, now: Int64 = 0) {
        present = TimerWheel.tick(before: now)
        reserve(slots: slots)
    }

    /// Makes room for the slots 0..<slots. Never shrinks; timers that are set stay.
    public mutating func reserve(slots: Int) {
        guard slots > nodes.count else { return }
        nodes.append(contentsOf: repeatElement(Node(), count: slots - nodes.count))
    }

    /// Sets the slot's timer, in place of one that may be set. The slot must be reserved. A deadline in the past is due
    /// at once; deadlines lie at most 557 years after the clock's start.
    public mutating func schedule(_ slot: Int32, at deadlineMilliseconds: Int64) {
        cancel(slot)
        let wanted = TimerWheel.tick(atOrAfter: deadlineMilliseconds)
        nodes[Int(slot)].tick = min(max(wanted, present), TimerWheel.lastTick)
        link(slot)
        count += 1
    }

    /// Forgets the slot's timer, if one is set; also one that is due and was not reported.
    public mutating func cancel(_ slot: Int32) {
        guard nodes[Int(slot)].bucket != TimerWheel.none else { return }
        unlink(slot)
        count -= 1
    }

    /// Whether the slot's timer is set.
    public func isScheduled(_ slot: Int32) -> Bool { nodes[Int(slot)].bucket != TimerWheel.none }

    /// Takes one timer that is due; call until nil. Timers come in the order of their ticks, those of one tick in no order.
    public mutating func nextExpired(now: Int64) -> Int32? {
        let nowTick = min(TimerWheel.tick(before: now), TimerWheel.lastTick)
        while true {
            let slot = heads[TimerWheel.dueList]
            if slot != TimerWheel.none {
                unlink(slot)
                count -= 1
                return slot
            }
            guard let next = nextBucket(), next.tick <= nowTick else {
                // Every bucket begins after nowTick, so each timer keeps its wheel and bucket.
                present = max(present, nowTick)
                return nil
            }
            present = max(present, next.tick)
            open(next.bucket)
        }
    }

    /// How long the thread may sleep: nil when no timer is set. May be shorter than until the next timer (time reaches the
    /// bucket of a higher wheel first), never longer, except by the tick that every timer may be late.
    public func millisecondsUntilNext(now: Int64) -> Int64? {
        guard count > 0 else { return nil }
        guard heads[TimerWheel.dueList] == TimerWheel.none, let next = nextBucket() else { return 0 }
        return max(0, next.tick * TimerWheel.tickMilliseconds - now)
    }

    // MARK: Ticks

    private static func tick(before milliseconds: Int64) -> Int64 { max(0, milliseconds) / tickMilliseconds }

    private static func tick(atOrAfter milliseconds: Int64) -> Int64 {
        let clamped = min(max(0, milliseconds), lastTick * tickMilliseconds)
        return (clamped + tickMilliseconds - 1) / tickMilliseconds
    }

    // MARK: Buckets

    /// The first bucket in time that is not empty, and the tick at which it begins: the lowest wheel's, because all
    /// that lies on a higher wheel lies beyond the present turn of the lower one.
    private func nextBucket() -> (bucket: Int, tick: Int64)? {
        for level in 0..<TimerWheel.levels where occupied[level] != 0 {
            let digit = Int64(occupied[level].trailingZeroBitCount)
            let shift = TimerWheel.digitBits * Int64(level)
            let above = shift + TimerWheel.digitBits
            let turn = (present >> above) << above
            return (level * 64 + Int(digit), turn | (digit << shift))
        }
        return nil
    }

    /// Moves a bucket's timers to the due list, or to lower wheels.
    private mutating func open(_ bucket: Int) {
        while heads[bucket] != TimerWheel.none {
            let slot = heads[bucket]
            unlink(slot)
            if bucket < 64 { insert(slot, into: TimerWheel.dueList) } else { link(slot) }
        }
    }

    private mutating func link(_ slot: Int32) {
        let tick = nodes[Int(slot)].tick
        let difference = UInt64(tick ^ present)
        let level = difference == 0 ? 0 : (63 - difference.leadingZeroBitCount) / Int(TimerWheel.digitBits)
        let digit = Int(tick >> (TimerWheel.digitBits * Int64(level)) & 63)
        occupied[level] |= 1 << UInt64(digit)
        insert(slot, into: level * 64 + digit)
    }

    private mutating func insert(_ slot: Int32, into bucket: Int) {
        let head = heads[bucket]
        nodes[Int(slot)].bucket = Int32(bucket)
        nodes[Int(slot)].previous = TimerWheel.none
        nodes[Int(slot)].next = head
        if head != TimerWheel.none { nodes[Int(head)].previous = slot }
        heads[bucket] = slot
    }

    private mutating func unlink(_ slot: Int32) {
        let node = nodes[Int(slot)]
        let bucket = Int(node.bucket)
        if node.previous == TimerWheel.none {
            heads[bucket] = node.next
            if node.next == TimerWheel.none, bucket < TimerWheel.dueList {
                occupied[bucket / 64] &= ~(1 << UInt64(bucket % 64))
            }
        } else {
            nodes[Int(node.previous)].next = node.next
        }
        if node.next != TimerWheel.none { nodes[Int(node.next)].previous = node.previous }
        nodes[Int(slot)].bucket = TimerWheel.none
    }
}
