internal import EngineModel
internal import Observability
internal import Resolver

/// When one name's answer was last known to be right.
struct NameHistory: Sendable {
    /// Nanoseconds since 1970; 0: never.
    private(set) var lastSuccess: Int64 = 0
    private(set) var isFailing = false

    mutating func note(_ result: LookupResult, at now: Int64) {
        isFailing = result != .success
        if !isFailing { lastSuccess = now }
    }
}

/// Lookups for one backend.
struct LookupCounts: Sendable {
    var results: [LookupResult: UInt64] = [:]
    /// Of the names whose last lookup failed, the longest ago that one was found; nil: none fails.
    private(set) var failingSince: Int64?
    private(set) var hasAnswers = false

    mutating func add(_ history: NameHistory) {
        hasAnswers = true
        if history.isFailing { failingSince = min(failingSince ?? .max, history.lastSuccess) }
    }
}
