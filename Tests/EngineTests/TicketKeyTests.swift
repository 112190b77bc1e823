@testable import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Keys of session tickets", .timeLimit(.minutes(5)))
struct TicketKeyTests {
    typealias Version = TestSupport.TLSVersion
    private let (one, other): (TLSHarness, TLSHarness)

    init() throws {
        one = try TLSHarness()
        other = try TLSHarness(like: one)
    }

    private func key(_ seed: UInt8) throws -> TicketKey {
        try #require(TicketKey(bytes: (0..<UInt8(TicketKey.byteCount)).map { $0 &* 7 &+ seed }))
    }

    /// `sealing` and those that open besides.
    private func ring(_ sealing: UInt8?, _ others: UInt8...) throws -> TicketKeyRing {
        let own = try sealing.map { [try key($0)] } ?? []
        return TicketKeyRing(keys: own + (try others.map { try key($0) }), sealing: sealing == nil ? nil : 0)
    }

    private func outcome(_ tls: TLSHarness, _ version: Version, _ session: TLSTestSession?) throws -> HandshakeOutcome {
        try shakeHands(tls.port, tls.options(version, nil, session)).0
    }

    private func session(_ tls: TLSHarness, _ version: Version) throws -> TLSTestSession {
        let (first, session) = try shakeHands(tls.port, tls.options(version))
        #expect(first == served)
        return try #require(session)
    }

    @Test("a client resumes at another engine with the same keys, and only there", arguments: [Version.tls12, .tls13])
    func shared(version: Version) throws {
        for tls in [one, other] {
            try tls.apply()
            tls.harness.engine.setTicketKeys(try ring(1))
        }
        let session = try session(one, version)
        #expect(try outcome(one, version, session) == resumed)
        #expect(try outcome(other, version, session) == resumed)
        #expect(other.harness.metric("sluice_tls_session_resumptions_total") == 1)
        other.harness.engine.setTicketKeys(try ring(2))
        #expect(try outcome(other, version, session) == served)
        other.harness.engine.setTicketKeys(nil)
        #expect(try outcome(other, version, session) == served)
        #expect(other.harness.log.entries.filter { $0.message == "listener bound" }.count == 1)
    }

    @Test("an older key opens, and what it opened is sealed anew", arguments: [Version.tls12, .tls13])
    func rotation(version: Version) throws {
        try one.apply()
        let engine = one.harness.engine
        engine.setTicketKeys(try ring(1))
        let session = try session(one, version)
        engine.setTicketKeys(try ring(2, 1))
        let client = try TLSTestClient(port: one.port, one.options(version, nil, session))
        #expect(try client.receiveLine() == "a")
        #expect(client.isResumed)
        let renewed = try #require(client.session)
        engine.setTicketKeys(try ring(3, 2))
        #expect(try outcome(one, version, session) == served)
        #expect(try outcome(one, version, renewed) == resumed)
        // A key that is only known yet opens what another replica has sealed.
        engine.setTicketKeys(try ring(2, 3))
        #expect(try outcome(one, version, renewed) == resumed)
        engine.setTicketKeys(TicketKeyRing())
        #expect(try outcome(one, version, renewed) == served)
    }

    @Test("without a key to seal with handshakes are whole, and go on", arguments: [Version.tls12, .tls13])
    func unsealed(version: Version) throws {
        try one.apply()
        one.harness.engine.setTicketKeys(try ring(1))
        let session = try session(one, version)
        one.harness.engine.setTicketKeys(try ring(nil, 1))
        #expect(try outcome(one, version, session) == resumed)
        let (first, useless) = try shakeHands(one.port, one.options(version))
        #expect(first == served)
        #expect(try outcome(one, version, useless) == served)
    }

    @Test(
        "across engines, too, a ticket opens only where clients are judged alike", arguments: [Version.tls12, .tls13])
    func purposes(version: Version) throws {
        let certificate = try one.clients.issue(dnsNames: ["client"])
        let list = try revocationLists(one.clients.revocationPEM())
        for tls in [one, other] { tls.harness.engine.setTicketKeys(try ring(1)) }
        func validation(_ requirements: ClientValidation.Requirement...) throws -> ClientValidation {
            var validation = ClientValidation(trust: try trust(one.clients))
            validation.requirements = requirements
            return validation
        }
        let validations: [ClientValidation?] = [
            nil, try validation(), try validation(.init(names: [.dns(.prefix("c"))])),
            try validation(.init(names: [.dns(.exact("client"))])),
            try validation(.init(revocationLists: list)),
            try validation(.init(spkiHashes: [facts(certificate).spkiHash])),
            ClientValidation(trust: try trust(one.clients), mode: .insecureFallback),
        ]
        for (index, first) in validations.enumerated() {
            try one.apply { $0.clientValidation = first }
            let (_, session) = try shakeHands(one.port, one.options(version, certificate))
            for otherIndex in [index, (index + 1) % validations.count] {
                try other.apply { $0.clientValidation = validations[otherIndex] }
                let (outcome, _) = try shakeHands(other.port, other.options(version, certificate, session))
                #expect(outcome == (index == otherIndex ? resumed : served), "\(index) \(otherIndex)")
            }
            try other.apply("elsewhere") { $0.clientValidation = first }
            #expect(try shakeHands(other.port, other.options(version, certificate, session)).0 == served)
        }
    }

