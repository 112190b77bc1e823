import EngineCore
import EngineModel
import Primitives
import Testing

@Suite("Authorization rules", .timeLimit(.minutes(5)))
struct AuthorizationRulesTests {
    private typealias Rule = Authorization.Rule

    private static func set(_ texts: String...) -> CIDRSet { CIDRSet(texts.compactMap { CIDR($0) }) }

    @Test(
        "in any order in which inputs come, it decides as a look at everything at the end does, and audits each rule once",
        arguments: 1...400 as ClosedRange<UInt64>)
    func equalsReference(seed: UInt64) throws {
        var generator = AuthorizationGenerator(seed: seed)
        let authorization = generator.authorization()
        let rules = try #require(AuthorizationRules(authorization))
        let naive = NaiveAuthorization(authorization: authorization, blocks: generator.blocks)
        for _ in 0..<25 {
            let facts = generator.facts()
            let expected = naive.judge(facts)
            var progress = AuthorizationProgress()
            var (known, audits, verdict) = (0, 0 as UInt64, AuthorizationVerdict.undecided)
            var isOnce = true
            while true {
                let step = rules.step(&progress, facts.inputs(known: known))
                if verdict != .undecided { #expect(step == verdict, "seed \(seed): took back its word") }
                verdict = step
                let taken = generator.below(2) == 0 ? progress.takeAudits() : 0
                isOnce = isOnce && taken & audits == 0
                audits |= taken
                guard known != 15 else { break }
                // One more input, or several at once.
                known |= 1 << generator.below(4) | (generator.below(3) == 0 ? 1 << generator.below(4) : 0)
            }
            let rest = progress.takeAudits()
            #expect(isOnce && rest & audits == 0, "seed \(seed): audited twice")
            #expect(verdict == expected.verdict && audits | rest == expected.audits, "seed \(seed): \(facts)")
            #expect(rules.verdict(facts.inputs(known: 15)) == expected.verdict)
        }
    }

    @Test(
        "decided is it as soon as nothing that may come makes a difference to the rule that decides, or to what is audited",
        arguments: 1...60 as ClosedRange<UInt64>)
    func neverLate(seed: UInt64) throws {
        var generator = AuthorizationGenerator(seed: seed &* 7919)
        let authorization = generator.authorization()
        let rules = try #require(AuthorizationRules(authorization))
        let naive = NaiveAuthorization(authorization: authorization, blocks: generator.blocks)
        for _ in 0..<3 {
            let facts = generator.facts()
            // As a listener learns them: the peer, the client, the name, the certificate; some are known never to come.
            for known in [2, 3, 7, 11, 15] {
                var progress = AuthorizationProgress()
                let verdict = rules.step(&progress, facts.inputs(known: known))
                let completions = AuthorizationGenerator.completions(of: facts, known: known)
                if verdict != .undecided {
                    let expected = NaiveAuthorization.Judgement(verdict: verdict, audits: progress.takeAudits())
                    let isSame = completions.allSatisfy { naive.judge($0) == expected }
                    #expect(isSame, "seed \(seed): decided too early with \(known)")
                } else {
                    let first = naive.judge(completions[0])
                    let differs = completions.contains { naive.judge($0) != first }
                    #expect(differs, "seed \(seed): waits in vain with \(known)")
                }
            }
        }
    }

    @Test("addresses decide before TLS, unless a rule before them may match by something that is still to come")
    func early() throws {
        let office = Rule(name: "office", action: .allow, principal: Principal(clients: [Self.set("10.0.0.0/8")]))
        let blocked = Rule(name: "blocked", action: .deny, principal: Principal(clients: [Self.set("192.0.2.0/24")]))
        let partner = Rule(
            name: "partner", action: .allow,
            principal: Principal(
                clients: [Self.set("198.51.100.0/24")],
                certificate: CertificatePrincipal(uris: [TextPattern(star: "spiffe://corp/*")])))
        let rules = try #require(AuthorizationRules(Authorization(rules: [blocked, partner, office])))
        func verdict(_ address: UInt32) -> AuthorizationVerdict {
            var progress = AuthorizationProgress()
            return rules.step(&progress, AuthorizationInputs(client: .known(.v4(address)), peer: .known(.v4(1))))
        }
        #expect(verdict(0xc000_0201) == .deny(rule: 0))
        #expect(verdict(0x0a00_0001) == .allow(rule: 2))
        #expect(verdict(0xc633_6401) == .undecided)
        #expect(verdict(0x0808_0808) == .deny(rule: nil))
        var progress = AuthorizationProgress()
        #expect(rules.step(&progress, AuthorizationInputs(peer: .known(.v4(1)))) == .undecided)
    }

    @Test("an input that never comes: rules that ask for it do not match, whatever their action")
    func absent() throws {
        for action in [Authorization.Action.allow, .deny, .audit] {
            let principal = Principal(serverNames: [.wildcard(suffix: "example.com")])
            for byDefault in [true, false] {
                let rule = Rule(name: "name", action: action, principal: principal)
                let rules = try #require(
                    AuthorizationRules(Authorization(rules: [rule], allowsByDefault: byDefault)))
                var progress = AuthorizationProgress()
                let verdict = rules.step(&progress, AuthorizationInputs(serverName: .absent))
                #expect(verdict == (byDefault ? .allow(rule: nil) : .deny(rule: nil)))
                let audits = progress.takeAudits()
                #expect(audits == 0)
            }
        }
    }

