internal import KubernetesAPI

/// Why something does not hold: what a condition with status False says.
struct Verdict: Hashable, Error {
    var reason: Condition.Reason
    var message: String

    init(_ reason: Condition.Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}

extension Sequence where Element == Verdict {
    /// One verdict of many: the first one's reason, every message once.
    var merged: Verdict? {
        var result: Verdict?
        var messages: Set<String> = []
        for verdict in self where messages.insert(verdict.message).inserted {
            guard let earlier = result else {
                result = verdict
                continue
            }
            result = Verdict(earlier.reason, earlier.message + "; " + verdict.message)
        }
        return result
    }
}

extension Condition {
    /// True with `reason`, or False with what the verdict says.
    init(
        _ type: ConditionType, _ verdict: Verdict?, otherwise reason: Reason, _ message: String = "",
        generation: Int64?
    ) {
        if let verdict {
            self.init(type, .false, verdict.reason, verdict.message, observedGeneration: generation)
        } else {
            self.init(type, .true, reason, message, observedGeneration: generation)
        }
    }
}
