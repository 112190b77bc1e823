public import Platform

/// Structured log lines: a constant message, and the values as fields. Safe to use from any thread. The line is formatted
/// by the caller and written by a thread of its own; a full queue drops lines (counted, and reported once there is space)
/// rather than make the caller wait.
public final class Logger: Sendable {
    /// Raw values are those of `--log-level` and of the field `level`.
    public enum Level: String, CaseIterable, Comparable, Hashable, Sendable {
        case debug
        case info
        case warning
        case error

        public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }
    }

    /// Discards everything.
    public static let disabled = Logger(minimumLevel: .error, output: .nothing, bound: [])

    /// Lines below it are not written.
    public let minimumLevel: Level
    private let output: LogOutput
    private let bound: [(key: String, value: LogValue)]

    init(minimumLevel: Level, output: LogOutput, bound: [(key: String, value: LogValue)]) {
        (self.minimumLevel, self.output, self.bound) = (minimumLevel, output, bound)
    }

    /// Writes to standard error. Starts the writing thread; throws when the system has no thread left.
    public convenience init(format: LogFormat = .auto, minimumLevel: Level = .info) throws(Errno) {
        let isTerminal = StandardStream.error.isTerminal
        let line = LogLine(
            format: format.resolved(isTerminal: isTerminal),
            colours: isTerminal && (Host.environment("NO_COLOR") ?? "").isEmpty)
        let writer = try LogWriter(line: line) { try StandardStream.error.write($0) }
        self.init(minimumLevel: minimumLevel, output: .writer(writer), bound: [])
    }

    /// Keeps entries in memory instead of writing them: for tests.
    public convenience init(recordingTo log: MemoryLog, minimumLevel: Level = .debug) {
        self.init(minimumLevel: minimumLevel, output: .memory(log), bound: [])
    }

    /// The same log with fields that every line of the result carries first.
    public func with(_ fields: KeyValuePairs<String, LogValue>) -> Logger {
        Logger(minimumLevel: minimumLevel, output: output, bound: bound + fields.map { (key: $0.key, value: $0.value) })
    }

    /// Whether a line of this level would be written; for callers whose fields are costly before they are fields.
    public func isEnabled(_ level: Level) -> Bool {
        if case .nothing = output { false } else { level >= minimumLevel }
    }

    /// Writes one line. `message` is a constant sentence without a full stop; `fields` are evaluated only when the level is on.
    public func log(
        _ level: Level, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) {
        guard isEnabled(level) else { return }
        let entry = LogEntry(
            time: realtimeNanoseconds(), level: level, message: message(),
            fields: bound + fields().map { (key: $0.key, value: $0.value) })
        switch output {
        case .nothing: break
        case .memory(let log): log.append(entry)
        case .writer(let writer): writer.write(entry)
        }
    }

    public func debug(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.debug, message(), fields()) }

    public func info(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.info, message(), fields()) }

    public func warning(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.warning, message(), fields()) }

    public func error(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
    ) { log(.error, message(), fields()) }

    /// Lines that were dropped since the start: a full queue, or a stream that refused them.
    public var droppedLines: UInt64 {
        if case .writer(let writer) = output { writer.queue.dropped } else { 0 }
    }

    /// Waits until every line logged before is written; false when that took longer than `timeout`. Call before exiting.
    @discardableResult
    public func flush(timeout: Duration = .seconds(2)) -> Bool {
        guard case .writer(let writer) = output else { return true }
        return writer.queue.waitUntilWritten(until: .now() + timeout)
    }
}

/// Where entries go.
enum LogOutput: Sendable {
    case nothing
    case memory(MemoryLog)
    case writer(LogWriter)
}

/// Owns the queue and its thread, which ends after the last line once the last logger is gone.
final class LogWriter: Sendable {
    let queue: LogQueue
    private let line: LogLine

    init(
        line: LogLine, limits: LogQueue.Limits = .init(), write: @escaping @Sendable ([UInt8]) throws -> Void
    ) throws(Errno) {
        let queue = LogQueue(limits: limits)
        (self.queue, self.line) = (queue, line)
        try Thread(named: "log") {
            queue.run(write: write) { count in
                line.render(
                    LogEntry(
                        time: realtimeNanoseconds(), level: .warning, message: "log lines dropped",
                        fields: [(key: "count", value: LogValue(count))]))
            }
        }.detach()
    }

    deinit { queue.close() }

    func write(_ entry: LogEntry) { queue.append(line.render(entry)) }
}
