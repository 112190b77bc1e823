internal import EngineModel
internal import Platform

/// Since when this replica knows the keys of tickets, and with that what its engine may do with them: it opens tickets with every
/// key at once, and seals only with one that it has known for ``delay``, because by then the others know it too. A machine
/// without clock.
struct TicketAcquaintance {
    /// How long a key is known before tickets are sealed with it: news of a Secret takes far less.
    static let delay = Duration.seconds(60)

    private let delay: Duration
    private(set) var keys: TicketKeySet?
    private var since: [TicketKey: MonotonicTime] = [:]

    init(delay: Duration = TicketAcquaintance.delay) { self.delay = delay }

    /// The keys are these from now on. What is among them no more is forgotten at once.
    mutating func take(_ keys: TicketKeySet, now: MonotonicTime) {
        let known = since
        since = Dictionary(keys.keys.map { ($0, known[$0] ?? now) }) { first, _ in first }
        self.keys = keys
    }

    /// Nil: nothing is known of any keys.
    func ring(now: MonotonicTime) -> TicketKeyRing? {
        guard let keys else { return nil }
        // A key that comes to seal is known by everybody; until then that goes on which was sealed with before.
        let candidates = [keys.current, keys.previous].compactMap { $0 }
        let sealing = candidates.first { isKnown($0, now: now) }
        return TicketKeyRing(keys: keys.keys, sealing: sealing.flatMap { keys.keys.firstIndex(of: $0) })
    }

    /// When ``ring(now:)`` changes by itself; nil: it does not.
    func wakeTime(after now: MonotonicTime) -> MonotonicTime? {
        guard let keys else { return nil }
        return [keys.current, keys.previous].compactMap { $0.flatMap { since[$0] } }.map { $0 + delay }
            .filter { $0 > now }.min()
    }

    private func isKnown(_ key: TicketKey, now: MonotonicTime) -> Bool { since[key].map { now >= $0 + delay } ?? false }
}
