public import EngineModel

/// What can be wrong with traffic, in words that are the same wherever they are shown: explanation, status page, `check`,
/// documentation. One for each ``CloseReason`` that is no orderly end, by its name.
public struct Cause: Codable, Hashable, Sendable {
    /// Of the close reason.
    public var name: String
    /// One sentence: what happened, from the connection's point of view.
    public var meaning: String
    /// One sentence: where to look, what to do.
    public var advice: String

    public init(name: String, meaning: String, advice: String) {
        (self.name, self.meaning, self.advice) = (name, meaning, advice)
    }

    /// The words of a reason; nil for an orderly end.
    public static func of(_ reason: CloseReason) -> Cause? { nil }
}
