import EngineCore
import EngineModel
import Primitives

/// Everything about one connection; nil: it has none.
struct Facts: Hashable {
    var client: IPAddress?
    var peer: IPAddress?
    var serverName: String?
    var identity: ClientIdentity?

    /// What is known when some inputs are there, as bits: client, peer, name, identity.
    func inputs(known: Int) -> AuthorizationInputs {
        func input<Value>(_ bit: Int, _ value: Value?) -> AuthorizationInput<Value> {
            known & (1 << bit) == 0 ? .unknown : value.map { .known($0) } ?? .absent
        }
        return AuthorizationInputs(
            client: input(0, client), peer: input(1, peer), serverName: input(2, serverName),
            identity: input(3, identity))
    }
}

/// Rules, judged as the policy's text says: all is known, one rule after the other, each entry compared by itself.
struct NaiveAuthorization {
    let authorization: Authorization
    /// Blocks of each set, which a set itself no longer tells.
    let blocks: [CIDRSet: [CIDR]]

    struct Judgement: Hashable {
        var verdict: AuthorizationVerdict
        var audits: UInt64
    }

    func judge(_ facts: Facts) -> Judgement {
        var audits: UInt64 = 0
        for (index, rule) in authorization.rules.enumerated() where matches(rule.principal, facts) {
            switch rule.action {
            case .allow: return Judgement(verdict: .allow(rule: index), audits: audits)
            case .deny: return Judgement(verdict: .deny(rule: index), audits: audits)
            case .audit: audits |= 1 << UInt64(index)
            }
        }
        return Judgement(verdict: authorization.allowsByDefault ? .allow(rule: nil) : .deny(rule: nil), audits: audits)
    }

    private func matches(_ principal: Principal, _ facts: Facts) -> Bool {
        if let sets = principal.clients {
            guard let client = facts.client, sets.contains(where: { holds($0, client) }) else { return false }
        }
        if let set = principal.peers {
            guard let peer = facts.peer, holds(set, peer) else { return false }
        }
        if let names = principal.serverNames {
            guard let name = facts.serverName, names.contains(where: { $0.matches(name) }) else { return false }
        }
        if let certificate = principal.certificate {
            guard let identity = facts.identity, matches(certificate, identity) else { return false }
        }
        return true
    }

    private func holds(_ set: CIDRSet, _ address: IPAddress) -> Bool {
        (blocks[set] ?? []).contains { $0.contains(address) }
    }

    private func matches(_ principal: CertificatePrincipal, _ identity: ClientIdentity) -> Bool {
        func any(_ patterns: [TextPattern]?, _ texts: [String], folds: Bool = false) -> Bool {
            guard let patterns else { return true }
            return texts.contains { text in
                patterns.contains { pattern in
                    switch pattern {
                    case .exact(let own): text == (folds ? own.lowercased() : own)
                    case .prefix(let own): text.hasPrefix(folds ? own.lowercased() : own) || own.isEmpty
                    case .suffix(let own): text.hasSuffix(folds ? own.lowercased() : own) || own.isEmpty
                    }
                }
            }
        }
        return any(principal.dnsNames, identity.dnsNames, folds: true) && any(principal.uris, identity.uris)
            && any(principal.emails, identity.emails) && principal.spkiHashes?.contains(identity.spkiHash) != false
            && principal.issuerCommonNames.map { !$0.isDisjoint(with: identity.issuerCommonNames) } != false
    }
}

/// Rule sets and connections out of few values, so that they meet.
struct AuthorizationGenerator {
    var random: SplitMix64
    private(set) var blocks: [CIDRSet: [CIDR]] = [:]

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    static let names = ["a.example.com", "b.a.example.com", "example.com", "b.example.org", "example.org", "c"]
    static let dns = ["a.example.com", "x.a.example.com", "b"]
    static let uris = ["spiffe://corp/ci/build", "spiffe://corp/ci/", "spiffe://corp/web", "URN:x"]
    static let emails = ["ci@example.com", "web@example.org"]
    static let hashes = ["hash1", "hash2", "hash3"]
    static let issuers = ["Root", "Intermediate"]

    mutating func below(_ number: Int) -> Int { Int(random.next() % UInt64(number)) }
    mutating func some<Value>(_ values: [Value], _ most: Int = 3) -> [Value] {
        (0..<below(most + 1)).map { _ in values[below(values.count)] }
    }

