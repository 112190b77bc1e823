public import EngineModel

/// What can be wrong with traffic, in words that are the same wherever they are shown: explanation, status page, `check`,
/// documentation. One for each ``CloseReason`` that is no orderly end, by its name.
public struct Cause: Codable, Hashable, Sendable {
    /// Of the close reason; of ``details``: what `close_detail` begins with.
    public var name: String
    /// One sentence: what happened, from the connection's point of view.
    public var meaning: String
    /// One sentence: where to look, what to do.
    public var advice: String

    public init(name: String, meaning: String, advice: String) {
        (self.name, self.meaning, self.advice) = (name, meaning, advice)
    }

    /// The words of a reason; nil for an orderly end.
    public static func of(_ reason: CloseReason) -> Cause? { table[reason] }

    /// The words of a reason where more is known: `detail` as the access log's `close_detail` has it, or as the label
    /// `result` of `sluice_tls_handshakes_total`. The name stays the reason's.
    public static func of(_ reason: CloseReason, detail: String?) -> Cause? {
        guard var cause = table[reason] else { return nil }
        guard reason == .tlsError, let detail else { return cause }
        let label = detail.prefix { $0 != ":" }
        guard let known = details.first(where: { $0.name == label }) else { return cause }
        (cause.meaning, cause.advice) = (known.meaning, known.advice)
        return cause
    }

    /// The words of a reason by its name, as metrics and logs have it; nil for an orderly end, and for what is no reason.
    public static func named(_ name: String) -> Cause? { CloseReason(rawValue: name).flatMap { of($0) } }

    /// Every cause, in the order of ``CloseReason``.
    public static let all: [Cause] = CloseReason.allCases.compactMap { table[$0] }

    private static let table: [CloseReason: Cause] = Dictionary(
        (timeouts + backends + beforeRoutes + policies + lifecycle).map { reason, meaning, advice in
            (reason, Cause(name: reason.rawValue, meaning: meaning, advice: advice))
        }, uniquingKeysWith: { first, _ in first })

    typealias Words = (reason: CloseReason, meaning: String, advice: String)
}
