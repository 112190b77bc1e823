internal import KubernetesAPI
internal import Observability
internal import Platform
internal import Primitives

/// The thread of a ``ManifestSource``: waits for changes, gathers them, reads, and hands over.
final class SourceLoop {
    /// Between two looks at the wall clock, which may be set.
    private static let clockInterval = Duration.seconds(5)

    private let options: ManifestSource.Options
    private let logger: Logger
    private let wake: Int32
    private let onChange: @Sendable (ManifestSnapshot) -> Void
    private let watcher: (any FileWatcher)?
    private let tree: TreeWatch
    private var reading: FileReading
    private var published: ManifestSnapshot?
    private var reportedDegradation = false
    private var namedKinds: Set<UnknownKind> = []

    init(
        path: String, options: ManifestSource.Options, logger: Logger, wake: Int32,
        makeWatcher: () throws(Errno) -> any FileWatcher, onChange: @escaping @Sendable (ManifestSnapshot) -> Void
    ) {
        self.options = options
        self.logger = logger
        self.wake = wake
        self.onChange = onChange
        var missing: Errno?
        var made: (any FileWatcher)?
        do throws(Errno) { made = try makeWatcher() } catch { missing = error }
        watcher = made
        tree = TreeWatch(root: path, watcher: made, missing: missing, scanInterval: options.scanInterval)
        reading = FileReading(unknownFields: options.unknownFields)
    }

    func run() {
        refresh(patience: nil)
        while wait() { refresh(patience: options.pairPatience) }
    }

    /// Reads what changed, and publishes if that changes anything.
    private func refresh(patience: Duration?) {
        let now = MonotonicTime.now()
        if let scan = tree.nextScan, scan <= now { tree.scan() }
        if tree.hasWork { reading.apply(tree.collect(now: now), of: tree, now: now, patience: patience) }
        if let patience { reading.reviewHeld(of: tree, now: now, patience: patience) }
        reportDegradation()
        let asOf = realtimeNanoseconds() / 1_000_000_000
        let (next, objectsChanged) = reading.snapshot(asOf: asOf)
        if let published, !objectsChanged, !published.snapshot.validityDiffers(at: asOf),
            next.problems == published.problems, next.unknownKinds == published.unknownKinds
        {
            return
        }
        log(next)
        published = next
        onChange(next)
    }

    /// Waits for something to do; false when the source is to stop.
    private func wait() -> Bool {
        let descriptors = [wake] + (watcher.map { [$0.raw] } ?? [])
        // One moment for all rounds: events that do not matter may come without an end.
        let end = deadline
        while true {
            do throws(Errno) {
                let ready = try pollReadable(descriptors, timeout: end.map { max(.zero, $0 - .now()) })
                if ready.contains(0) { return false }
                if ready.isEmpty { return true }
                if tree.takeEvents() { return try gather(descriptors) }
                if let end, end <= .now() { return true }
            } catch {
                logger.error("cannot wait for changes of manifests", ["error": LogValue(error.description)])
                tree.scan()
                _ = try? pollReadable([wake], timeout: options.scanInterval)
                return true
            }
        }
    }

    /// Lets a burst of changes end: some quiet, but not for ever.
    private func gather(_ descriptors: [Int32]) throws(Errno) -> Bool {
        let end = MonotonicTime.now() + options.longestDelay
        while true {
            let left = end - .now()
            guard left > .zero else { return true }
            let ready = try pollReadable(descriptors, timeout: min(options.quiet, left))
            if ready.contains(0) { return false }
            if ready.isEmpty { return true }
            _ = tree.takeEvents()
        }
    }

    /// When there is something to do that no event announces: a walk, a pair that was given time, a certificate's date.
    private var deadline: MonotonicTime? {
        var moments = [tree.nextScan, reading.nextReview(patience: options.pairPatience)].compactMap { $0 }
        if let snapshot = published?.snapshot, snapshot.dependsOnTime {
            // The wall clock may be set, either way: it is looked at now and then.
            let (nanoseconds, isFar) = (snapshot.nextValidityChange ?? .max)
                .multipliedReportingOverflow(by: 1_000_000_000)
            let delay = Duration.nanoseconds(isFar ? .max : nanoseconds - realtimeNanoseconds())
            moments.append(.now() + min(Self.clockInterval, max(.milliseconds(1), delay)))
        }
        return moments.min()
    }

    private func reportDegradation() {
        guard let error = tree.degraded else {
            if reportedDegradation { logger.info("manifests are watched again") }
            reportedDegradation = false
            return
        }
        guard !reportedDegradation else { return }
        reportedDegradation = true
        let hint =
            error == .noSpace
            ? "fs.inotify.max_user_watches" : error == .tooManyOpenFiles ? "fs.inotify.max_user_instances" : ""
        logger.warning(
            "manifests cannot be watched, they are scanned instead",
            [
                "error": LogValue(error.description), "raise": LogValue(hint),
                "interval": LogValue(options.scanInterval),
            ])
    }

    private func log(_ next: ManifestSnapshot) {
        let known = Set(published?.problems ?? [])
        for problem in next.problems where !known.contains(problem) {
            logger.log(
                problem.severity == .error ? .error : .warning, "problem in a manifest",
                [
                    "file": LogValue(problem.file), "line": LogValue(problem.line),
                    "object": LogValue(problem.object ?? ""), "field": LogValue(problem.field),
                    "problem": LogValue(problem.message),
                ])
        }
        for (kind, file) in next.unknownKinds.sorted(by: { $0.key < $1.key }) where namedKinds.insert(kind).inserted {
            logger.warning(
                "kind is not read and skipped",
                ["apiVersion": LogValue(kind.apiVersion), "kind": LogValue(kind.kind), "file": LogValue(file)])
        }
    }
}
