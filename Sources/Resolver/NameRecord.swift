internal import Platform
internal import Primitives

/// The history of one name, and when it is to be looked up again. Without I/O; time is an argument.
struct NameRecord {
    private static let shortest = Duration.seconds(1)
    private static let longest = Duration.seconds(86_400)
    /// Addresses, or SRV records, of one name; others are left out.
    static let most = 256

    let preference: AddressFamilyPreference
    /// Pause after a lookup that failed, and after every one where TTLs do not count.
    let refresh: Duration
    let respectsTTL: Bool
    private(set) var result = ResolvedName()
    private var ipv4: [IPAddress] = []
    private var ipv6: [IPAddress] = []

    init(preference: AddressFamilyPreference, refresh: Duration, respectsTTL: Bool = true) {
        (self.preference, self.refresh) = (preference, max(refresh, .milliseconds(10)))
        self.respectsTTL = respectsTTL
    }

    /// Takes a lookup's answers and returns the pause before the next one: the lowest TTL of the addresses used, 1 s to a
    /// day, or after a failure, and where TTLs do not count, `refresh` and up to a fifth more or less (`random`: 64 random
    /// bits).
    mutating func apply(_ v4: FamilyAnswer, _ v6: FamilyAnswer, now: MonotonicTime, random: UInt64) -> Duration {
        let retry = jittered(random)
        guard hasAddresses(v4) || hasAddresses(v6) else {
            result.error = v4.sentence ?? v6.sentence
            if case .fresh = result.state { result.state = .stale(since: now) }
            return retry
        }
        NameRecord.update(&ipv4, v4)
        NameRecord.update(&ipv6, v6)
        let used = choose()
        (result.addresses, result.leftOut) = NameRecord.fit(used.ipv4 ? ipv4 : [], used.ipv6 ? ipv6 : [])
        let failed = [(v4, used.ipv4), (v6, used.ipv6)].filter { isFailure($0.0) }
        // Addresses of a family that did not answer this time are old ones.
        if failed.contains(where: \.1) {
            if case .stale = result.state {} else { result.state = .stale(since: now) }
        } else {
            (result.state, result.lastSuccess) = (.fresh, now)
        }
        result.error = missing(v4, v6, used)
        let lowest = pause([v4, v6].compactMap(timeToLive).min(), retry)
        return result.error == nil ? lowest : min(lowest, retry)
    }

    /// The same, of a lookup of SRV records. That the service is nowhere is an answer as good as any.
    mutating func apply(_ answer: ServiceAnswer, now: MonotonicTime, random: UInt64) -> Duration {
        let retry = jittered(random)
        switch answer {
        case .failed(let sentence):
            result.error = sentence
            if case .fresh = result.state { result.state = .stale(since: now) }
            return retry
        case .records(let records, let ttl):
            let sorted = Set(records).sorted()
            result.services = Array(sorted.prefix(NameRecord.most))
            result.leftOut = sorted.count - result.services.count
            (result.state, result.lastSuccess, result.error) = (.fresh, now, nil)
            return pause(ttl, retry)
        }
    }

    private func jittered(_ random: UInt64) -> Duration {
        refresh * (0.8 + 0.4 * Double(random >> 11) / Double(1 << 53 as UInt64))
    }

    /// After an answer with a TTL in seconds.
    private func pause(_ ttl: Int?, _ refresh: Duration) -> Duration {
        let wanted = respectsTTL ? ttl.map { Duration.seconds($0) } ?? NameRecord.shortest : refresh
        return min(max(wanted, NameRecord.shortest), NameRecord.longest)
    }

    /// As many of each family as there is room for, and how many are left out. The families share the room.
    private static func fit(_ ipv4: [IPAddress], _ ipv6: [IPAddress]) -> ([IPAddress], leftOut: Int) {
        let total = ipv4.count + ipv6.count
        guard total > most else { return (ipv4 + ipv6, 0) }
        let share = max(most / 2, most - ipv6.count)
        let first = ipv4.prefix(share)
        return (Array(first) + ipv6.prefix(most - first.count), total - most)
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

    private func timeToLive(_ answer: FamilyAnswer) -> Int? {
        if case .addresses(_, let ttl) = answer { ttl } else { nil }
    }
}
