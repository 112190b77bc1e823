internal import EngineModel
internal import Primitives
internal import Resolver

/// One name as one kind of backend wants it resolved.
struct NameKey: Hashable, Sendable {
    var name: String
    var family: BackendSettings.DNSFamily
    var refresh: Duration
    var respectsTTL: Bool
    /// Whether its SRV records are wanted, rather than its addresses; the family is then that of their targets.
    var wantsServices = false

    init(name: String, settings: BackendSettings, wantsServices: Bool = false) {
        self.name = name
        self.wantsServices = wantsServices
        family = settings.dnsFamily
        refresh = settings.dnsRefreshRate
        respectsTTL = settings.respectsTTL
    }

    /// A target of this name's SRV records.
    func target(_ name: String) -> NameKey {
        var key = self
        (key.name, key.wantsServices) = (name, false)
        return key
    }
}

enum NameAnswer: Hashable, Sendable {
    case pending
    /// The sentence says why.
    case failed(String)
    case addresses([IPAddress])
    /// Empty: the name says that the service is nowhere.
    case services([ServiceRecord])
}

/// The latest answers, as a value for the compiler.
struct NameAnswers: Sendable {
    var answers: [NameKey: NameAnswer] = [:]
    func answer(_ key: NameKey) -> NameAnswer { answers[key] ?? .pending }
}

extension BackendSettings.DNSFamily {
    var preference: AddressFamilyPreference {
        switch self {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        case .ipv4Preferred: .ipv4Preferred
        case .ipv6Preferred: .ipv6Preferred
        case .ipv4AndIPv6: .ipv4AndIPv6
        }
    }
}
