/// What is known of each source, up to a number of them: open addressing with linear probing, hashed by a key of the process
/// so that nobody can choose addresses that collide.
///
/// A source that nothing is known of has the value 0, and takes no room: a count of no connections, a bucket that is full
/// (``TokenBucket/full``). Setting 0 removes it. At the limit a further source is refused its entry, and whoever asks
/// refuses the connection: entries that say something are never given up for new ones, or an attacker with many addresses
/// could make the table forget what it holds against one of them. Those that no longer say anything (buckets that have
/// filled up since) are taken out by ``reclaim(upTo:slots:)``, a few slots at each question.
///
/// Memory: 24 bytes a slot, at most three quarters of them in use; it doubles as sources come and halves when they are gone.
/// Otherwise nothing is allocated. Belongs to one thread at a time: a lock for each part of the sources.
public struct SourceTable: ~Copyable {
    private struct Slot {
        var key: SourceKey
        /// 0: the slot is free.
        var value: Int64
    }

    private static let smallest = 16
    private static let free = Slot(key: SourceKey(high: 0, low: 0), value: 0)

    private var slots: [Slot]
    /// Where ``reclaim(upTo:slots:)`` goes on.
    private var hand = 0
    /// Sources with a value.
    public private(set) var count = 0
    /// The most there can be.
    public let limit: Int

    public init(limit: Int) {
        self.limit = max(1, limit)
        slots = Array(repeating: SourceTable.free, count: SourceTable.smallest)
    }

    /// Slots that exist at present.
    public var capacity: Int { slots.count }

    /// What is known of a source; 0: nothing.
    public func value(of key: SourceKey) -> Int64 { slots[place(of: key)].value }

    /// Notes a value; 0 forgets the source. False, and nothing done, where the source is new and the table at its limit.
    public mutating func set(_ key: SourceKey, to value: Int64) -> Bool {
        var place = place(of: key)
        if slots[place].value != 0 {
            if value == 0 { remove(at: place) } else { slots[place].value = value }
            return true
        }
        guard value != 0 else { return true }
        guard count < limit else { return false }
        if (count + 1) * 4 > slots.count * 3 {
            rebuild(slots.count * 2)
            place = self.place(of: key)
        }
        slots[place] = Slot(key: key, value: value)
        count += 1
        return true
    }

    /// Looks at the next slots, round and round, and forgets what has a value of at most `mark`.
    public mutating func reclaim(upTo mark: Int64, slots number: Int) {
        for _ in 0..<min(number, slots.count) {
            if hand >= slots.count { hand = 0 }
            let value = slots[hand].value
            // What moves up into a slot that gets free is looked at before the hand goes on.
            if value != 0, value <= mark { remove(at: hand) } else { hand += 1 }
        }
    }

    /// Gives each source the value that becomes of its own: after a change of what values mean. 0 forgets the source.
    public mutating func convert(_ change: (Int64) -> Int64) {
        for index in slots.indices where slots[index].value != 0 {
            slots[index].value = change(slots[index].value)
            if slots[index].value == 0 { count -= 1 }
        }
        var size = slots.count
        while size > SourceTable.smallest, count * 8 < size { size /= 2 }
        rebuild(size)
    }

    /// The slot of a source, or the free one where it would be.
    private func place(of key: SourceKey) -> Int {
        let mask = slots.count - 1
        var place = SourceTable.home(key, mask)
        while slots[place].value != 0, slots[place].key != key { place = (place + 1) & mask }
        return place
    }

    private static func home(_ key: SourceKey, _ mask: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(key.high)
        hasher.combine(key.low)
        return hasher.finalize() & mask
    }

    /// Frees a slot, and moves up those behind it that are not at home, so that no search ends too early.
    private mutating func remove(at place: Int) {
        let mask = slots.count - 1
        var (gap, next) = (place, (place + 1) & mask)
        while slots[next].value != 0 {
            let home = SourceTable.home(slots[next].key, mask)
            if (next - home) & mask >= (next - gap) & mask {
                slots[gap] = slots[next]
                gap = next
            }
            next = (next + 1) & mask
        }
        slots[gap] = SourceTable.free
        count -= 1
        if slots.count > SourceTable.smallest, count * 8 < slots.count { rebuild(slots.count / 2) }
    }

    private mutating func rebuild(_ size: Int) {
        let old = slots
        slots = Array(repeating: SourceTable.free, count: size)
        for slot in old where slot.value != 0 { slots[place(of: slot.key)] = slot }
        hand = 0
    }
}
