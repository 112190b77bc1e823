import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Requirements of client certificates", .timeLimit(.minutes(5)))
struct ClientRequirementTests {
    typealias Version = TestSupport.TLSVersion
    typealias Requirement = ClientValidation.Requirement
    private let tls: TLSHarness
    private let certificate: TestCertificate

    init() throws {
        tls = try TLSHarness()
        var request = TestCertificateRequest(commonName: "ci.corp.test", dnsNames: ["Build.Corp.test", "other.test"])
        request.uris = ["spiffe://corp/ci/build", "https://corp.test/"]
        request.emails = ["ci@corp.test"]
        certificate = try tls.clients.issue(request)
    }

    /// Whether one name alone lets the certificate in.
    private static let cases: [(ClientValidation.Name, Bool)] = [
        (.dns(.exact("build.corp.test")), true), (.dns(.exact("BUILD.corp.test")), true),
        (.dns(.exact("corp.test")), false), (.dns(.suffix(".corp.test")), true), (.dns(.prefix("build.")), true),
        (.dns(.exact("ci.corp.test")), false), (.dns(.exact("spiffe://corp/ci/build")), false),
        (.uri(.exact("spiffe://corp/ci/build")), true), (.uri(.exact("spiffe://CORP/ci/build")), false),
        (.uri(.prefix("spiffe://corp/ci/")), true), (.uri(.prefix("spiffe://corp/cd/")), false),
        (.uri(.suffix("/build")), true), (.uri(.exact("ci@corp.test")), false),
        (.email(.exact("ci@corp.test")), true), (.email(.suffix("@corp.test")), true),
        (.email(.suffix("@other.test")), false), (.email(.exact("CI@corp.test")), false),
    ]

    @Test("a name of each kind, whole, by its beginning or end", arguments: [Version.tls12, .tls13])
    func names(version: Version) throws {
        for (name, isMet) in ClientRequirementTests.cases {
            try tls.demand(Requirement(names: [name]))
            let expected = isMet ? served : .alert(.certificateUnknown)
            #expect(try tls.connect(version, certificate) == expected, "\(name)")
        }
        let refused = ClientRequirementTests.cases.count { !$0.1 }
        #expect(tls.hasCounted("client_cert_san_mismatch", refused))
        #expect(tls.echo.accepted.withLock { $0 } == ClientRequirementTests.cases.count - refused)
        try tls.demand(Requirement(names: ClientRequirementTests.cases.map(\.0)))
        #expect(try tls.connect(version, certificate) == served)
        #expect(try tls.connect(version, tls.clients.issue(dnsNames: [])) == .alert(.certificateUnknown))
        #expect(try tls.connect(version, nil) == .alert(version == .tls12 ? .handshakeFailure : .certificateRequired))
        try tls.demand(Requirement(names: []))
        #expect(try tls.connect(version, certificate) == .alert(.certificateUnknown))
    }

    @Test("what each level asks must be met, names and keys", arguments: [Version.tls12, .tls13])
    func levels(version: Version) throws {
        let (own, other) = (try facts(certificate).spkiHash, try facts(tls.server).spkiHash)
        let named = Requirement(names: [.uri(.prefix("spiffe://corp/"))])
        try tls.demand(named, Requirement(spkiHashes: [own, other]))
        #expect(try tls.connect(version, certificate) == served)
        try tls.demand(named, Requirement(spkiHashes: [other]))
        #expect(try tls.connect(version, certificate) == .alert(.certificateUnknown))
        #expect(tls.hasCounted("client_cert_key_mismatch", 1))
        try tls.demand(named, Requirement(names: [.dns(.exact("no.test"))]))
        #expect(try tls.connect(version, certificate) == .alert(.certificateUnknown))
        try tls.demand(Requirement(names: [.uri(.exact("x"))], spkiHashes: [own]))
        #expect(try tls.connect(version, certificate) == .alert(.certificateUnknown))
        #expect(tls.harness.log.entries.contains { "\($0)".contains("none of its names is one that is let in") })
    }

    @Test("a chain that does not verify stays what it was; where certificates are only asked for, nobody is refused")
    func other() throws {
        let stranger = try TestPKI.makeCA("Strangers").issue(dnsNames: ["build.corp.test"])
        let requirement = Requirement(names: [.dns(.exact("build.corp.test"))])
        try tls.demand(requirement)
        #expect(try tls.connect(.tls13, stranger) == .alert(.unknownCA))
        try tls.demand(requirement, mode: .insecureFallback)
        for version in [Version.tls12, .tls13] {
            for certificate in [nil, stranger, certificate, try tls.clients.issue(dnsNames: ["x.test"])] {
                #expect(try tls.connect(version, certificate) == served)
            }
        }
    }

    @Test(
        "a changed requirement holds from the next handshake, and no session from before it resumes",
        arguments: [Version.tls12, .tls13])
    func changes(version: Version) throws {
        try tls.demand(Requirement(names: [.uri(.prefix("spiffe://corp/"))]))
        let established = try TLSTestClient(port: tls.port, tls.options(version, certificate))
        #expect(try established.receiveLine() == "a")
        let session = established.session
        #expect(try shakeHands(tls.port, tls.options(version, certificate, session)).0 == resumed)
        try tls.demand(Requirement(names: [.uri(.exact("spiffe://corp/cd"))]))
        let refused = HandshakeOutcome.alert(.certificateUnknown)
        #expect(try shakeHands(tls.port, tls.options(version, certificate, session)).0 == refused)
        try established.exchange("still here")
    }
}
