internal import EngineCore
internal import EngineModel
internal import Platform

/// Which of a limit's sources are counted together. Other prefixes make other sources: their counts begin anew, and the old
/// ones are given back where they were taken.
struct SourcesKey: Hashable, Sendable {
    var id: LimitID
    var source: SourcePrefix
}

/// One table of sources in parts, each behind a lock, so that workers seldom meet at one. Which part has a source, and where
/// in it, follows a hash with a key of the process: nobody can choose addresses that fill one.
private struct SourceParts<Part>: Sendable {
    private static var count: Int { 16 }
    private let parts: [Locked<Part>]

    init(_ make: () -> sending Part) { parts = (0..<SourceParts.count).map { _ in Locked(make()) } }

    func with<Result>(_ key: SourceKey, _ body: (inout Part) -> Result) -> Result {
        // The table uses the hash's low bits.
        parts[Int(UInt(bitPattern: key.hashValue) >> (UInt.bitWidth - 4))].withLock(body)
    }

    func forEach(_ body: (inout Part) -> Void) {
        for part in parts { part.withLock(body) }
    }
}

/// Open connections of each source under one limit. There are no more sources in it than connections in the process.
final class SourceCounts: Sendable {
    private final class Part {
        var table = SourceTable(limit: .max)
    }
    private let parts = SourceParts { Part() }

    func take(_ key: SourceKey, atMost most: Int) -> Bool {
        parts.with(key) { $0.table.open(key, atMost: most) == .admitted }
    }

    func giveBack(_ key: SourceKey) { parts.with(key) { $0.table.close(key) } }

    /// Sources that have a connection.
    var count: Int {
        var sum = 0
        parts.forEach { sum += $0.table.count }
        return sum
    }
}

/// Rates of new connections of each source under one limit. What it knows of at once is bounded; a source that finds no room is
/// refused, as nothing could be held against it.
final class SourceRates: Sendable {
    /// Sources that have spent something, 24–48 bytes each.
    static let limit = 1 << 18

    private final class Part {
        var table = SourceTable(limit: SourceRates.limit / 16)
        /// The newest table's.
        var bucket: TokenBucket?
    }
    private let parts = SourceParts { Part() }

    /// What the rate of each is from now on; of what was spent the same share stays spent.
    func setRate(_ rate: ConnectionRateLimit.Rate, now: MonotonicTime) {
        let bucket = TokenBucket(rate)
        parts.forEach { part in
            if let old = part.bucket, old != bucket {
                part.table.convert { bucket.state($0, of: old, now: now.nanoseconds) }
            }
            part.bucket = bucket
        }
    }

    /// Takes one new connection at `now` (monotonic nanoseconds).
    func take(_ key: SourceKey, now: Int64) -> SourceAdmission {
        parts.with(key) { part in
            guard let bucket = part.bucket else { return .admitted }
            return part.table.take(key, from: bucket, now: now)
        }
    }

    var count: Int {
        var sum = 0
        parts.forEach { sum += $0.table.count }
        return sum
    }
}
