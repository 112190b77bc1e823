import EngineCore
import EngineModel
import Primitives

@testable import Engine

/// Bytes of responses: never more than the burst, a share for each that waits, and what the rate has given since; and where
/// one direction has a bucket to itself, not much less. Nobody waits for bytes that were taken and did not move.
final class BandwidthBook {
    private enum Owner: Hashable {
        case connection(UInt64)
        case source(IPAddress)
        case target
    }
    private struct Key: Hashable {
        var level: ObjectIdentifier
        var owner: Owner
    }
    private struct Bucket {
        var rate: Double
        var capacity: Double
        /// What one direction may have taken in advance, while it waits: it comes on top of the burst.
        var quantum: Double
        var missing = 0.0
        var time: Int64
        /// From one of other values: shares that others held then were converted with it, and are not known here.
        var isConverted = false

        init(_ limit: BandwidthLimit.Rate, now: Int64) {
            rate = Double(limit.bytesPerSecond)
            capacity = max(Double(limit.burst), rate / 10)
            quantum = max(rate / 1000, min(rate / 25, 16_384))
            time = now
        }

        mutating func run(to now: Int64) {
            missing = max(0, missing - rate * Double(now - time) / 1e9)
            time = now
        }
    }
    private struct Progress {
        var keys: [Key]
        var moved = 0
        var began: Int64
        /// Whether it has had the same buckets since its beginning.
        var isSteady: Bool
        var wakes: Int64?
        /// Whether it has taken a share in advance that has not moved yet.
        var holdsShare = false
    }

    private unowned let oracle: Oracle
    private var buckets: [Key: Bucket] = [:]
    private var sessions: [UInt64: Progress] = [:]
    /// The newest of each identity; older ones are kept, so that identities stay their own.
    private var levels: [LimitID: BandwidthLevel] = [:]
    private var kept: [BandwidthLevel] = []

    init(_ oracle: Oracle) { self.oracle = oracle }

    /// Who has changed begins with the share that was missing.
    func compiled(_ compiler: TableCompiler) {
        for listener in compiler.listeners.values {
            for level in listener.fallback?.state.bandwidth.levels ?? [] { note(level) }
        }
    }

    private func note(_ level: BandwidthLevel) {
        guard let old = levels[level.id] else {
            levels[level.id] = level
            return
        }
        guard old !== level else { return }
        kept.append(old)
        levels[level.id] = level
        for (key, bucket) in buckets where key.level == ObjectIdentifier(old) {
            if case .connection = key.owner { continue }
            convert(bucket, to: level, key.owner)
        }
    }

    private func convert(_ old: Bucket, to level: BandwidthLevel, _ owner: Owner) {
        guard let limit = level.limit.response else { return }
        var (old, new) = (old, Bucket(limit, now: oracle.now))
        old.run(to: oracle.now)
        new.missing = old.missing / old.capacity * new.capacity
        new.isConverted = true
        buckets[Key(level: ObjectIdentifier(level), owner: owner)] = new
    }

    func bound(_ session: Session, _ levels: [BandwidthLevel], now: Int64) {
        let before = sessions[session.id]
        var keys: [Key] = []
        for level in levels {
            guard let limit = level.limit.response else { continue }
            let owner: Owner =
                switch level.limit.scope {
                case .connection: .connection(session.id)
                case .source: .source(session.address)
                case .target: .target
                }
            let key = Key(level: ObjectIdentifier(level), owner: owner)
            if buckets[key] == nil {
                let old = before?.keys.first { $0.owner == owner }.flatMap { buckets[$0] }
                if let old, case .connection = owner {
                    convert(old, to: level, owner)
                } else {
                    buckets[key] = Bucket(limit, now: now)
                }
            }
            keys.append(key)
        }
        sessions[session.id] = Progress(keys: keys, began: now, isSteady: before == nil)
    }

    func moved(_ session: Session, _ bytes: Int, now: Int64) {
        guard var progress = sessions[session.id] else { return }
        if progress.moved == 0 { progress.began = now }
        progress.moved += bytes
        progress.holdsShare = false
        sessions[session.id] = progress
        for key in progress.keys {
            guard var bucket = buckets[key] else { continue }
            bucket.run(to: now)
            bucket.missing += Double(bytes)
            buckets[key] = bucket
            let waiting = Double(sessions.values.count { $0.keys.contains(key) })
            oracle.require(
                "bandwidth", bucket.missing <= bucket.capacity + waiting * bucket.quantum + 8,
                "#\(session.id) moves \(bytes) bytes, \(Int(bucket.missing - bucket.capacity)) more than there were")
        }
        guard session.bytesLeft == 0, progress.keys.count == 1, let bucket = buckets[progress.keys[0]],
            progress.isSteady, progress.began > oracle.excusedUntil, case .connection = progress.keys[0].owner
        else { return }
        let fair = max(0, Double(progress.moved) - bucket.capacity) / bucket.rate
        let took = Double(now - progress.began) / 1e9
        oracle.require(
            "bandwidth", took <= fair * 1.1 + 0.1, "#\(session.id) took \(took) s, \(fair) s would have done")
    }

    func pauses(_ session: Session, _ wait: Int64, now: Int64) { sessions[session.id]?.wakes = now + wait }

    /// It has taken its next share, for which it waits that long, if at all.
    func reserved(_ session: Session, _ wait: Int64, now: Int64) {
        sessions[session.id]?.holdsShare = true
        var longest = 0.0
        for key in sessions[session.id]?.keys ?? [] {
            guard var bucket = buckets[key], !bucket.isConverted else { return }
            bucket.run(to: now)
            let shares = sessions.values.count { $0.holdsShare && $0.keys.contains(key) }
            let due = bucket.missing + Double(shares) * bucket.quantum - bucket.capacity
            longest = max(longest, (due + 8) / bucket.rate * 1e9)
        }
        oracle.require(
            "bandwidth", Double(wait) <= longest, "#\(session.id) waits for \(wait) ns, \(Int(longest)) would do")
    }

    func goesOn(_ session: Session, now: Int64) {
        guard let wakes = sessions[session.id]?.wakes else {
            return oracle.fail("timers", "#\(session.id) goes on, though it did not wait")
        }
        oracle.require("timers", now >= wakes, "#\(session.id) goes on \(wakes - now) ns too early")
        sessions[session.id]?.wakes = nil
    }

    func stopped(_ session: Session) { sessions[session.id]?.wakes = nil }

    func ended(_ session: Session) {
        oracle.require("timers", sessions[session.id]?.wakes == nil, "#\(session.id) ends and its pause goes on")
        for key in sessions.removeValue(forKey: session.id)?.keys ?? [] {
            if case .connection = key.owner { buckets[key] = nil }
        }
    }
}
