/// What checks in a row make of an endpoint.
///
/// One that is new needs a single pass to be healthy. One that has failed needs as many passes in a row as the threshold says, and
/// a healthy one as many failures in a row to be none any more. Thresholds are given with each result: changed ones count at once.
public struct HealthThresholds: Hashable, Sendable {
    public private(set) var isHealthy: Bool
    /// Whether a check has come to an end.
    public private(set) var isChecked = false
    /// In a row, up to now.
    public private(set) var passes = 0
    public private(set) var failures = 0
    /// Whether it has failed since it was new or healthy for the last time.
    private var hasFailed = false

    public init(startsHealthy: Bool) { isHealthy = startsHealthy }

    /// Takes a result. True: the endpoint is healthy now and was not, or the other way round.
    public mutating func note(passed: Bool, healthyThreshold: Int, unhealthyThreshold: Int) -> Bool {
        isChecked = true
        if passed {
            (passes, failures) = (min(passes, Int.max - 1) + 1, 0)
            guard !isHealthy, passes >= (hasFailed ? max(1, healthyThreshold) : 1) else { return false }
            (isHealthy, hasFailed) = (true, false)
        } else {
            (passes, failures, hasFailed) = (0, min(failures, Int.max - 1) + 1, true)
            guard isHealthy, failures >= max(1, unhealthyThreshold) else { return false }
            isHealthy = false
        }
        return true
    }
}
