internal import EngineModel

/// The keys of session tickets that the replicas of an installation share, as their Secret has them: a value without clock,
/// I/O or randomness. A key is made long before it seals, so that every replica knows it by then, and opens for as long again
/// afterwards. Prints no key.
struct TicketKeySet: Hashable, Sendable {
    /// Seals after the next rotation.
    var next: TicketKey
    var current: TicketKey
    /// Sealed before the last rotation; nil: there was none yet.
    var previous: TicketKey?
    /// When ``current`` became that, in seconds since 1970; 0: not known.
    var rotatedAt: Int64

    /// The first keys of an installation. `makeKey` gives another one each time.
    static func fresh(at now: Int64, makeKey: () -> TicketKey) -> TicketKeySet {
        TicketKeySet(next: makeKey(), current: makeKey(), previous: nil, rotatedAt: now)
    }

    /// The set after a rotation at `now`, with a new `next`.
    func rotated(at now: Int64, next: TicketKey) -> TicketKeySet {
        TicketKeySet(next: next, current: self.next, previous: current, rotatedAt: now)
    }

    /// Seconds between two rotations for tickets that live so long: half of that, but never less than 2 minutes, so that a key
    /// is known for longer than ``TicketAcquaintance/delay`` before it seals.
    static func period(lifetime: Duration) -> Int64 {
        max(120, lifetime.components.seconds / 2)
    }

    /// Whether it is time to rotate, at `now` in seconds since 1970. A rotation that lies more than a period ahead was stamped by
    /// a clock that went wrong, and counts for nothing.
    func isDue(at now: Int64, period: Int64) -> Bool {
        now >= rotatedAt + period || rotatedAt > now + period
    }

    /// The one that seals comes first.
    var keys: [TicketKey] { [current, next] + [previous].compactMap { $0 } }
}
