internal import Platform
internal import Primitives

/// Growing waits with jitter.
struct BackOff {
    private var random: SplitMix64
    var first: Duration = .milliseconds(250)
    var longest: Duration = .seconds(60)

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// For the `attempt`-th failure in a row, from 1: doubling, between half of it and the whole, and not less than `floor`.
    mutating func wait(_ attempt: Int, floor: Duration? = nil) -> Duration {
        let doubled = first * Double(1 << min(max(attempt - 1, 0), 20))
        let wait = min(doubled, longest) * (0.5 + 0.5 * random.fraction())
        return max(wait, floor ?? .zero)
    }
}

/// How many requests may be on their way: halved when the server says that it is too much, grown again by successes.
struct RequestWindow {
    let largest: Int
    private(set) var size: Int
    private var successes = 0
    /// Nothing is sent before.
    private(set) var pausedUntil: MonotonicTime?
    var inFlight = 0

    init(_ largest: Int) { (self.largest, size) = (largest, largest) }

    func hasRoom(at now: MonotonicTime) -> Bool { inFlight < size && pausedUntil.map { $0 <= now } ?? true }

    mutating func succeeded() {
        successes += 1
        guard successes >= size, size < largest else { return }
        (size, successes) = (size + 1, 0)
    }

    /// `pause`: the server asked for one.
    mutating func overloaded(now: MonotonicTime, pause: Duration?) {
        (size, successes) = (max(1, size / 2), 0)
        if let pause { pausedUntil = max(pausedUntil ?? now, now + pause) }
    }
}