    /// One of few addresses of both families.
    mutating func address() -> IPAddress {
        let low = UInt32(below(4)) << 30 | UInt32(below(4))
        switch below(5) {
        case 0: return .v6(high: 0, low: 0xffff_0000_0000 | UInt64(low))
        case 1: return .v6(high: 0x2001_0db8_0000_0000 | UInt64(below(3)), low: UInt64(below(3)))
        default: return .v4(low)
        }
    }

    mutating func set() -> CIDRSet {
        let members = (0..<below(5)).compactMap { _ in
            let address = address().unmapped
            return CIDR(address, address.isV4 ? [0, 1, 2, 31, 32][below(5)] : [0, 32, 64, 127, 128][below(5)])
        }
        let set = CIDRSet(members)
        blocks[set] = members
        return set
    }

    mutating func authorization() -> Authorization {
        let count = below(10) == 0 ? 64 : below(7)
        let rules = (0..<count).map { index in
            let action: Authorization.Action = [.allow, .deny, .audit, .audit][below(4)]
            return Authorization.Rule(name: "rule-\(index)", action: action, principal: principal())
        }
        return Authorization(rules: rules, allowsByDefault: below(2) == 0)
    }

    private mutating func principal() -> Principal {
        var principal = Principal()
        let parts = 1 + below(15)
        if parts & 1 != 0 { principal.clients = (0..<below(4)).map { _ in set() } }
        if parts & 2 != 0 { principal.peers = set() }
        if parts & 4 != 0 {
            let patterns = AuthorizationGenerator.names + ["*.example.com", "*.a.example.com", "*.org"]
            principal.serverNames = some(patterns).compactMap { HostnamePattern($0) }
        }
        if parts & 8 != 0 { principal.certificate = certificate() }
        return principal
    }

    private mutating func patterns(_ texts: [String]) -> [TextPattern]? {
        guard below(3) == 0 else { return nil }
        return some(texts).map { text in
            switch below(4) {
            case 0: .prefix(String(text.prefix(below(text.count))))
            case 1: .suffix(String(text.suffix(below(text.count))))
            default: .exact(text)
            }
        }
    }

    private mutating func certificate() -> CertificatePrincipal {
        CertificatePrincipal(
            dnsNames: patterns(AuthorizationGenerator.dns + ["X.A.Example.COM", "B"]),
            uris: patterns(AuthorizationGenerator.uris), emails: patterns(AuthorizationGenerator.emails),
            spkiHashes: below(3) == 0 ? Set(some(AuthorizationGenerator.hashes)) : nil,
            issuerCommonNames: below(3) == 0 ? Set(some(AuthorizationGenerator.issuers)) : nil)
    }

    mutating func facts() -> Facts {
        var facts = Facts()
        if below(10) > 0 { facts.client = address() }
        if below(10) > 0 { facts.peer = address() }
        if below(4) > 0 { facts.serverName = AuthorizationGenerator.names[below(AuthorizationGenerator.names.count)] }
        if below(3) > 0 {
            facts.identity = ClientIdentity(
                dnsNames: some(AuthorizationGenerator.dns), uris: some(AuthorizationGenerator.uris),
                emails: some(AuthorizationGenerator.emails),
                spkiHash: AuthorizationGenerator.hashes[below(AuthorizationGenerator.hashes.count)],
                issuerCommonNames: some(AuthorizationGenerator.issuers))
        }
        return facts
    }

    /// What could still become of facts of which only some are known: all that rules could tell apart best.
    static func completions(of facts: Facts, known: Int) -> [Facts] {
        var all = [facts]
        let addresses: [IPAddress?] =
            (0..<4).flatMap { high in (0..<4).map { .v4(high << 30 | $0) } as [IPAddress?] }
            + (0..<9).map { .v6(high: 0x2001_0db8_0000_0000 | $0 / 3, low: $0 % 3) } + [nil]
        if known & 1 == 0 {
            all = all.flatMap { one in
                addresses.map {
                    var one = one; one.client = $0; return one
                }
            }
        }
        if known & 2 == 0 {
            all = all.flatMap { one in
                addresses.map {
                    var one = one; one.peer = $0; return one
                }
            }
        }
        if known & 4 == 0 {
            all = all.flatMap { one in
                (names + [nil]).map {
                    var one = one; one.serverName = $0; return one
                }
            }
        }
        guard known & 8 == 0 else { return all }
        let identities: [ClientIdentity?] =
            hashes.map {
                ClientIdentity(dnsNames: dns, uris: uris, emails: emails, spkiHash: $0, issuerCommonNames: issuers)
            } + [nil]
        return all.flatMap { one in
            identities.map {
                var one = one; one.identity = $0; return one
            }
        }
    }
}
