internal import Platform
internal import Testing

/// What the programs of the running test wrote, so that a failure can show it. One test runs at a time.
enum Journal {
    private struct Entry { weak var program: Program? }
    private struct State {
        var running: [Entry] = []
        var ended: [String] = []
        var isShown = false
    }
    private static let state = Locked(State())

    static func started(_ program: Program) { state.withLock { $0.running.append(Entry(program: program)) } }
    static func ended(_ transcript: String) { state.withLock { $0.ended.append(transcript) } }
    static func clear() { state.withLock { $0 = State() } }

    /// Everything once; nothing more until the next test.
    static func take() -> String? {
        let (programs, ended) = state.withLock { state -> ([Program], [String]) in
            guard !state.isShown else { return ([], []) }
            state.isShown = true
            return (state.running.compactMap(\.program), state.ended.suffix(6))
        }
        let texts = ended + programs.map(\.transcript)
        return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }
}

/// Adds what the test's programs wrote to its first failure.
struct ShowsPrograms: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        if testCase != nil { Journal.clear() }
        try await function()
    }
}

extension Trait where Self == IssueHandlingTrait {
    static var showingPrograms: Self {
        compactMapIssues { issue in
            var issue = issue
            if let text = Journal.take() { issue.comments.append(Comment(rawValue: text)) }
            return issue
        }
    }
}

/// Tests of the whole process with real peers. They run one at a time: load is part of what they look at.
@Suite(.serialized, ShowsPrograms(), .showingPrograms)
enum Process {}
