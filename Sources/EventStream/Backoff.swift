internal import Platform

/// Pauses between attempts: each twice the one before, from half a second to half a minute, a random part of a half less.
struct Backoff: Sendable {
    private var attempts = 0
    private let first: Duration
    private let last: Duration

    init(first: Duration = .milliseconds(500), last: Duration = .seconds(30)) {
        (self.first, self.last) = (first, last)
    }

    mutating func reset() { attempts = 0 }

    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let whole = min(last, first * (1 << min(attempts, 16)))
        attempts += 1
        return whole * Double.random(in: 0.5...1, using: &generator)
    }
}