    @Test("a list without an entry matches nobody, and nothing is waited for")
    func empty() throws {
        let principals = [
            Principal(clients: []), Principal(clients: [Self.set()]), Principal(peers: Self.set()),
            Principal(serverNames: []),
            Principal(certificate: CertificatePrincipal(dnsNames: [])),
            Principal(certificate: CertificatePrincipal(spkiHashes: [])),
        ]
        for principal in principals {
            let rule = Rule(name: "empty", action: .allow, principal: principal)
            let rules = try #require(AuthorizationRules(Authorization(rules: [rule])))
            var progress = AuthorizationProgress()
            #expect(rules.step(&progress, AuthorizationInputs()) == .deny(rule: nil))
        }
    }

    @Test("texts of certificates are compared byte for byte, names of hosts without regard to case")
    func texts() throws {
        func allows(_ principal: CertificatePrincipal, _ identity: ClientIdentity) throws -> Bool {
            let rule = Rule(name: "x", action: .allow, principal: Principal(certificate: principal))
            let rules = try #require(AuthorizationRules(Authorization(rules: [rule])))
            return rules.verdict(AuthorizationInputs(identity: .known(identity))) == .allow(rule: 0)
        }
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
        #expect(try allows(.init(issuerCommonNames: [composed]), .init(issuerCommonNames: [composed])))
        #expect(try !allows(.init(issuerCommonNames: [composed]), .init(issuerCommonNames: [decomposed])))
        #expect(try !allows(.init(uris: [.exact(composed)]), .init(uris: [decomposed])))
        #expect(try !allows(.init(uris: [TextPattern(star: "\(composed)*")]), .init(uris: ["\(decomposed)/x"])))
        #expect(try allows(.init(dnsNames: [.exact("DB.Example.com")]), .init(dnsNames: ["db.example.com"])))
        #expect(try allows(.init(dnsNames: [TextPattern(star: "*.Example.com")]), .init(dnsNames: ["db.example.com"])))
        #expect(try !allows(.init(uris: [.exact("spiffe://Corp/a")]), .init(uris: ["spiffe://corp/a"])))
        #expect(try allows(.init(emails: [TextPattern(star: "*")]), .init(emails: ["a@b"])))
        #expect(try !allows(.init(emails: [TextPattern(star: "*")]), .init(uris: ["a@b"])))
    }

    @Test("64 rules can audit; more than that are refused")
    func most() throws {
        let rule = Rule(name: "x", action: .audit, principal: Principal(peers: Self.set("0.0.0.0/0")))
        let rules = try #require(AuthorizationRules(Authorization(rules: Array(repeating: rule, count: 64))))
        var progress = AuthorizationProgress()
        let verdict = rules.step(&progress, AuthorizationInputs(peer: .known(.v4(1))))
        let audits = progress.takeAudits()
        #expect(verdict == .deny(rule: nil) && audits == .max)
        #expect(AuthorizationRules(Authorization(rules: Array(repeating: rule, count: 65))) == nil)
    }
}
