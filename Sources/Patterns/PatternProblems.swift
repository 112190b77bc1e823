/// What is wrong with a set of patterns. Remembers those of the last call, so that each is compiled once while somebody has it.
/// Used by one thread.
public struct PatternProblems: Sendable {
    private var known: [String: PatternProblem?] = [:]

    public init() {}

    /// By pattern, RE2's words on those that cannot be used.
    public mutating func of(_ patterns: some Sequence<String>) -> [String: String] {
        var now: [String: PatternProblem?] = [:]
        for pattern in patterns where now.index(forKey: pattern) == nil {
            now[pattern] = known[pattern] ?? PatternProblems.problem(of: pattern)
        }
        known = now
        return now.compactMapValues { $0?.message }
    }

    private static func problem(of pattern: String) -> PatternProblem? {
        do throws(PatternProblem) {
            _ = try Pattern(pattern)
            return nil
        } catch {
            return error
        }
    }
}
