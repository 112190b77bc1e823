internal import Platform

/// Whether this replica may write to the API server now. Safe to use from any thread. It ends by itself at a time known
/// beforehand: who asks gets a true answer even when the thread of the election hangs.
public final class Leadership: Sendable {
    private struct State {
        var validUntil: MonotonicTime?
        var isLeader = false
        var gains: UInt64 = 0
        var observers: [@Sendable () -> Void] = []
    }

    private let state = Locked(State())

    init() {}

    /// For an installation of one replica, which needs no election.
    public static func always() -> Leadership {
        let leadership = Leadership()
        leadership.update(validUntil: MonotonicTime(nanoseconds: .max))
        return leadership
    }

    public var isLeader: Bool { state.withLock { state in state.validUntil.map { MonotonicTime.now() < $0 } ?? false } }

    /// How often this replica became the leader.
    public var gains: UInt64 { state.withLock { $0.gains } }

    /// Calls `body` whenever leadership was won or lost, from the thread of the election: it only wakes somebody.
    func onChange(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.observers.append(body) } }

    /// Returns whether that won or lost it.
    @discardableResult
    func update(validUntil: MonotonicTime?) -> Bool {
        let observers = state.withLock { state in
            // It may have ended by itself, and somebody may have seen that, before this thread came to say so.
            let hasLapsed = state.validUntil.map { $0 <= .now() } ?? false
            state.validUntil = validUntil
            let isLeader = validUntil != nil
            guard isLeader != state.isLeader || (isLeader && hasLapsed) else {
                return nil as [@Sendable () -> Void]?
            }
            state.isLeader = isLeader
            if isLeader { state.gains += 1 }
            return state.observers
        }
        for observer in observers ?? [] { observer() }
        return observers != nil
    }
}
