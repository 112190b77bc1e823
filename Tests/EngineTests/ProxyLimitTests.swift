import Engine
import EngineCore
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// Limits and rules ask for the client that a PROXY header names, not for who connects.
@Suite("Limits behind the PROXY protocol", .timeLimit(.minutes(5)))
struct ProxyLimitTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(workers: 1), try EchoBackend("a"), try freePort())
    }

    private var dials: Int { echo.accepted.withLock { $0 } }

    private func apply(_ own: ClientLimits, onRoute: Bool = false) {
        var served = route("r", to: "a")
        if onRoute { served.limits = [own] }
        var listener = tcpListener("t", port: port, served)
        if !onRoute { listener.limits = [own] }
        listener.settings.proxyProtocol = ProxyProtocolReception()
        harness.apply([listener], [backend("a", ports: [echo.port])])
    }

    private func client(_ header: [UInt8], from peer: IPAddress = host(1)) throws -> PlainClient {
        let client = try PlainClient(from: peer, port: port)
        try client.send(header)
        return client
    }

    private func isServed(_ header: [UInt8], from peer: IPAddress = host(1)) throws -> Bool {
        do {
            return try client(header, from: peer).receiveLine() == "a"
        } catch StreamError.reset {
            return false
        }
    }

    private func header(_ source: String, _ version: ProxyHeader.Version = .v2) throws -> [UInt8] {
        try ProxyBytes.header(version, from: source)
    }

    @Test(
        "rules see the client of the header and the peer beside it; who is denied reaches no backend",
        arguments: [false, true])
    func authorization(onRoute: Bool) throws {
        let office = Authorization.Rule(
            name: "office", action: .allow,
            principal: Principal(
                clients: [addresses("203.0.113.0/24", "2001:db8::/64")], peers: addresses("127.0.0.1/32")))
        apply(limits("p", authorization: Authorization(rules: [office])), onRoute: onRoute)
        for version in [ProxyHeader.Version.v1, .v2] {
            #expect(try !isServed(header("198.51.100.7:1", version)))
            #expect(try !isServed(header("[2001:db8:0:1::1]:1", version)))
            #expect(try !isServed(header("203.0.113.7:1", version), from: host(2)))
        }
        #expect(try !isServed(Array("PROXY UNKNOWN\r\n".utf8)))
        #expect(try !isServed(ProxyBytes.local() + [0]))
        #expect(dials == 0)
        for version in [ProxyHeader.Version.v1, .v2] {
            #expect(try isServed(header("203.0.113.7:1", version)))
            #expect(try isServed(header("[2001:db8::1]:1", version)))
        }
        #expect(waitUntil { dials == 4 })
        let refused = harness.rejected(.authorizationDenied) + harness.closed(.authorizationDenied)
        #expect(refused == 8)
    }

    @Test("each source of headers has connections of its own, whoever passes them on; all are given back")
    func perSource() throws {
        apply(limits("p", connections: ConnectionLimit(perSource: .init(value: 1))))
        var open = [try client(header("203.0.113.1:1")), try client(header("203.0.113.2:1"))]
        for client in open { #expect(try client.receiveLine() == "a") }
        #expect(try !isServed(header("203.0.113.1:2", .v1)))
        #expect(waitUntil { harness.rejected(.sourceConnectionLimit) == 1 })
        open.removeAll()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(try isServed(header("203.0.113.1:3")))
    }

    @Test("health checks that send nothing leave no count behind")
    func healthChecks() throws {
        apply(limits("p", connections: ConnectionLimit(value: 1)))
        for round in 0..<10 {
            let check = try client(try ProxyBytes.local())
            if round % 2 == 0 { check.close() } else { check.reset() }
            #expect(waitUntil { harness.engine.activeConnections == 0 })
        }
        #expect(try isServed(header("203.0.113.1:1")))
        #expect(harness.metric("sluice_listener_connections_rejected_total") == 0)
    }

    @Test("before TLS: who is denied by the header's address gets access_denied, and no backend hears of it")
    func beforeTLS() throws {
        let ca = try TestPKI.makeCA()
        let rules = Authorization(rules: [allow("office", addresses("203.0.113.0/24"))])
        var listener = tlsListener(
            "t", port: port, mode: try terminate(try ca.issue(dnsNames: ["a.test"])),
            routes: [("a.test", route("a", to: "a"))]
        ).limited(by: limits("p", authorization: rules))
        listener.settings.proxyProtocol = ProxyProtocolReception()
        harness.apply([listener], [backend("a", ports: [echo.port])])
        let options = TLSClientOptions(serverName: "a.test", trust: ca.pem)
        let denied = try client(header("198.51.100.7:1"))
        #expect(throws: StreamError.alert(.accessDenied)) { try TLSTestClient(over: denied, options) }
        #expect(dials == 0)
        let allowed = try TLSTestClient(over: try client(header("203.0.113.7:1")), options)
        #expect(try allowed.receiveLine() == "a")
    }

    @Test("a PostgreSQL client in the clear is judged like any other")
    func inTheClear() throws {
        let rules = Authorization(rules: [allow("office", addresses("127.0.0.2/32"))])
        var listener = tlsListener("t", port: port, routes: [], fallback: route("a", to: "a"))
            .limited(by: limits("p", authorization: rules))
        listener.settings.startTLS = .postgres(plaintextAllowed: true)
        harness.apply([listener], [backend("a", ports: [echo.port])])
        #expect(try !isServed(PostgresBytes.startup))
        #expect(dials == 0)
        #expect(try isServed(PostgresBytes.startup, from: host(2)))
        #expect(waitUntil { harness.rejected(.authorizationDenied) == 1 })
    }
}
