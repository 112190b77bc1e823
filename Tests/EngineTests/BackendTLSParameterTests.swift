import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Parameters of TLS towards backends", .timeLimit(.minutes(5)))
struct BackendTLSParameterTests {
    typealias Version = TestSupport.TLSVersion
    private let upstream: UpstreamTLS

    init() throws { upstream = try UpstreamTLS() }

    @Test("versions: from the lowest to the highest, no others")
    func versions() throws {
        for (only, other, expected) in [
            (EngineModel.TLSVersion.v12, Version.tls13, "TLSv1.2"), (.v13, .tls12, "TLSv1.3"),
        ] {
            var options = try upstream.server()
            (options.minVersion, options.maxVersion) = (.tls12, .tls13)
            let server = try TLSTestServer(options)
            let tls = try upstream.tls { ($0.minimumVersion, $0.maximumVersion) = (only, only) }
            upstream.apply(tls, to: server.port)
            #expect(try upstream.visit(server).version == expected)
            let echo = try EchoBackend("db", tls: try upstream.server(other))
            upstream.apply(tls, to: echo.port)
            #expect(try upstream.refuses("protocol version", echo))
        }
    }

    @Test("suites of TLS 1.2, in our order, and none else; TLS 1.3 has its own")
    func ciphers() throws {
        let (first, second) = ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256")
        for order in [[first, second], [second, first]] {
            let server = try TLSTestServer(try upstream.server(.tls12))
            upstream.apply(try upstream.tls { $0.ciphers = order }, to: server.port)
            #expect(try upstream.visit(server).cipher == order[0])
        }
        var options = try upstream.server(.tls12)
        options.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"
        let echo = try EchoBackend("db", tls: options)
        upstream.apply(try upstream.tls { $0.ciphers = [first, second] }, to: echo.port)
        #expect(try upstream.refuses("handshake failure", echo))
        let newer = try TLSTestServer(try upstream.server(.tls13))
        upstream.apply(try upstream.tls { $0.ciphers = [first] }, to: newer.port)
        #expect(try upstream.visit(newer).version == "TLSv1.3")
    }

    @Test("groups, and no others", arguments: [Version.tls12, .tls13])
    func groups(version: Version) throws {
        // An ECDSA certificate would have to be of one of the groups with TLS 1.2.
        let certificate = try upstream.authority.issue(dnsNames: ["db.test"], keyType: .rsa2048)
        var options = try upstream.server(version, certificate)
        // TLS 1.2 could do without a group.
        (options.groups, options.ciphers) = ("P-384", "ECDHE-RSA-AES128-GCM-SHA256")
        let server = try TLSTestServer(options)
        upstream.apply(try upstream.tls { $0.groups = ["X25519", "P-384", "secp384r1"] }, to: server.port)
        try upstream.visit(server)
        let echo = try EchoBackend("db", tls: options)
        upstream.apply(try upstream.tls { $0.groups = ["X25519"] }, to: echo.port)
        #expect(try upstream.refuses("handshake failure", echo))
    }

    @Test("protocols are offered as configured; an empty list offers none")
    func protocols() throws {
        var options = try upstream.server()
        options.alpn = ["b", "a"]
        let server = try TLSTestServer(options)
        for (offered, expected) in [(["a", "b"], "b"), (["a"], "a"), ([], nil)] as [([String]?, String?)] {
            upstream.apply(try upstream.tls { $0.alpnProtocols = offered }, to: server.port)
            #expect(try upstream.visit(server).alpn == expected)
        }
        let echo = try EchoBackend("db", tls: options)
        upstream.apply(try upstream.tls { $0.alpnProtocols = ["c"] }, to: echo.port)
        #expect(try upstream.refuses("no application protocol", echo))
    }

    @Test("those that are configured are offered, not what the client negotiated; without any it is the client's")
    func clientsProtocol() throws {
        let tls = try TLSHarness()
        var options = try upstream.server()
        options.alpn = ["h2", "own"]
        let server = try TLSTestServer(options)
        for (configured, expected) in [(nil, "h2"), (["own"], "own"), ([], nil)] as [([String]?, String?)] {
            let termination = TLSTermination(certificates: [try facts(tls.server)])
            let listener = tlsListener(
                "t", port: tls.port, mode: .terminate(termination), routes: [],
                fallback: route("a", to: "a", alpn: ["h2"]))
            let target = backend("a", ports: [server.port], tls: try upstream.tls { $0.alpnProtocols = configured })
            tls.harness.apply([listener], [target])
            var client = tls.options(.tls13)
            client.alpn = ["h2"]
            let connection = try TLSTestClient(port: tls.port, client)
            #expect(connection.alpn == "h2")
            #expect(try server.accept().alpn == expected)
        }
    }