    @Test("a lifetime ends sessions; without one nothing resumes", arguments: [Version.tls12, .tls13])
    func lifetimes(version: Version) throws {
        try one.apply { $0.ticketLifetime = .seconds(6) }
        let session = try session(one, version)
        #expect(try outcome(one, version, session) == resumed)
        #expect(try waitUntil(deadline: .seconds(30)) { try outcome(one, version, session) == served })
        try one.apply { $0.ticketLifetime = nil }
        let (first, none) = try shakeHands(one.port, one.options(version))
        #expect(first == served)
        #expect(none == nil)
        #expect(try outcome(one, version, session) == served)
    }

    @Test(
        "a session does not outlive the suites and the lifetime that it was made with",
        arguments: [Version.tls12, .tls13])
    func parameters(version: Version) throws {
        one.harness.engine.setTicketKeys(try ring(1))
        try one.apply()
        let session = try session(one, version)
        let changes: [(inout TLSTermination) -> Void] = [
            { $0.ciphers = ["ECDHE-ECDSA-CHACHA20-POLY1305"] }, { $0.ticketLifetime = .seconds(60) },
        ]
        for change in changes {
            try one.apply("t", change)
            let client = try TLSTestClient(port: one.port, one.options(version, nil, session))
            #expect(try client.receiveLine() == "a")
            #expect(!client.isResumed, "\(client.cipher)")
        }
        try one.apply()
        #expect(try outcome(one, version, session) == resumed)
    }

    @Test("an engine's own keys change every half of the lifetime, and open for the whole of it")
    func ownKeys() {
        let store = TicketKeyStore()
        let own = store.ownKeys(lifetime: .seconds(100))
        #expect(store.ownKeys(lifetime: .seconds(100)) === own)
        #expect(store.ownKeys(lifetime: .seconds(10)) !== own)
        let start = own.sealingSince
        let first = store.ring(own)
        #expect(first.keys.count == 1)
        #expect(first.sealing == 0)
        store.rotate(now: start + .seconds(49))
        #expect(store.ring(own) == first)
        let before = store.generation
        store.rotate(now: start + .seconds(50))
        #expect(store.generation == before + 1)
        let second = store.ring(own)
        #expect(Array(second.keys.dropFirst()) == first.keys)
        #expect(second.sealing == 0)
        store.rotate(now: start + .seconds(100))
        store.rotate(now: start + .seconds(150))
        #expect(store.ring(own).keys.count == 3)
        #expect(!store.ring(own).keys.contains(first.keys[0]))
        #expect(store.ring(own).keys.contains(second.keys[0]))
        store.rotate(now: start + .seconds(1000))
        #expect(store.ring(own).keys.count == 1)
        let (age, isShared) = store.sealingAge(now: start + .seconds(1010)) ?? (.zero, true)
        #expect(age == .seconds(10))
        #expect(!isShared)
    }

    @Test("whose the key is that seals, and how old")
    func age() throws {
        let name = "sluice_tls_ticket_key_age_seconds"
        #expect(one.harness.series(name).isEmpty)
        try one.apply()
        #expect(one.harness.series(name).map { $0.hasPrefix("\(name){source=\"process\"} ") } == [true])
        one.harness.engine.setTicketKeys(try ring(1))
        #expect(one.harness.series(name).map { $0.hasPrefix("\(name){source=\"shared\"} ") } == [true])
        one.harness.engine.setTicketKeys(try ring(nil, 1))
        #expect(one.harness.series(name).isEmpty)
    }
}

extension EngineHarness {
    /// The lines of a family.
    fileprivate func series(_ name: String) -> [String] {
        var text = PrometheusText()
        engine.writeMetrics(into: &text)
        return text.text.split(separator: "\n").filter { $0.hasPrefix(name + "{") }.map(String.init)
    }
}
