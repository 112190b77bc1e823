internal import EngineCore
internal import Platform

/// What the checker's thread knows of one endpoint.
struct CheckSlot {
    let target: HealthTarget
    /// Nanoseconds; when the last check began.
    var began: Int64
    var run: CheckRun?
    /// It waits for its turn.
    var isQueued = false
}

/// The endpoints that are checked, in places that are used again. Belongs to one thread.
struct CheckSlots {
    private(set) var all: [CheckSlot?] = []
    /// Goes up with each use of a place: a late event does not reach the next one.
    private var lives: [UInt32] = []
    private var free: [Int32] = []
    private var byEndpoint: [ObjectIdentifier: Int32] = [:]

    var count: Int { all.count }
    var endpoints: Dictionary<ObjectIdentifier, Int32>.Keys { byEndpoint.keys }

    subscript(_ slot: Int32) -> CheckSlot? {
        get { all[Int(slot)] }
        _modify { yield &all[Int(slot)] }
    }

    func slot(of endpoint: EndpointHealth) -> Int32? { slot(ObjectIdentifier(endpoint)) }
    func slot(_ endpoint: ObjectIdentifier) -> Int32? { byEndpoint[endpoint] }

    mutating func insert(_ target: HealthTarget, began: Int64) -> Int32 {
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = Int32(all.count)
            all.append(nil)
            lives.append(0)
        }
        all[Int(slot)] = CheckSlot(target: target, began: began)
        byEndpoint[ObjectIdentifier(target.endpoint)] = slot
        return slot
    }

    mutating func remove(_ endpoint: ObjectIdentifier) -> Int32? {
        guard let slot = byEndpoint.removeValue(forKey: endpoint) else { return nil }
        all[Int(slot)] = nil
        free.append(slot)
        return slot
    }

    /// A token for the next check of a slot.
    mutating func token(_ slot: Int32) -> UInt64 {
        lives[Int(slot)] &+= 1
        return UInt64(lives[Int(slot)]) << 32 | UInt64(slot)
    }

    static func slot(_ token: UInt64) -> Int32 { Int32(truncatingIfNeeded: token & 0x7fff_ffff) }
}

/// Slots that wait for their turn, first come, first served. One that was removed meanwhile is passed over by who pops it.
struct CheckQueue {
    private static let leastDropped = 1024
    private var slots: [Int32] = []
    private var head = 0

    /// Places that it takes, those of whoever was popped among them.
    var places: Int { slots.count }
    var isEmpty: Bool { head == slots.count }

    mutating func push(_ slot: Int32) { slots.append(slot) }

    mutating func pop() -> Int32? {
        guard head < slots.count else { return nil }
        defer {
            head += 1
            if head == slots.count {
                slots.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= CheckQueue.leastDropped, head > slots.count / 2 {
                // Where there is always somebody who waits, it is never empty.
                slots.removeFirst(head)
                head = 0
            }
        }
        return slots[head]
    }
}
