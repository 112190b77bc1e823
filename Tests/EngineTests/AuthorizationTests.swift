import Certificates
import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Authorization of plain connections", .timeLimit(.minutes(5)))
struct AuthorizationTests: LimitedEcho {
    let harness: EngineHarness
    let echo: EchoBackend
    let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort())
    }

    @Test("a denied client is reset, never reaches a backend, is counted once and named in the log")
    func denied() throws {
        let rules = Authorization(rules: [allow("office", addresses("127.0.0.2/31"))])
        apply(listener: [limits("p", authorization: rules)])
        for _ in 0..<5 { #expect(try !isServed(port, from: host(1))) }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(dials == 0)
        #expect(try isServed(port, from: host(2)))
        #expect(try isServed(port, from: host(3)))
        #expect(try !isServed(port, from: host(4)))
        #expect(waitUntil { dials == 2 })
        #expect(waitUntil { harness.rejected(.authorizationDenied) == 6 })
        #expect(waitUntil { harness.closed(.clientClosed) == 2 })
        #expect(harness.closed(.authorizationDenied) == 0)
        #expect(waitUntil { harness.metric("sluice_tcp_connections_opened_total") == 2 })
        let line = try #require(harness.log.waitForEntry { $0.text("close_reason") == "authz_denied" })
        #expect(line.text("policy") == "default/p")
        #expect(line.text("authz_rule") == "")
        let entry = "policy=\"default/p\",rule=\"office\",action=\"allow\""
        #expect(waitUntil { harness.metric("sluice_authorization_decisions_total", entry, "gateway=\"edge\"") == 2 })
        #expect(waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"\",action=\"deny\"") == 6 })
        #expect(harness.doubledSeries == [])
    }

    @Test("a rule that denies is named; what the route asks is counted on the route")
    func routeLevel() throws {
        let rules = Authorization(rules: [deny("blocked", addresses("127.0.0.9/32"))], allowsByDefault: true)
        apply(route: [limits("p", authorization: rules)])
        #expect(try !isServed(port, from: host(9)))
        #expect(try isServed(port, from: host(8)))
        #expect(waitUntil { dials == 1 })
        #expect(waitUntil { harness.closed(.authorizationDenied) == 1 })
        #expect(harness.rejected(.authorizationDenied) == 0)
        let line = try #require(harness.log.waitForEntry { $0.text("close_reason") == "authz_denied" })
        #expect(line.text("authz_rule") == "blocked")
        #expect(
            waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"blocked\"", "route=\"r\"") == 1 }
        )
    }

    @Test("every level must pass: a route tightens what its listener allows, and never loosens it")
    func levels() throws {
        let wide = Authorization(rules: [allow("wide", addresses("127.0.0.0/29"))])
        let narrow = Authorization(rules: [allow("narrow", addresses("127.0.0.4/30", "127.0.0.64/32"))])
        apply(
            listener: [
                limits("all", authorization: Authorization(rules: [], allowsByDefault: true)),
                limits("wide", authorization: wide),
            ],
            route: [limits("narrow", authorization: narrow)])
        for last in [1, 4, 7, 8, 64] as [UInt8] {
            #expect(try isServed(port, from: host(last)) == (last == 4 || last == 7), "127.0.0.\(last)")
        }
        #expect(waitUntil { dials == 2 })
        #expect(waitUntil { harness.closed(.authorizationDenied) == 1 })
        #expect(waitUntil { harness.rejected(.authorizationDenied) == 2 })
    }

    @Test("an audit counts and logs, and the next rules decide")
    func audit() throws {
        let rules = Authorization(
            rules: [
                .init(name: "seen", action: .audit, principal: Principal(clients: [addresses("127.0.0.0/24")])),
                .init(name: "other", action: .audit, principal: Principal(clients: [addresses("10.0.0.0/8")])),
                deny("blocked", addresses("127.0.0.9/32")),
            ], allowsByDefault: true)
        apply(listener: [limits("p", authorization: rules)])
        #expect(try isServed(port, from: host(8)))
        #expect(try !isServed(port, from: host(9)))
        let audits = harness.log.entries.filter { $0.text("authz_rule") == "seen" }
        #expect(audits.count == 2)
        #expect(audits.allSatisfy { $0.text("policy") == "default/p" && $0.text("close_reason") == nil })
        #expect(
            waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"seen\",action=\"audit\"") == 2 })
        #expect(harness.metric("sluice_authorization_decisions_total", "rule=\"other\"") == 0)
        #expect(
            waitUntil {
                harness.metric("sluice_authorization_decisions_total", "rule=\"blocked\",action=\"deny\"") == 1
            })
    }

    @Test("names and certificates never match on plain TCP; too many rules let nobody in; peers are looked at")
    func inputs() throws {
        let name = Principal(serverNames: [HostnamePattern("a.test")].compactMap { $0 })
        let certificate = Principal(certificate: CertificatePrincipal(uris: [.prefix("")]))
        apply(listener: [
            limits(
                "p",
                authorization: Authorization(rules: [
                    .init(name: "name", action: .allow, principal: name),
                    .init(name: "certificate", action: .allow, principal: certificate),
                    .init(
                        name: "peer", action: .allow, principal: Principal(peers: addresses("127.0.0.5/32"))),
                ]))
        ])
        #expect(try !isServed(port, from: host(1)))
        #expect(try isServed(port, from: host(5)))
        let many = (0..<65).map { allow("r\($0)", addresses("0.0.0.0/0", "::/0")) }
        apply(listener: [limits("p", authorization: Authorization(rules: many, allowsByDefault: true))])
        #expect(try !isServed(port, from: host(5)))
        #expect(waitUntil { dials == 1 })
    }

    @Test("a hundred thousand blocks, IPv6 clients, and a rule's addresses that change")
    func manyBlocks() throws {
        let many = CIDRSet(
            (0..<100_000 as Range<UInt32>).compactMap { CIDR(.v4(0x0a00_0000 + $0 * 2), 32) }
                + [CIDR("127.0.0.7/32"), CIDR("::1/128")].compactMap { $0 })
        apply(listener: [limits("p", authorization: Authorization(rules: [allow("many", many)]))])
        #expect(try isServed(port, from: host(7)))
        #expect(try isServed(port, from: .loopbackV6))
        #expect(try !isServed(port, from: host(6)))
        apply(listener: [limits("p", authorization: Authorization(rules: [allow("many", addresses("127.0.0.6/32"))]))])
        #expect(try !isServed(port, from: host(7)))
        #expect(try !isServed(port, from: .loopbackV6))
        #expect(try isServed(port, from: host(6)))
        #expect(
            waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"many\",action=\"allow\"") == 3 })
    }

    @Test("a changed policy ends the sessions that it no longer allows, where it says so", arguments: [false, true])
    func terminates(says: Bool) throws {
        func rules(_ blocks: CIDRSet) -> [ClientLimits] {
            [limits("p", authorization: Authorization(rules: [allow("r", blocks)], terminatesExisting: says))]
        }
        apply(listener: rules(addresses("127.0.0.0/24")))
        let (kept, lost) = (try openClient(port, from: host(2)), try openClient(port, from: host(3)))
        apply(listener: rules(addresses("127.0.0.2/32")))
        if says {
            #expect(try lost.waitForEnd() == .fin)
            #expect(waitUntil { harness.closed(.authorizationDenied) == 1 })
            #expect(waitUntil { harness.total("sluice_config_sessions_disrupted_total") == 1 })
            let line = try #require(harness.log.waitForEntry { $0.message == "session is no longer allowed" })
            #expect(line.text("downstream_remote_address")?.hasPrefix("127.0.0.3:") == true)
        } else {
            try lost.exchange("still here")
        }
        try kept.exchange("still here")
        #expect(try !isServed(port, from: host(3)))
        // Moved to the route, whose policy never was another.
        apply(route: rules(addresses("127.0.0.3/32")))
        if says { #expect(try kept.waitForEnd() == .fin) } else { try kept.exchange("still here") }
    }
}
