internal import Glibc
internal import Platform

/// Polls `condition` each millisecond until it holds; false where `deadline` passed first. Blocks the thread.
public func waitUntil(deadline: Duration = .seconds(5), _ condition: () throws -> Bool) rethrows -> Bool {
    let end = MonotonicTime.now() + deadline
    while true {
        if try condition() { return true }
        guard MonotonicTime.now() < end else { return false }
        usleep(1000)
    }
}

/// A closure on a thread of its own, so that blocking work does not hold up the test runner's pool.
public final class BackgroundWork<Value: Sendable>: Sendable {
    private let result = Monitored<Result<Value, any Error>?>(nil)

    /// Starts at once.
    public init(_ body: @escaping @Sendable () throws -> Value) throws {
        let result = result
        let thread = try Thread(named: "test-work") {
            let outcome = Result { try body() }
            result.update { $0 = outcome }
        }
        thread.detach()
    }

    /// Waits for its end.
    public func value(timeout: Duration = .seconds(60)) throws -> Value {
        guard let outcome = result.wait(until: .now() + timeout, { $0 }) else {
            throw TestFailure("background work did not end within \(timeout)")
        }
        return try outcome.get()
    }
}
