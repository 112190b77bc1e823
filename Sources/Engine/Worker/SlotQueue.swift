/// A first-in-first-out list of slots through ``ConnectionRecord/next``; a slot is in at most one.
struct SlotQueue {
    private var head: Int32 = -1
    private var tail: Int32 = -1
    private(set) var count = 0

    @inline(__always) var isEmpty: Bool { count == 0 }

    mutating func push(_ slot: Int, _ records: UnsafeMutablePointer<ConnectionRecord>) {
        records[slot].queued = true
        records[slot].next = -1
        if tail >= 0 { records[Int(tail)].next = Int32(slot) } else { head = Int32(slot) }
        tail = Int32(slot)
        count += 1
    }

    mutating func pop(_ records: UnsafeMutablePointer<ConnectionRecord>) -> Int? {
        guard head >= 0 else { return nil }
        let slot = Int(head)
        head = records[slot].next
        if head < 0 { tail = -1 }
        records[slot].queued = false
        count -= 1
        return slot
    }
}
