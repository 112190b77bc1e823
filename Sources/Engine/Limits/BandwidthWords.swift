internal import EngineCore
internal import EngineModel
internal import Platform
internal import Synchronization

/// A bucket's state each way, which workers share by compare and exchange (``BandwidthBucket``).
final class BandwidthWords: @unchecked Sendable {
    // Sendable because the words are atomics, at an address that never changes.
    private let words: UnsafeMutablePointer<Atomic<Int64>>

    init(request: Int64 = BandwidthBucket.full, response: Int64 = BandwidthBucket.full) {
        words = .allocate(capacity: 2)
        words.initialize(to: Atomic(request))
        (words + 1).initialize(to: Atomic(response))
    }

    deinit {
        words.deinitialize(count: 2)
        words.deallocate()
    }

    /// Valid as long as `self`.
    func word(_ direction: Direction) -> UnsafeMutablePointer<Atomic<Int64>> { words + direction.rawValue }

    func state(_ direction: Direction) -> Int64 { words[direction.rawValue].load(ordering: .relaxed) }
}

/// The buckets of each source that has connections, or had some and has not filled its bucket since: coming back gains nothing.
final class SourceWords: Sendable {
    private struct Entry {
        let words: BandwidthWords
        /// Directions of connections that use it.
        var users = 0
    }
    private struct Entries {
        var all: [SourceKey: Entry] = [:]
        /// How many there may be before those that are full and unused are looked for.
        var limit = 64
        /// How many have found no place since they were looked for last.
        var crowded = 0
    }
    private let entries = Locked(Entries())
    /// Of all sources beyond ``most``: those go slower together, rather than that one is forgotten.
    private let crowd = BandwidthWords()
    private static let most = 1 << 17
    /// With as many as there may be, they are looked through for a place once in so many that find none.
    private static let looksOnceIn = 4096

    /// The words of a source. False: it has none of its own, and nothing is to be given back.
    func take(_ key: SourceKey, isFull: (BandwidthWords) -> Bool) -> (BandwidthWords, isOwn: Bool) {
        entries.withLock { entries in
            if let entry = entries.all[key] {
                entries.all[key]?.users += 1
                return (entry.words, true)
            }
            if entries.all.count >= entries.limit, entries.crowded % SourceWords.looksOnceIn == 0 {
                entries.all = entries.all.filter { $0.value.users > 0 || !isFull($0.value.words) }
                entries.limit = min(max(64, 2 * entries.all.count), SourceWords.most)
            }
            guard entries.all.count < SourceWords.most else {
                entries.crowded &+= 1
                return (crowd, false)
            }
            entries.crowded = 0
            let words = BandwidthWords()
            entries.all[key] = Entry(words: words, users: 1)
            return (words, true)
        }
    }

    /// Takes back one ``take(_:isFull:)``.
    func giveBack(_ key: SourceKey, isFull: (BandwidthWords) -> Bool) {
        entries.withLock { entries in
            guard let entry = entries.all[key] else { return }
            entries.all[key]?.users -= 1
            if entry.users <= 1, isFull(entry.words) { entries.all[key] = nil }
        }
    }

    /// The same sources with other words, which nobody uses yet.
    func converted(_ change: (BandwidthWords) -> BandwidthWords) -> SourceWords {
        let new = SourceWords()
        let old = entries.withLock { $0 }
        new.entries.withLock { entries in
            entries.all = old.all.mapValues { Entry(words: change($0.words)) }
            entries.limit = min(max(64, 2 * entries.all.count), SourceWords.most)
        }
        return new
    }
}
