public import Platform
public import Primitives

/// Which addresses of a name are used.
public enum AddressFamilyPreference: Hashable, Sendable {
    case ipv4, ipv6
    /// IPv4 addresses if there are any, else IPv6.
    case ipv4Preferred
    /// IPv6 addresses if there are any, else IPv4.
    case ipv6Preferred
    case ipv4AndIPv6

    var asksIPv4: Bool { self != .ipv6 }
    var asksIPv6: Bool { self != .ipv4 }
}

/// What is known of a watched name.
public struct ResolvedName: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        /// No lookup has found anything yet.
        case never
        /// The last lookup found what is here.
        case fresh
        /// It is what an earlier lookup found; every one since this moment failed.
        case stale(since: MonotonicTime)
    }

    /// Sorted (IPv4 first) and unique; those of the last lookup that found any.
    public var addresses: [IPAddress] = []
    /// SRV records, sorted and unique, where those are watched: of the last lookup that said anything. Empty and fresh: the
    /// name says that the service is nowhere.
    public var services: [ServiceRecord] = []
    /// How many addresses or records were found beyond the 256 that are used.
    public var leftOut = 0
    public var state: State = .never
    /// Why the last lookup failed, wholly or for one address family.
    public var error: String?
    /// When addresses were last found.
    public var lastSuccess: MonotonicTime?

    public init() {}
}
