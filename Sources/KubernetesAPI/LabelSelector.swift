/// Picks objects by their labels: all parts must hold; empty picks everything.
public struct LabelSelector: Codable, Hashable, Sendable, FieldListing {
    public var matchLabels: [String: String]?
    public var matchExpressions: [Requirement]?

    public static let unreadFields: Set<String> = []

    public init(matchLabels: [String: String]? = nil, matchExpressions: [Requirement]? = nil) {
        self.matchLabels = matchLabels
        self.matchExpressions = matchExpressions
    }

    /// One condition on one label.
    public struct Requirement: Codable, Hashable, Sendable, FieldListing {
        public var key: String
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        public var `operator`: String
        public var values: [String]?

        public static let unreadFields: Set<String> = []

        public init(key: String, operator: String, values: [String]? = nil) {
            self.key = key
            self.operator = `operator`
            self.values = values
        }

        /// Whether the requirement can be evaluated: a known operator, with values exactly where it takes some.
        public var isValid: Bool {
            switch `operator` {
            case "In", "NotIn": !(values ?? []).isEmpty
            case "Exists", "DoesNotExist": (values ?? []).isEmpty
            default: false
            }
        }

        /// Whether `labels` satisfy the requirement; an invalid one is never satisfied.
        public func matches(_ labels: [String: String]) -> Bool {
            guard isValid else { return false }
            switch (`operator`, labels[key]) {
            case ("In", let value?): return values?.contains(value) == true
            case ("NotIn", let value?): return values?.contains(value) != true
            case ("NotIn", nil), ("DoesNotExist", nil), ("Exists", _?): return true
            default: return false
            }
        }
    }

    /// Whether every requirement can be evaluated.
    public var isValid: Bool { (matchExpressions ?? []).allSatisfy(\.isValid) }

    public func matches(_ labels: [String: String]) -> Bool {
        (matchLabels ?? [:]).allSatisfy { labels[$0.key] == $0.value }
            && (matchExpressions ?? []).allSatisfy { $0.matches(labels) }
    }
}
