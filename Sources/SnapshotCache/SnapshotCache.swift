public import Observability
public import Platform

/// The last configuration that was read, on disk. Reading is done by whoever asks; writing by a thread of its own, the
/// newest state alone, and again where it failed. Safe to use from any thread.
public final class SnapshotCache: Sendable {
    public struct Options: Sendable {
        public var directory: String
        /// Seals what is written, and is all that opens what is read; nil: a checksum alone.
        public var keyFile: String?
        /// What is older is not read; nil: any age will do.
        public var maxAge: Duration?
        public var origin: CachedCluster.Origin
        /// Pauses are multiplied by it: for tests.
        public var clockFactor = 1.0

        public init(directory: String, origin: CachedCluster.Origin) {
            (self.directory, self.origin) = (directory, origin)
        }
    }

    private struct Work {
        var waiting: CachedCluster?
        var closing = false
        var ended = true
    }

    /// Between two attempts to write where they fail: doubled up to the longest.
    private static let firstPause = Duration.seconds(5)
    private static let longestPause = Duration.seconds(60)
    /// How long the end waits for what is still to be written.
    private static let patience = Duration.seconds(5)

    private let options: Options
    private let logger: Logger
    private let work = Monitored(Work())
    private let published = Locked(CacheStatus())

    public init(_ options: Options, logger: Logger) { (self.options, self.logger) = (options, logger) }

    public var status: CacheStatus { published.withLock { $0 } }
    public var origin: CachedCluster.Origin { options.origin }

    /// What the file holds; nil, with a line in the log, where there is none that may be believed.
    public func load() -> CachedCluster? {
        do throws(CacheProblem) {
            let (cluster, size) = try read()
            published.withLock { status in
                status.load = .loaded(asOf: cluster.asOf)
                (status.bytes, status.objects) = (size, cluster.objectCount)
            }
            logger.info(
                "the cache was read",
                [
                    "directory": LogValue(options.directory), "objects": LogValue(cluster.objectCount),
                    "bytes": LogValue(size), "age": LogValue(ageText(wallSeconds() - cluster.asOf)),
                ])
            return cluster
        } catch {
            let isAbsent = error == .absent
            published.withLock { $0.load = isAbsent ? .absent : .refused(error.description) }
            let fields: KeyValuePairs<String, LogValue> = [
                "directory": LogValue(options.directory), "problem": LogValue(error.description),
            ]
            if isAbsent {
                logger.info("there is no cache yet", fields)
            } else {
                logger.error("the cache is not read, as if there were none", fields)
            }
            return nil
        }
    }

    private func read() throws(CacheProblem) -> (cluster: CachedCluster, size: Int) {
        let keys = try readKeys()
        let file = try CacheDirectory(options.directory).read()
        let cluster = try CacheFile.open(file, keys: keys)
        guard cluster.origin == options.origin else { throw .otherOrigin(cluster.origin) }
        let age = wallSeconds() - cluster.asOf
        if let maxAge = options.maxAge, .seconds(age) > maxAge { throw .tooOld(seconds: age) }
        return (cluster, file.count)
    }

    /// Read each time: what mounts a Secret replaces the file.
    private func readKeys() throws(CacheProblem) -> CacheKeys? {
        guard let path = options.keyFile else { return nil }
        return try CacheKeys(reading: path)
    }

    /// Starts the thread that writes. Call once.
    public func start() throws(Errno) {
        work.update { $0.ended = false }
        do throws(Errno) {
            try Thread(named: "cache", yielding: 10, wiping: true) { [self] in
                run()
                work.update { $0.ended = true }
            }.detach()
        } catch {
            work.update { $0.ended = true }
            throw error
        }
    }

    /// Hands over what is to be written; it takes the place of what was handed over before and is not written yet.
    public func write(_ cluster: CachedCluster) { work.update { $0.waiting = cluster } }

    /// Ends the thread, after what waits was tried once.
    public func close() {
        work.update { $0.closing = true }
        if work.wait(until: .now() + Self.patience, { $0.ended ? true : nil }) == nil {
            logger.warning("the cache is still being written at the end")
        }
    }

    private func run() {
        // Kept as long as it works: nobody else writes meanwhile.
        var directory: CacheDirectory?
        var failures = 0
        while true {
            let next = work.wait { work -> CachedCluster?? in
                if let cluster = work.waiting {
                    work.waiting = nil
                    return .some(cluster)
                }
                return work.closing ? .some(nil) : nil
            }
            guard let cluster = next ?? nil else { return }
            let begun = MonotonicTime.now()
            do throws(CacheProblem) {
                let file = try CacheFile.seal(cluster, key: try readKeys()?.keys.first)
                if directory == nil {
                    let opened = try CacheDirectory(options.directory)
                    try opened.lock()
                    directory = consume opened
                }
                try directory?.write(file)
                failures = 0
                succeeded(cluster, size: file.count, took: .now() - begun)
            } catch {
                directory = nil
                failed(error)
                let pause = min(Self.longestPause, Self.firstPause * (1 << min(failures, 10))) * options.clockFactor
                failures += 1
                let isClosing = work.update { work in
                    // Something newer may have come; else it is this that is written once it can be.
                    work.waiting = work.waiting ?? cluster
                    return work.closing
                }
                if isClosing { return }
                _ = work.wait(until: .now() + pause) { $0.closing ? true : nil }
            }
        }
    }

    private func succeeded(_ cluster: CachedCluster, size: Int, took: Duration) {
        let wasFailing = published.withLock { status in
            defer { status.problem = nil }
            status.written += 1
            status.lastWrite = realtimeNanoseconds()
            (status.bytes, status.objects) = (size, cluster.objectCount)
            status.durations.record(took)
            return status.problem != nil
        }
        let fields: KeyValuePairs<String, LogValue> = [
            "objects": LogValue(cluster.objectCount), "bytes": LogValue(size), "took": LogValue(took),
        ]
        logger.log(wasFailing ? .info : .debug, wasFailing ? "the cache is written again" : "cache written", fields)
    }

    /// Says each problem once.
    private func failed(_ problem: CacheProblem) {
        let isNew = published.withLock { status in
            defer { status.problem = problem.description }
            // A process that was taken over from may drain for long: that is no failure.
            if problem != .inUse { status.failed += 1 }
            return status.problem != problem.description
        }
        guard isNew else { return }
        logger.log(
            problem == .inUse ? .warning : .error, "the cache cannot be written, the file that is there stays",
            ["directory": LogValue(options.directory), "problem": LogValue(problem.description)])
    }
}

private func wallSeconds() -> Int64 { realtimeNanoseconds() / 1_000_000_000 }
