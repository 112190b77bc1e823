internal import KubernetesAPI
internal import Observability
internal import Platform
internal import SnapshotCache

/// When a cache on disk stands in for the API server, and when it is written: a value of times, without I/O but for handing
/// over what is to be written. Of the cluster's thread.
final class CacheKeeper {
    /// The API server is given so long since it last said something, and so long in all.
    private static let patience = Duration.seconds(3)
    private static let longestPatience = Duration.seconds(30)
    /// How long what was listed waits for the rest, so that it is seen together.
    private static let gathering = Duration.seconds(10)
    /// Between two writes.
    private static let writeInterval = Duration.seconds(10)
    /// And where nothing changed: so that the file says how long it was true.
    private static let refreshInterval = Duration.seconds(600)

    let texts: ObjectTexts
    private let cache: SnapshotCache
    private let factor: Double
    private let logger: Logger
    private var loaded: RestoredObjects?
    private let start = MonotonicTime.now()
    private var nextWrite = MonotonicTime(nanoseconds: .min)
    private var refresh = MonotonicTime(nanoseconds: .min)
    private var saidGap = false
    /// When all watches were last well, in seconds since 1970.
    private var heardAt = realtimeNanoseconds() / 1_000_000_000
    /// When the first list came while the cache stood in.
    private var firstAnswer: MonotonicTime?

    init(_ options: ClusterSource.Options.Cache, loaded: CachedCluster?, clockFactor: Double, logger: Logger) {
        (cache, factor, self.logger) = (options.cache, clockFactor, logger)
        texts = ObjectTexts(includesSecrets: options.includesSecrets)
        self.loaded = loaded.map { RestoredObjects($0, includesSecrets: options.includesSecrets) }
    }

    // MARK: Standing in

    /// When the cache stands in unless more is heard; nil: there is none to do it.
    func standInTime(lastHeard: MonotonicTime?) -> MonotonicTime? {
        guard loaded != nil else { return nil }
        return min(max(start, lastHeard ?? start) + Self.patience * factor, start + Self.longestPatience * factor)
    }

    /// What stands in from now on; only once. Then it is let go of here.
    func takeLoaded() -> RestoredObjects? {
        defer { loaded = nil }
        return loaded
    }

    /// While the cache stands in: from when on what came is handed over although the rest has not come. Nil: nothing came yet.
    func gatheredTime(hasHeard: Bool, now: MonotonicTime) -> MonotonicTime? {
        if hasHeard, firstAnswer == nil { firstAnswer = now }
        return firstAnswer.map { $0 + Self.gathering * factor }
    }

    // MARK: Writing

    /// Hands over what is to be written. `isHeard`: every watch is well, so that what is known is as of now.
    func step(now: MonotonicTime, isHeard: Bool, kinds: () -> [ResourceKind]) {
        guard writes else { return }
        if isHeard { heardAt = realtimeNanoseconds() / 1_000_000_000 }
        let isDue = texts.isDirty ? nextWrite <= now : isHeard && refresh <= now
        if isDue { write(now: now, kinds()) }
    }

    func deadline(isHeard: Bool) -> MonotonicTime? {
        guard texts.gap == nil else { return nil }
        return texts.isDirty ? nextWrite : isHeard ? refresh : nil
    }

    /// What is still to be written at the end.
    func flush(kinds: () -> [ResourceKind]) {
        if writes, texts.isDirty { write(now: .now(), kinds()) }
    }

    private var writes: Bool {
        guard let gap = texts.gap else { return true }
        if !saidGap { logger.error("the cache is not written any more", ["problem": LogValue(gap)]) }
        saidGap = true
        return false
    }

    private func write(now: MonotonicTime, _ kinds: [ResourceKind]) {
        nextWrite = now + Self.writeInterval * factor
        refresh = now + Self.refreshInterval * factor
        cache.write(texts.take(kinds, origin: cache.origin, asOf: heardAt))
    }
}
