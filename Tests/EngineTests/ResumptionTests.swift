import Certificates
@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Session resumption", .timeLimit(.minutes(5)))
struct ResumptionTests {
    typealias Version = TestSupport.TLSVersion

    /// What happens between the session and the attempt to resume it.
    enum Change: CaseIterable {
        case nothing, otherCA, anotherCA, demandedNoMore, askedForOnly, askedForNoMore, certificateDemanded
        case otherListener, otherListenerOfThePort, sameListenerAgain
    }

    private let harness: EngineHarness
    private let (clients, others): (TestCA, TestCA)
    private let (server, certificate): (TestCertificate, TestCertificate)
    private let echo: EchoBackend
    private let (port, secondPort): (UInt16, UInt16)

    init() throws {
        harness = try EngineHarness()
        (clients, others) = (try TestPKI.makeCA("Clients"), try TestPKI.makeCA("Others"))
        server = try clients.issue(dnsNames: ["a.test", "b.test"])
        certificate = try clients.issue(dnsNames: ["client"])
        echo = try EchoBackend("a")
        (port, secondPort) = (try freePort(), try freePort())
    }

    /// `a.test` at the first port as asked for; `b.test` beside it and `a.test` at the second port demand certificates.
    private func apply(_ validation: ClientValidation?) throws {
        func listener(
            _ name: String, _ port: UInt16, _ host: String, _ validation: ClientValidation?
        ) throws -> ListenerConfiguration {
            tlsListener(
                name, port: port, hostname: host, mode: try terminate(server, clients: validation), routes: [],
                fallback: route(name, to: "a"))
        }
        let demanding = ClientValidation(trust: try trust(clients))
        harness.apply(
            [
                try listener("a", port, "a.test", validation), try listener("b", port, "b.test", demanding),
                try listener("c", secondPort, "a.test", demanding),
            ], [backend("a", ports: [echo.port])])
    }

    private func options(_ version: Version, _ name: String = "a.test", certificate: TestCertificate?)
        -> TLSClientOptions
    {
        var options = TLSClientOptions(serverName: name)
        (options.minVersion, options.maxVersion, options.certificate) = (version, version, certificate)
        return options
    }

    @Test(
        "a session resumes at its listener where that asks for the same clients, and never else",
        arguments: [Version.tls12, .tls13], Change.allCases)
    func matrix(version: Version, change: Change) throws {
        let demanding = ClientValidation(trust: try trust(clients))
        let start: ClientValidation? =
            switch change {
            case .askedForNoMore: ClientValidation(trust: try trust(clients), mode: .insecureFallback)
            case .certificateDemanded: nil
            default: demanding
            }
        try apply(start)
        var options = options(version, certificate: certificate)
        let (first, session) = try shakeHands(port, options)
        #expect(first == .served("a", resumed: false))
        #expect(session != nil)
        options.session = session
        var target = port
        switch change {
        case .nothing: break
        case .otherCA: try apply(ClientValidation(trust: try trust(others)))
        case .anotherCA: try apply(ClientValidation(trust: try trust(clients, others)))
        case .demandedNoMore, .askedForNoMore: try apply(nil)
        case .askedForOnly: try apply(ClientValidation(trust: try trust(clients), mode: .insecureFallback))
        case .certificateDemanded: try apply(demanding)
        case .otherListener: target = secondPort
        case .otherListenerOfThePort: options.serverName = "b.test"
        case .sameListenerAgain:
            try apply(nil)
            try apply(demanding)
        }
        let resumes = [.nothing, .sameListenerAgain].contains(change)
        let expected: HandshakeOutcome = change == .otherCA ? .alert(.unknownCA) : .served("a", resumed: resumes)
        #expect(try shakeHands(target, options).0 == expected)
    }

    @Test(
        "a session made without a certificate that verifies leads nowhere that one is demanded",
        arguments: [Version.tls12, .tls13])
    func unverified(version: Version) throws {
        let missing = version == .tls12 ? TLSAlert.handshakeFailure : .certificateRequired
        for validation in [nil, ClientValidation(trust: try trust(clients), mode: .insecureFallback)] {
            try apply(validation)
            var options = options(version, certificate: nil)
            let (first, session) = try shakeHands(port, options)
            #expect(first == .served("a", resumed: false))
            #expect(session != nil)
            options.session = session
            #expect(try shakeHands(secondPort, options).0 == .alert(missing))
            options.serverName = "b.test"
            #expect(try shakeHands(port, options).0 == .alert(missing))
            options.serverName = "a.test"
            #expect(try shakeHands(port, options).0 == .served("a", resumed: true))
            try apply(ClientValidation(trust: try trust(clients)))
            #expect(try shakeHands(port, options).0 == .alert(missing))
        }
        #expect(waitUntil { harness.metric("sluice_tls_session_resumptions_total") == 2 })
    }

    @Test(
        "a resumed session needs no certificate again, but its own must be valid still",
        arguments: [Version.tls12, .tls13])
    func expired(version: Version) throws {
        try apply(ClientValidation(trust: try trust(clients)))
        let brief = try clients.issue(dnsNames: ["client"], notAfter: 4)
        let (first, session) = try shakeHands(port, options(version, certificate: brief))
        #expect(first == .served("a", resumed: false))
        var again = options(version, certificate: nil)
        #expect(session != nil)
        again.session = session
        #expect(try shakeHands(port, again).0 == .served("a", resumed: true))
        let refused: HandshakeOutcome = .alert(version == .tls12 ? .handshakeFailure : .certificateRequired)
        #expect(try waitUntil(deadline: .seconds(10)) { try shakeHands(port, again).0 == refused })
    }

    @Test("what a session belongs to: listener, mode and the set of CAs")
    func contexts() throws {
        let (one, other) = (try trust(clients), try trust(others))
        let validations: [ClientValidation?] = [
            nil, ClientValidation(trust: []), ClientValidation(trust: one), ClientValidation(trust: one + other),
            ClientValidation(trust: one, mode: .insecureFallback), ClientValidation(trust: other),
        ]
        let ids = [
            listenerID("a"), listenerID("b"), ListenerID(gatewayNamespace: "default", gateway: "edg", listener: "ea"),
        ]
        let all = ids.flatMap { id in validations.map { sessionContext(of: id, $0) } }
        #expect(Set(all).count == all.count)
        #expect(all.allSatisfy { $0.count == 32 })
        #expect(
            sessionContext(of: ids[0], ClientValidation(trust: one + other))
                == sessionContext(of: ids[0], ClientValidation(trust: other + one + other)))
    }
}
