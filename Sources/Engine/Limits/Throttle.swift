internal import EngineCore
internal import EngineModel
internal import Primitives
internal import Synchronization

/// One bucket that one direction of a connection draws from. Belongs to the connection's worker; the word may be shared.
struct ThrottleLevel {
    let bucket: BandwidthBucket
    /// Nil: the connection's own, in `state`.
    private let word: UnsafeMutablePointer<Atomic<Int64>>?
    private var state: Int64
    /// Owned.
    let level: Unmanaged<BandwidthLevel>
    /// Owned: whose the word is.
    private let words: Unmanaged<BandwidthWords>?
    /// Of the words that the source has to itself.
    private let source: SourceKey?
    /// As it was when the connection began.
    let scope: BandwidthLimit.Scope

    /// `old`: what the direction drew from until now for the same policy.
    init(
        _ level: BandwidthLevel, _ bucket: BandwidthBucket, _ direction: Direction, client: IPAddress,
        after old: ThrottleLevel?, now: Int64
    ) {
        self.bucket = bucket
        self.level = .passRetained(level)
        scope = old?.scope ?? level.limit.scope
        state = old.map { bucket.state($0.state, of: $0.bucket, now: now) } ?? BandwidthBucket.full
        switch scope {
        case .connection: (words, word, source) = (nil, nil, nil)
        case .target:
            (words, word, source) = (.passRetained(level.target), level.target.word(direction), nil)
        case .source:
            let key = SourceKey(client, SourcePrefix())
            let (own, isOwn) = level.sources.take(key) { level.isFull($0, now: now) }
            (words, word, source) = (.passRetained(own), own.word(direction), isOwn ? key : nil)
        }
    }

    /// Gives back what it holds; not to be used afterwards.
    func end(now: Int64) {
        if let source {
            level._withUnsafeGuaranteedRef { level in level.sources.giveBack(source) { level.isFull($0, now: now) } }
        }
        words?.release()
        level.release()
    }

    /// Spends what there is, at most `limit` bytes. Of a shared bucket one takes half, or the quantum where that is more: others
    /// who look meanwhile find something, though most of what was taken is given back right after.
    mutating func take(upTo limit: Int, now: Int64) -> Int {
        guard let word else {
            let bytes = min(bucket.allowance(state, now: now), limit)
            if bytes > 0 { state = bucket.spend(state, now: now, bytes: bytes) }
            return bytes
        }
        var known = word.pointee.load(ordering: .relaxed)
        while true {
            let allowance = bucket.allowance(known, now: now)
            let bytes = min(max(allowance / 2, bucket.quantum), allowance, limit)
            guard bytes > 0 else { return 0 }
            let (isDone, original) = word.pointee.compareExchange(
                expected: known, desired: bucket.spend(known, now: now, bytes: bytes), ordering: .relaxed)
            if isDone { return bytes }
            known = original
        }
    }

    /// Spends in advance; nanoseconds until it is due.
    mutating func reserve(_ bytes: Int, now: Int64) -> Int64 {
        let bucket = bucket
        return bucket.due(change { bucket.spend($0, now: now, bytes: bytes) }, now: now)
    }

    mutating func giveBack(_ bytes: Int) {
        let bucket = bucket
        _ = change { bucket.giveBack($0, bytes: bytes) }
    }

    @inline(__always)
    private mutating func change(_ next: (Int64) -> Int64) -> Int64 {
        guard let word else {
            state = next(state)
            return state
        }
        var known = word.pointee.load(ordering: .relaxed)
        while true {
            let desired = next(known)
            let (isDone, original) = word.pointee.compareExchange(
                expected: known, desired: desired, ordering: .relaxed)
            if isDone { return desired }
            known = original
        }
    }
}

/// What limits one direction of a connection: several buckets, each of which must have what is moved.
///
/// Who may have more than there is takes a share in advance, the smallest quantum of its buckets, and waits until it is due at all
/// of them. So those that share a bucket take turns whichever worker they are on, none of them wakes in vain, and what a
/// timer was late by is there for whoever wakes.
struct Throttle {
    private let levels: UnsafeMutablePointer<ThrottleLevel>?
    private let count: Int
    /// Bytes that one share has.
    private let share: Int
    /// Spent at every level, and not moved yet.
    private(set) var reserved = 0
    /// Since when it waits for its share, in nanoseconds; 0: it does not.
    var pausedSince: Int64 = 0
    /// How long it has waited before, in nanoseconds.
    private(set) var waited: Int64

    /// Without levels nothing is limited. Ends with ``end(now:)``.
    /// `waited`: what it did before under others.
    init(_ new: [ThrottleLevel] = [], waited: Int64 = 0) {
        self.waited = waited
        count = new.count
        let memory = new.isEmpty ? nil : UnsafeMutablePointer<ThrottleLevel>.allocate(capacity: new.count)
        memory?.initialize(from: new, count: new.count)
        levels = memory
        share = new.reduce(.max) { min($0, $1.bucket.quantum) }
    }

    var isLimited: Bool { count > 0 }

    /// How long it has waited in all.
    func waited(now: Int64) -> Int64 { waited + (pausedSince == 0 ? 0 : max(0, now - pausedSince)) }

    /// Its wait is over, or cut short; nanoseconds that it took.
    mutating func endWait(now: Int64) -> Int64 {
        let time = max(0, now - pausedSince)
        waited += time
        pausedSince = 0
        return time
    }

    /// Whether it does so already.
    func draws(from others: [BandwidthLevel]) -> Bool {
        guard others.count == count, let levels else { return others.isEmpty }
        return others.indices.allSatisfy {
            levels[$0].level.toOpaque() == Unmanaged.passUnretained(others[$0]).toOpaque()
        }
    }

    /// Where a level with this identity was drawn from.
    func level(_ id: LimitID) -> ThrottleLevel? {
        guard let levels else { return nil }
        for index in 0..<count where levels[index].level._withUnsafeGuaranteedRef({ $0.id == id }) {
            return levels[index]
        }
        return nil
    }

    /// Bytes that may move now, at most `limit` or a share; they are spent. 0: see ``wait(now:)``.
    mutating func take(upTo limit: Int, now: Int64) -> Int {
        guard let levels else { return .max }
        var bytes = max(limit, share) - reserved
        for index in 0..<count where bytes > 0 {
            let given = levels[index].take(upTo: bytes, now: now)
            if given < bytes { for earlier in 0..<index { levels[earlier].giveBack(bytes - given) } }
            bytes = given
        }
        reserved += max(0, bytes)
        return reserved
    }

    /// That many of what was taken have moved.
    mutating func spent(_ bytes: Int) { reserved -= bytes }

    /// Takes the next share; nanoseconds until it may move.
    mutating func wait(now: Int64) -> Int64 {
        let missing = share - reserved
        guard missing > 0, let levels else { return 0 }
        var wait: Int64 = 0
        for index in 0..<count { wait = max(wait, levels[index].reserve(missing, now: now)) }
        reserved += missing
        return wait
    }

    /// What was taken is not needed at present.
    mutating func giveBack() {
        guard reserved > 0, let levels else { return }
        for index in 0..<count { levels[index].giveBack(reserved) }
        reserved = 0
    }

    mutating func end(now: Int64) {
        giveBack()
        guard let levels else { return }
        for index in 0..<count { levels[index].end(now: now) }
        levels.deinitialize(count: count)
        levels.deallocate()
    }
}
