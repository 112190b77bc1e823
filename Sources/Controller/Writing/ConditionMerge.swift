internal import KubernetesAPI

/// Merging of conditions, as JSON, with those that the API server has.
enum ConditionMerge {
    /// Limit of every list of conditions in Gateway API v1.6.
    static let limit = 8

    /// Whether a condition belongs to another controller: a type below a domain that is not ours. Types without a
    /// domain are Gateway API's, and so the business of who owns the status.
    static func isForeign(_ condition: JSONValue) -> Bool {
        guard let type = condition["type"]?.text, let slash = type.firstIndex(of: "/") else { return false }
        return type[..<slash] != "sluice.dev"
    }

    /// `desired` with times: that of the last transition stays where the status does. Conditions stand where they
    /// stood; foreign ones are kept, ours that are no longer wanted are not. `now`: metav1.Time.
    static func merge(_ desired: [JSONValue], into observed: [JSONValue], now: String) -> [JSONValue] {
        var wanted: [String: JSONValue] = [:]
        for condition in desired { if let type = condition["type"]?.text { wanted[type] = condition } }
        var merged: [JSONValue] = []
        for condition in observed {
            guard let type = condition["type"]?.text else { continue }
            if let next = wanted.removeValue(forKey: type) {
                merged.append(timed(next, before: condition, now: now))
            } else if isForeign(condition) {
                merged.append(condition)
            }
        }
        for condition in desired {
            guard let type = condition["type"]?.text, wanted.removeValue(forKey: type) != nil else { continue }
            merged.append(timed(condition, before: nil, now: now))
        }
        return fitting(merged)
    }

    private static func timed(_ condition: JSONValue, before: JSONValue?, now: String) -> JSONValue {
        guard case .object(var fields) = condition else { return condition }
        let stays = before?["status"] == condition["status"]
        let time = stays ? before?["lastTransitionTime"]?.text : nil
        fields["lastTransitionTime"] = .string(time ?? now)
        return .object(fields)
    }

    /// Within the limit; what makes room is our own: extra types first, Gateway API's never before them.
    private static func fitting(_ conditions: [JSONValue]) -> [JSONValue] {
        var conditions = conditions
        while conditions.count > limit {
            let extra = conditions.lastIndex { $0["type"]?.text?.hasPrefix("sluice.dev/") == true }
            conditions.remove(at: extra ?? conditions.count - 1)
        }
        return conditions
    }
}
