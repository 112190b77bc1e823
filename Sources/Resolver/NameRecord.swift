internal import Platform
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

/// The history of one name, and when it is to be looked up again. Without I/O; time is an argument.
struct NameRecord {
    private static let shortest = Duration.seconds(1)
    private static let longest = Duration.seconds(86_400)

    let preference: AddressFamilyPreference
    /// Pause after a lookup that failed.
    let refresh: Duration
    private(set) var result = ResolvedName()
    private var ipv4: [IPAddress] = []
    private var ipv6: [IPAddress] = []

    init(preference: AddressFamilyPreference, refresh: Duration) {
        (self.preference, self.refresh) = (preference, max(refresh, .milliseconds(10)))
    }

    /// Takes a lookup's answers and returns the pause before the next one: the lowest TTL of the addresses used, 1 s to a
    /// day, or after a failure `refresh` and up to a fifth more or less (`random`: 64 random bits).
    mutating func apply(_ v4: FamilyAnswer, _ v6: FamilyAnswer, now: MonotonicTime, random: UInt64) -> Duration {
        let retry = refresh * (0.8 + 0.4 * Double(random >> 11) / Double(1 << 53 as UInt64))
        guard hasAddresses(v4) || hasAddresses(v6) else {
            result.error = v4.sentence ?? v6.sentence
            if case .fresh = result.state { result.state = .stale(since: now) }
            return retry
        }
        NameRecord.update(&ipv4, v4)
        NameRecord.update(&ipv6, v6)
        let used = choose()
        result.addresses = (used.ipv4 ? ipv4 : []) + (used.ipv6 ? ipv6 : [])
        let failed = [(v4, used.ipv4), (v6, used.ipv6)].filter { isFailure($0.0) }
        // Addresses of a family that did not answer this time are old ones.
        if failed.contains(where: \.1) {
            if case .stale = result.state {} else { result.state = .stale(since: now) }
        } else {
            (result.state, result.lastSuccess) = (.fresh, now)
        }
        result.error = missing(v4, v6, used)
        let lowest = [v4, v6].compactMap(timeToLive).min() ?? NameRecord.shortest
        return result.error == nil ? lowest : min(lowest, retry)
    }

    /// Which families' addresses are used.
    private func choose() -> (ipv4: Bool, ipv6: Bool) {
        switch preference {
        case .ipv4: (true, false)
        case .ipv6: (false, true)
        case .ipv4Preferred: (!ipv4.isEmpty, ipv4.isEmpty)
        case .ipv6Preferred: (ipv6.isEmpty, !ipv6.isEmpty)
        case .ipv4AndIPv6: (true, true)
        }
    }

    /// The failure of a family that would have mattered.
    private func missing(_ v4: FamilyAnswer, _ v6: FamilyAnswer, _ used: (ipv4: Bool, ipv6: Bool)) -> String? {
        let v4Matters = used.ipv4 || preference == .ipv4Preferred
        let v6Matters = used.ipv6 || preference == .ipv6Preferred
        if isFailure(v4), v4Matters { return v4.sentence }
        return isFailure(v6) && v6Matters ? v6.sentence : nil
    }

    /// Addresses replace the known ones, a clear "none" removes them, a failure keeps them.
    private static func update(_ known: inout [IPAddress], _ answer: FamilyAnswer) {
        switch answer {
        case .addresses(let addresses, _): known = Set(addresses).sorted()
        case .none: known = []
        case .notAsked, .failed: break
        }
    }

    private func hasAddresses(_ answer: FamilyAnswer) -> Bool {
        if case .addresses = answer { true } else { false }
    }

    private func isFailure(_ answer: FamilyAnswer) -> Bool {
        if case .failed = answer { true } else { false }
    }

    private func timeToLive(_ answer: FamilyAnswer) -> Duration? {
        guard case .addresses(_, let ttl) = answer else { return nil }
        return min(max(.seconds(ttl), NameRecord.shortest), NameRecord.longest)
    }
}
