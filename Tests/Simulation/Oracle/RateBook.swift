import EngineModel
import Primitives

@testable import Engine

/// A bucket that begins full, is filled evenly and loses one token with each connection: no more, and no fewer, than it has.
final class RateBook {
    private struct Bucket {
        var rate: ConnectionRateLimit.Rate
        /// Tokens that are missing at ``time``.
        var missing = 0.0
        var time: Int64

        mutating func run(to now: Int64) {
            let perSecond = Double(rate.connections) / Double(rate.interval.seconds)
            missing = max(0, missing - perSecond * Double(now - time) / 1e9)
            time = now
        }

        /// What was spent of the burst stays spent.
        mutating func change(_ new: ConnectionRateLimit.Rate, now: Int64) {
            run(to: now)
            missing *= Double(new.burst) / Double(rate.burst)
            rate = new
        }
    }
    private struct Key: Hashable {
        var id: LimitID
        /// Nil: all together.
        var source: IPAddress?
    }

    private unowned let oracle: Oracle
    private var buckets: [Key: Bucket] = [:]
    private var configured: [LimitID: ConnectionRateLimit] = [:]
    /// Limits that were gone: what is known of them depends on who still held them.
    private var uncertain: Set<LimitID> = []

    init(_ oracle: Oracle) { self.oracle = oracle }

    func compiled(_ configuration: EngineConfiguration) {
        var now: [LimitID: ConnectionRateLimit] = [:]
        for listener in configuration.listeners {
            guard case .tcp(let route?) = listener.traffic else { continue }
            for limits in route.limits { now[limits.id] = limits.connectionRate }
        }
        for (id, old) in configured {
            guard let rate = now[id] else {
                uncertain.insert(id)
                continue
            }
            // A rate that comes, or goes, is another matter than one that changes.
            if (old.total == nil) != (rate.total == nil) { buckets[Key(id: id, source: nil)] = nil }
            for key in buckets.keys where key.id == id {
                let new = key.source == nil ? rate.total : rate.perSource
                if let new, new != buckets[key]?.rate { buckets[key]?.change(new, now: oracle.now) }
            }
        }
        configured = now
    }

    func judged(_ limits: ClientLimits, _ source: IPAddress, _ refusal: LimitRefusal?, now: Int64) {
        guard let rate = limits.connectionRate, !uncertain.contains(limits.id) else { return }
        if let perSource = rate.perSource {
            let isAllowed = refusal != .sourceRate
            take(Key(id: limits.id, source: source), perSource, isAllowed, now)
            if !isAllowed { return }
        }
        // What was compiled is in force at once, though a worker may still hold an older level.
        guard let total = configured[limits.id]?.total else { return }
        take(Key(id: limits.id, source: nil), total, refusal != .rate, now)
    }

    private func take(_ key: Key, _ rate: ConnectionRateLimit.Rate, _ isAllowed: Bool, _ now: Int64) {
        var bucket = buckets[key] ?? Bucket(rate: rate, time: now)
        bucket.run(to: now)
        let room = Double(bucket.rate.burst) - bucket.missing - 1
        if abs(room) > 1e-3 {
            oracle.require(
                "rates", isAllowed == (room > 0),
                "\(key.id) \(isAllowed ? "lets in" : "turns away") with \(room + 1) of \(bucket.rate.burst) tokens")
        }
        if isAllowed { bucket.missing += 1 }
        buckets[key] = bucket
    }
}
