import Glibc
import Platform

/// What went wrong, whoever saw it; peers and clients are many threads.
final class Verdict: Sendable {
    private struct State {
        var title = ""
        var violations: [String] = []
    }
    private let state = Locked(State())

    /// What runs now goes before each violation.
    func begin(_ title: String) { state.withLock { $0.title = title } }

    func violated(_ what: String) {
        let line = state.withLock { state in
            state.violations.append("\(state.title): \(what)")
            return state.violations.last ?? ""
        }
        say("VIOLATION \(line)")
    }

    var violations: [String] { state.withLock { $0.violations } }

    /// Checks; `false` is a violation.
    func expect(_ holds: Bool, _ what: @autoclosure () -> String) { if !holds { violated(what()) } }
}

/// A line that is seen also where the next thing is a crash.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
