/// Whether a source may open another connection.
public enum SourceAdmission: Hashable, Sendable {
    case admitted
    /// The source has all it may have.
    case over
    /// The source is not known and the table has no room to note it: refused, as nothing could be held against it later.
    case noRoom
}

extension SourceTable {
    /// Slots that are searched for buckets that have filled up: at a source that is new, and where the table is at its limit.
    private static let usualSearch = 4
    private static let limitSearch = 64

    /// Counts one more open connection of a source, of at most `most`.
    public mutating func open(_ key: SourceKey, atMost most: Int) -> SourceAdmission {
        let count = value(of: key)
        guard count < most else { return .over }
        return set(key, to: count + 1) ? .admitted : .noRoom
    }

    /// Takes back one ``open(_:atMost:)``; the last one forgets the source.
    public mutating func close(_ key: SourceKey) {
        let count = value(of: key)
        assert(count > 0, "a connection was closed that was never counted")
        // Never makes room: the source is there, or nothing is done.
        if count > 0 { _ = set(key, to: count - 1) }
    }

    /// Takes one connection from the bucket of a source at `now` (monotonic nanoseconds).
    public mutating func take(_ key: SourceKey, from bucket: TokenBucket, now: Int64) -> SourceAdmission {
        let state = value(of: key)
        let next = bucket.step(state, now: now)
        guard next.isAllowed else { return .over }
        if state == TokenBucket.full {
            let search = count < limit ? SourceTable.usualSearch : SourceTable.limitSearch
            reclaim(upTo: bucket.fullMark(now: now), slots: search)
        }
        return set(key, to: next.state) ? .admitted : .noRoom
    }
}
