internal import EngineModel
internal import Observability
internal import Platform

/// What the health checks of one backend have counted, whatever its variants and settings. For any thread.
final class HealthCounters: Sendable {
    struct Counts: Sendable {
        var passed: UInt64 = 0
        /// By ``CheckFailureReason``.
        var failed = [UInt64](repeating: 0, count: CheckFailureReason.allCases.count)
        var durations = DurationHistogram()
        var becameHealthy: UInt64 = 0
        var becameUnhealthy: UInt64 = 0
        var becameEjected: UInt64 = 0
    }

    let backend: BackendID
    private let counts = Locked(Counts())

    /// `backend`: without variant.
    init(backend: BackendID) { self.backend = backend }

    var now: Counts { counts.withLock { $0 } }

    func note(_ result: CheckResult) {
        counts.withLock { counts in
            if let failure = result.failure { counts.failed[failure.reason.index] += 1 } else { counts.passed += 1 }
            counts.durations.record(.nanoseconds(result.duration))
        }
    }

    func noteTransition(to path: WritableKeyPath<Counts, UInt64>) {
        counts.withLock { $0[keyPath: path] += 1 }
    }
}
