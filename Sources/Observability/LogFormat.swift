/// How log lines look. The raw values are those of `--log-format`.
public enum LogFormat: String, CaseIterable, Hashable, Sendable {
    /// Text on a terminal, JSON elsewhere.
    case auto
    /// `2026-01-02T03:04:05.678Z INFO  listener bound listener=db port=5432`
    case text
    /// One object per line: `time` (RFC 3339, UTC, milliseconds), `level`, `message`, then the fields.
    case json

    /// `auto` decided: never `auto`.
    public func resolved(isTerminal: Bool) -> LogFormat {
        self == .auto ? (isTerminal ? .text : .json) : self
    }
}
