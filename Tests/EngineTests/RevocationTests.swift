import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Revoked client certificates", .timeLimit(.minutes(5)))
struct RevocationTests {
    typealias Version = TestSupport.TLSVersion
    typealias Requirement = ClientValidation.Requirement
    private let tls: TLSHarness
    private let (good, bad): (TestCertificate, TestCertificate)

    init() throws {
        tls = try TLSHarness()
        (good, bad) = (try tls.clients.issue(dnsNames: ["good"]), try tls.clients.issue(dnsNames: ["bad"]))
    }

    private func demand(_ lists: String...) throws {
        try tls.demand(Requirement(revocationLists: try lists.flatMap { try revocationLists($0) }))
    }

    @Test("a revoked certificate is told so, and no backend sees it", arguments: [Version.tls12, .tls13])
    func revoked(version: Version) throws {
        try demand(tls.clients.revocationPEM(.init(revoking: bad)))
        #expect(try tls.connect(version, bad) == .alert(.certificateRevoked))
        #expect(tls.echo.accepted.withLock { $0 } == 0)
        #expect(try tls.connect(version, good) == served)
        #expect(tls.hasCounted("client_cert_revoked", 1))
        let stranger = try TestPKI.makeCA("Strangers").issue(dnsNames: ["good"])
        #expect(try tls.connect(version, stranger) == .alert(.unknownCA))
        #expect(try tls.connect(version, nil) == .alert(version == .tls12 ? .handshakeFailure : .certificateRequired))
    }

    @Test(
        "a new list holds from the next handshake on; who is connected stays, sessions end",
        arguments: [Version.tls12, .tls13])
    func changes(version: Version) throws {
        let empty = try tls.clients.revocationPEM()
        try demand(empty)
        let established = try TLSTestClient(port: tls.port, tls.options(version, bad))
        #expect(try established.receiveLine() == "a")
        let session = established.session
        #expect(try shakeHands(tls.port, tls.options(version, bad, session)).0 == resumed)
        try demand(tls.clients.revocationPEM(.init(revoking: bad)))
        #expect(try shakeHands(tls.port, tls.options(version, bad, session)).0 == .alert(.certificateRevoked))
        try established.exchange("still here")
        try demand(empty)
        #expect(try tls.connect(version, bad) == served)
    }

    @Test("of an issuer the newest list counts; one that has run out revokes all", arguments: [Version.tls12, .tls13])
    func expired(version: Version) throws {
        var old = TestRevocationRequest(revoking: bad)
        (old.lastUpdate, old.nextUpdate) = (-7200, -60)
        let oldList = try tls.clients.revocationPEM(old)
        try demand(oldList)
        #expect(try tls.connect(version, good) == .alert(.certificateUnknown))
        #expect(try tls.connect(version, bad) == .alert(.certificateRevoked))
        #expect(tls.hasCounted("client_crl_expired", 1))
        let newList = try tls.clients.revocationPEM()
        try demand(oldList + newList)
        #expect(try tls.connect(version, bad) == served)
        try tls.demand(
            Requirement(revocationLists: try revocationLists(newList)),
            Requirement(revocationLists: try revocationLists(oldList)))
        #expect(try tls.connect(version, good) == .alert(.certificateUnknown))
    }

    @Test("a session ends with the list that its client was held against", arguments: [Version.tls12, .tls13])
    func runsOut(version: Version) throws {
        var request = TestRevocationRequest()
        request.nextUpdate = 8
        try demand(tls.clients.revocationPEM(request))
        let (first, session) = try shakeHands(tls.port, tls.options(version, good))
        #expect(first == served)
        let again = tls.options(version, good, session)
        #expect(try shakeHands(tls.port, again).0 == resumed)
        let refused = HandshakeOutcome.alert(.certificateUnknown)
        #expect(try waitUntil(deadline: .seconds(30)) { try shakeHands(tls.port, again).0 == refused })
    }

    @Test("the client's own issuer must have a list; of those above, the lists that are there count")
    func chains() throws {
        let leaf = try tls.clients.issue(dnsNames: ["leaf"], intermediate: true)
        let other = try tls.clients.issue(dnsNames: ["other"], intermediate: true)
        var (root, below) = (TestRevocationRequest(), TestRevocationRequest(revoking: other))
        below.ofIntermediate = true
        let (rootList, list) = (try tls.clients.revocationPEM(root), try tls.clients.revocationPEM(below))
        root.revokesIntermediate = true
        let intermediateRevoked = try tls.clients.revocationPEM(root)
        for version in [Version.tls12, .tls13] {
            try demand(rootList)
            #expect(try tls.connect(version, leaf) == .alert(.certificateUnknown))
            #expect(try tls.connect(version, good) == served)
            try demand(list)
            #expect(try tls.connect(version, leaf) == served)
            #expect(try tls.connect(version, other) == .alert(.certificateRevoked))
            #expect(try tls.connect(version, good) == .alert(.certificateUnknown))
            try demand(list, rootList)
            #expect(try tls.connect(version, leaf) == served)
            #expect(try tls.connect(version, good) == served)
            try demand(list, intermediateRevoked)
            #expect(try tls.connect(version, leaf) == .alert(.certificateRevoked))
        }
        #expect(tls.hasCounted("client_crl_missing", 4))
    }

    @Test("a list by somebody of the same name says nothing; one of a distribution point only of that")
    func issuers() throws {
        let impostor = try TestPKI.makeCA("Clients")
        try demand(impostor.revocationPEM(.init(revoking: good)))
        #expect(try tls.connect(.tls13, good) == .alert(.certificateUnknown))
        try demand(impostor.revocationPEM(.init(revoking: good)) + tls.clients.revocationPEM())
        #expect(try tls.connect(.tls13, good) == served)
        var partial = TestRevocationRequest(revoking: bad)
        partial.distributionPoint = "critical,fullname:URI:http://crl.test/a"
        try demand(tls.clients.revocationPEM(partial))
        #expect(try tls.connect(.tls13, good) == .alert(.certificateUnknown))
        var request = TestCertificateRequest(commonName: "point")
        request.revocationURL = "http://crl.test/a"
        #expect(try tls.connect(.tls13, tls.clients.issue(request)) == served)
        request.revocationURL = "http://crl.test/b"
        #expect(try tls.connect(.tls13, tls.clients.issue(request)) == .alert(.certificateUnknown))
        var authorities = TestRevocationRequest()
        authorities.distributionPoint = "critical,onlyCA:TRUE"
        try demand(tls.clients.revocationPEM(authorities))
        #expect(try tls.connect(.tls13, good) == .alert(.certificateUnknown))
    }
}