    // MARK: Names

    @Test("no host name: none is sent, and only pins can do without one")
    func nameless() throws {
        let certificate = try upstream.authority.issue(dnsNames: ["db.test"])
        let server = try TLSTestServer(try upstream.server(.tls13, certificate))
        let hash = try facts(certificate).spkiHash
        let pinned = try upstream.tls { ($0.trust, $0.hostname, $0.spkiHashes) = (.pinsOnly, "", [hash]) }
        upstream.apply(pinned, to: server.port)
        #expect(try upstream.visit(server).serverName == nil)
        let named = try upstream.tls { ($0.hostname, $0.subjectAltNames) = ("", [.hostname("db.test")]) }
        upstream.apply(named, to: server.port)
        #expect(try upstream.visit(server).serverName == nil)
        let echo = try EchoBackend("db", tls: try upstream.server(.tls13, certificate))
        upstream.apply(try upstream.tls { ($0.hostname, $0.spkiHashes) = ("", [hash]) }, to: echo.port)
        #expect(try upstream.refuses("no name that the certificate is to have", echo))
        upstream.apply(try upstream.tls { ($0.sendsClientsName, $0.spkiHashes) = (true, [hash]) }, to: echo.port)
        #expect(try upstream.refuses("only where nothing but pins counts", echo))
    }

    @Test("the client's name is sent where it gave one; sessions resume under the same name only")
    func clientsName() throws {
        let certificate = try upstream.authority.issue(dnsNames: ["db.test"])
        let server = try TLSTestServer(try upstream.server(.tls12, certificate))
        let tls = try TLSHarness()
        let pinned = try upstream.tls {
            ($0.trust, $0.spkiHashes, $0.sendsClientsName) = (.pinsOnly, [try facts(certificate).spkiHash], true)
        }
        tls.harness.apply(
            [
                tlsListener(
                    "t", port: tls.port, mode: try terminate(tls.server), routes: [], fallback: route("a", to: "a"))
            ], [backend("a", ports: [server.port], tls: pinned)])
        // Each again at once: two names may share the place that a session is kept at, and the later one takes it then.
        let visits: [(String?, Bool)] = [
            ("a.test", false), ("a.test", true), ("b.test", false), ("b.test", true), (nil, false), (nil, true),
        ]
        for (name, isResumed) in visits {
            var options = tls.options(.tls13)
            options.serverName = name
            let client = try TLSTestClient(port: tls.port, options)
            let peer = try server.accept()
            // Of a session that TLS 1.2 resumes OpenSSL does not say the name.
            if !isResumed { #expect(peer.serverName == name ?? "db.test") }
            #expect(peer.isResumed == isResumed, "\(name ?? "none")")
            try peer.send("db\n")
            #expect(try client.receiveLine() == "db")
        }
    }

    // MARK: Refused

    @Test("names that OpenSSL does not know, and protocols that cannot be, let nobody in")
    func unknown() throws {
        let echo = try EchoBackend("db", tls: try upstream.server())
        let changes: [(String, (inout BackendTLS) -> Void)] = [
            ("unknown TLS parameters: NOPE", { $0.ciphers = ["ECDHE-ECDSA-AES128-GCM-SHA256", "NOPE"] }),
            ("unknown TLS parameters: X25518", { $0.groups = ["X25519", "X25518"] }),
            ("ciphers", { $0.ciphers = [] }), ("groups", { $0.groups = [] }),
            ("ALPN", { $0.alpnProtocols = ["h2", ""] }),
            ("ALPN", { $0.alpnProtocols = [String(repeating: "x", count: 256)] }),
        ]
        for (detail, change) in changes {
            upstream.apply(try upstream.tls(change), to: echo.port)
            #expect(try upstream.refuses(detail, echo), "\(detail)")
        }
    }
}
