public import Observability
public import Platform
internal import Primitives

/// A folder tree of manifests, or one file: `*.yaml`, `*.yml` and `*.json` with any number of objects each, and
/// `secrets/NAMESPACE/NAME/{tls.crt,tls.key,ca.crt}` as mounted volumes have them. Names that begin with a dot are skipped.
///
/// ``load(_:unknownFields:asOf:)`` reads it once. A source that was started reads it on a thread of its own, again
/// whenever something changes, and hands over each new state; what is broken keeps its last good version and is reported.
public final class ManifestSource: Sendable {
    /// How a started source behaves.
    public struct Options: Sendable {
        /// What an unknown field is.
        public var unknownFields = ManifestProblem.Severity.warning
        /// Quiet that must follow a change before it is read, and the longest that changes may put it off.
        public var quiet = Duration.milliseconds(10)
        public var longestDelay = Duration.milliseconds(50)
        /// Between walks where events cannot be had.
        public var scanInterval = Duration.seconds(5)
        /// How long tls.crt and tls.key of a volume may not match before it is reported.
        public var pairPatience = Duration.seconds(1)

        public init() {}
    }

    private let path: String
    private let options: Options
    private let logger: Logger
    private let makeWatcher: @Sendable () throws(Errno) -> any FileWatcher
    private let wake: EventDescriptor
    private let state = Monitored(State.idle)

    private enum State { case idle, running, stopping, stopped }

    /// `path` is used as it is given, in problems too. Throws when the system has no descriptor left.
    public convenience init(path: String, options: Options = Options(), logger: Logger = .disabled) throws(Errno) {
        try self.init(path: path, options: options, logger: logger) { () throws(Errno) in try Inotify() }
    }

    init(
        path: String, options: Options, logger: Logger,
        makeWatcher: @escaping @Sendable () throws(Errno) -> any FileWatcher
    ) throws(Errno) {
        self.path = path
        self.options = options
        self.logger = logger
        self.makeWatcher = makeWatcher
        wake = try EventDescriptor()
    }

    /// Reads files and folders once, as one set of objects. `asOf` in seconds since 1970. Every problem is in the result;
    /// nothing is logged.
    public static func load(_ paths: [String], unknownFields: ManifestProblem.Severity = .error, asOf: Int64? = nil)
        -> ManifestSnapshot
    {
        var reading = FileReading(unknownFields: unknownFields)
        var problems: [ManifestProblem] = []
        for path in paths {
            let tree = TreeWatch(root: path, watcher: nil, scanInterval: .zero)
            let changes = tree.collect(now: .now())
            problems += changes.problems
            reading.apply(changes, of: tree, now: .now(), patience: nil)
        }
        reading.setTreeProblems(problems)
        return reading.snapshot(asOf: asOf ?? realtimeNanoseconds() / 1_000_000_000).state
    }

    /// Starts the thread. `onChange` is called on it: first with what the folder holds now, then after every change of
    /// objects or problems, and when a certificate begins or ceases to be valid. Each new problem is logged once. Throws
    /// when the system has no thread left. Only the first call counts.
    public func start(onChange: @escaping @Sendable (ManifestSnapshot) -> Void) throws(Errno) {
        guard
            state.update({ state in
                defer { if state == .idle { state = .running } }
                return state == .idle
            })
        else { return }
        do throws(Errno) {
            try Thread(named: "manifests", wiping: true) { [self] in
                SourceLoop(
                    path: path, options: options, logger: logger, wake: wake.raw, makeWatcher: makeWatcher,
                    onChange: onChange
                ).run()
                state.update { $0 = .stopped }
            }.detach()
        } catch {
            state.update { $0 = .stopped }
            throw error
        }
    }

    /// Ends the thread and waits for it: no call of `onChange` comes after. Not to be called from `onChange`.
    public func stop() {
        let wasRunning = state.update { state in
            defer { if state == .running { state = .stopping } }
            return state == .running || state == .stopping
        }
        guard wasRunning else { return }
        wake.signal()
        _ = state.wait { $0 == .stopped ? true : nil }
    }
}
