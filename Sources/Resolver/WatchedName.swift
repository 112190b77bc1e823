internal import Platform

/// A name that is watched, and the lookup of it that may be under way.
struct WatchedName {
    let key: WatchKey
    private(set) var record: NameRecord
    var watchers: [Watcher]
    private(set) var isUnderWay = false
    private(set) var hasResult = false
    private var ipv4 = FamilyAnswer.notAsked
    private var ipv6 = FamilyAnswer.notAsked
    private var services: ServiceAnswer?
    private var result = LookupResult.timeout
    private var awaited = 0

    init(_ key: WatchKey, _ watcher: Watcher) {
        self.key = key
        watchers = [watcher]
        let preference: AddressFamilyPreference =
            if case .addresses(let preference) = key.wanted { preference } else { .ipv4AndIPv6 }
        record = NameRecord(preference: preference, refresh: key.refresh, respectsTTL: key.respectsTTL)
    }

    /// Begins a lookup: what has to be asked.
    mutating func begin() -> [DNSChannel.Question] {
        let questions: [DNSChannel.Question] =
            switch key.wanted {
            case .services: [.services]
            case .addresses(let family): (family.asksIPv4 ? [.ipv4] : []) + (family.asksIPv6 ? [.ipv6] : [])
            }
        (ipv4, ipv6, services, result) = (.notAsked, .notAsked, nil, .timeout)
        (isUnderWay, awaited) = (true, questions.count)
        return questions
    }

    /// True: the lookup's last answer.
    mutating func take(_ answer: DNSChannel.Answer) -> Bool {
        switch answer.content {
        case .addresses(let found, isIPv6: true): ipv6 = found
        case .addresses(let found, isIPv6: false): ipv4 = found
        case .services(let found): services = found
        }
        result = min(result, answer.result)
        awaited -= 1
        return awaited == 0
    }

    /// Ends the lookup: the pause before the next one, and how this one ended.
    mutating func finish(now: MonotonicTime, random: UInt64) -> (pause: Duration, result: LookupResult) {
        (isUnderWay, hasResult) = (false, true)
        if let services { return (record.apply(services, now: now, random: random), result) }
        return (record.apply(ipv4, ipv6, now: now, random: random), result)
    }
}

extension ResolvedName {
    /// Whether there is something to tell: not that the same was found once more.
    func differs(from other: ResolvedName) -> Bool {
        var other = other
        other.lastSuccess = lastSuccess
        return self != other
    }
}
