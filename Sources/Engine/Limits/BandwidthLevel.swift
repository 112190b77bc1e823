internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

/// What one policy gives to one target: values, which never change, and the buckets that are filled by them. Changed values are
/// another level, whose buckets lack the same share, and established sessions go over to it.
final class BandwidthLevel: Sendable {
    let id: LimitID
    let limit: BandwidthLimit
    let request: BandwidthBucket?
    let response: BandwidthBucket?
    /// Of all connections together; used where that is the scope.
    let target: BandwidthWords
    let sources: SourceWords

    /// `old`: what the values were until `now`, monotonic nanoseconds.
    init(_ id: LimitID, _ limit: BandwidthLimit, after old: BandwidthLevel?, now: Int64) {
        (self.id, self.limit) = (id, limit)
        let (request, response) = (
            limit.request.map { BandwidthBucket($0) }, limit.response.map { BandwidthBucket($0) }
        )
        (self.request, self.response) = (request, response)
        guard let old else {
            (target, sources) = (BandwidthWords(), SourceWords())
            return
        }
        func converted(_ words: BandwidthWords) -> BandwidthWords {
            BandwidthWords(
                request: BandwidthLevel.converted(words.state(.request), old.request, request, now),
                response: BandwidthLevel.converted(words.state(.response), old.response, response, now))
        }
        target = converted(old.target)
        sources = old.sources.converted(converted)
    }

    func bucket(_ direction: Direction) -> BandwidthBucket? { direction == .request ? request : response }

    /// Whether the words say no more than new ones would.
    func isFull(_ words: BandwidthWords, now: Int64) -> Bool {
        (request.map { words.state(.request) <= $0.fullMark(now: now) } ?? true)
            && (response.map { words.state(.response) <= $0.fullMark(now: now) } ?? true)
    }

    private static func converted(
        _ state: Int64, _ old: BandwidthBucket?, _ new: BandwidthBucket?, _ now: Int64
    ) -> Int64 {
        guard let old, let new else { return BandwidthBucket.full }
        return new.state(state, of: old, now: now)
    }
}

/// The levels that limit the connections of one listener or route, the widest first. Lies in its state, which sessions hold:
/// written by who compiles tables, read by workers, so that a change reaches sessions whatever table they came with.
struct BandwidthCell: ~Copyable, Sendable {
    private final class Levels: Sendable {
        let all: [BandwidthLevel]
        init(_ all: [BandwidthLevel]) { self.all = all }
    }
    /// An owned reference to ``Levels`` as a number; 0: nothing is limited.
    private let held = Atomic<UInt>(0)
    /// One for all, held for moments: most states never have a level, and a lock of its own would cost each of them memory.
    /// Its value is nothing to anyone, but has a size: one without lies at the address of the lock's own field, and the thread
    /// sanitizer takes the two for a race.
    private static let lock = Locked(false)

    deinit { BandwidthCell.reference(held.load(ordering: .relaxed))?.release() }

    var levels: [BandwidthLevel] {
        guard held.load(ordering: .relaxed) != 0 else { return [] }
        return BandwidthCell.lock.withLock { _ in
            BandwidthCell.reference(held.load(ordering: .relaxed))?.takeUnretainedValue().all ?? []
        }
    }

    /// False: they are the same objects as before.
    func set(_ levels: [BandwidthLevel]) -> Bool {
        if levels.isEmpty, held.load(ordering: .relaxed) == 0 { return false }
        let (old, isOther) = BandwidthCell.lock.withLock { _ -> (Unmanaged<Levels>?, Bool) in
            let old = BandwidthCell.reference(held.load(ordering: .relaxed))
            let known = old?.takeUnretainedValue().all ?? []
            guard !known.elementsEqual(levels, by: ===) else { return (nil, false) }
            let new = levels.isEmpty ? 0 : UInt(bitPattern: Unmanaged.passRetained(Levels(levels)).toOpaque())
            held.store(new, ordering: .relaxed)
            return (old, true)
        }
        old?.release()
        return isOther
    }

    private static func reference(_ bits: UInt) -> Unmanaged<Levels>? {
        UnsafeRawPointer(bitPattern: bits).map { Unmanaged.fromOpaque($0) }
    }
}

/// Finds the level of an identity, and makes another one where its values have changed. Holds none: listeners, routes and
/// sessions do.
final class BandwidthRegistry: Sendable {
    private struct Entry {
        weak var level: BandwidthLevel?
    }
    private struct Entries {
        var all: [LimitID: Entry] = [:]
        var limit = 64
    }
    private let entries = Locked(Entries())
    private let changeCount = Atomic<UInt64>(0)

    /// Goes up with every change that established sessions have to see; 0: nothing was ever limited.
    var changes: UInt64 { changeCount.load(ordering: .relaxed) }

    /// What limits a listener's or a route's connections from now on.
    func set(_ limits: [ClientLimits], on cell: borrowing BandwidthCell, now: MonotonicTime) {
        let levels = limits.compactMap { limits in limits.bandwidth.map { level(limits.id, $0, now) } }
        if cell.set(levels) { changeCount.add(1, ordering: .relaxed) }
    }

    private func level(_ id: LimitID, _ limit: BandwidthLimit, _ now: MonotonicTime) -> BandwidthLevel {
        entries.withLock { entries in
            let old = entries.all[id]?.level
            if let old, old.limit == limit { return old }
            if entries.all.count >= entries.limit {
                entries.all = entries.all.filter { $0.value.level != nil }
                entries.limit = max(64, 2 * entries.all.count)
            }
            let level = BandwidthLevel(id, limit, after: old, now: now.nanoseconds)
            entries.all[id] = Entry(level: level)
            return level
        }
    }
}
