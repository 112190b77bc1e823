internal import Primitives

/// What a lookup found in one address family.
enum FamilyAnswer: Hashable, Sendable {
    case notAsked
    /// At least one address; the lowest TTL in seconds.
    case addresses([IPAddress], ttl: Int)
    /// The name has no addresses of this family, or does not exist: the sentence says which.
    case none(String)
    /// No answer that says anything.
    case failed(String)

    var sentence: String? {
        switch self {
        case .notAsked, .addresses: nil
        case .none(let sentence), .failed(let sentence): sentence
        }
    }
}

/// What a lookup of SRV records found.
enum ServiceAnswer: Hashable, Sendable {
    /// The lowest TTL in seconds. Empty: the name says that the service is nowhere.
    case records([ServiceRecord], ttl: Int)
    /// There are none: the sentence says why.
    case failed(String)
}

/// One SRV record (RFC 2782).
public struct ServiceRecord: Hashable, Sendable, Comparable {
    /// Lower ones go first.
    public var priority: UInt16
    /// Relative to the others of the same priority.
    public var weight: UInt16
    /// In lower case, without final dot.
    public var target: String
    public var port: UInt16

    public init(priority: UInt16, weight: UInt16, target: String, port: UInt16) {
        self.priority = priority
        self.weight = weight
        self.target = target
        self.port = port
    }

    /// By priority, then by target and port.
    public static func < (left: ServiceRecord, right: ServiceRecord) -> Bool {
        if left.priority != right.priority { return left.priority < right.priority }
        if left.target != right.target { return left.target < right.target }
        return left.port == right.port ? left.weight < right.weight : left.port < right.port
    }
}

/// How a lookup ended: of both address families together, the better one's.
public enum LookupResult: String, Hashable, Sendable, CaseIterable, Comparable {
    /// Something was found.
    case success
    /// The name has no records of the wanted kind.
    case noData = "no_data"
    /// The name does not exist.
    case noSuchName = "no_such_name"
    /// No server gave a usable answer.
    case failure
    /// No server answered in time.
    case timeout

    public static func < (left: LookupResult, right: LookupResult) -> Bool { left.rank < right.rank }

    private var rank: Int { LookupResult.allCases.firstIndex(of: self) ?? 0 }
}
