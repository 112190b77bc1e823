internal import Platform

/// One log line before it is formatted.
public struct LogEntry: Sendable {
    /// Nanoseconds since 1970, UTC.
    public let time: Int64
    public let level: Logger.Level
    public let message: String
    public let fields: [(key: String, value: LogValue)]

    /// The first field of that name, as a line of text would show it without its quotes.
    public func text(_ key: String) -> String? {
        guard let value = fields.first(where: { $0.key == key })?.value else { return nil }
        if case .string(let text) = value.kind { return text }
        var bytes: [UInt8] = []
        value.appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What was logged, in memory and at once: for tests.
public final class MemoryLog: Sendable {
    private let stored = Monitored<[LogEntry]>([])

    public init() {}

    public var entries: [LogEntry] { stored.wait { $0 as [LogEntry]? } ?? [] }

    /// The entries in the text format.
    public var text: String {
        let line = LogLine(format: .text, colours: false)
        return String(decoding: entries.flatMap { line.render($0) }, as: UTF8.self)
    }

    /// Waits for the first entry that satisfies `condition`; nil when none came within `timeout`.
    public func waitForEntry(
        timeout: Duration = .seconds(10), where condition: (LogEntry) -> Bool
    ) -> LogEntry? {
        stored.wait(until: .now() + timeout) { $0.first(where: condition) }
    }

    func append(_ entry: LogEntry) { stored.update { $0.append(entry) } }
}
