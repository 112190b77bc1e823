public import Observability

/// How a ``SnapshotCache`` does, for metrics and /readyz.
public struct CacheStatus: Sendable {
    /// What came of reading the file at start.
    public enum Load: Hashable, Sendable {
        case notTried
        case absent
        case refused(String)
        /// Seconds since 1970 at which what was read was known to be so.
        case loaded(asOf: Int64)
    }

    public internal(set) var load = Load.notTried
    public internal(set) var written: UInt64 = 0
    public internal(set) var failed: UInt64 = 0
    /// Why the last attempt to write failed; nil: it did not.
    public internal(set) var problem: String?
    /// When the file was last written, in nanoseconds since 1970; nil: not by this process.
    public internal(set) var lastWrite: Int64?
    /// Of the file that was last written or read.
    public internal(set) var bytes = 0
    public internal(set) var objects = 0
    /// To make it and to have it on the disk.
    public internal(set) var durations = DurationHistogram()

    init() {}
}

extension PrometheusText {
    /// The families of a cache. `serving`: whether what is served comes out of it.
    public mutating func append(_ cache: CacheStatus, serving: Bool) {
        single(.cacheServing, serving ? 1 : 0)
        family(.cacheLoads) { family in
            let result =
                switch cache.load {
                case .notTried: ""
                case .absent: "absent"
                case .refused: "refused"
                case .loaded: "ok"
                }
            for name in ["ok", "absent", "refused"] { family.sample(LabelSet(["result": name]), name == result) }
        }
        if case .loaded(let asOf) = cache.load { single(.cacheLoadedTime, double: Double(asOf)) }
        family(.cacheWrites) {
            $0.sample(LabelSet(["result": "ok"]), cache.written)
            $0.sample(LabelSet(["result": "error"]), cache.failed)
        }
        family(.cacheWriteDuration) { $0.histogram(.empty, cache.durations) }
        if let time = cache.lastWrite {
            family(.cacheLastWrite) { $0.sample(.empty, nanoseconds: UInt64(max(0, time))) }
        }
        single(.cacheSize, UInt64(clamping: cache.bytes))
    }
}
