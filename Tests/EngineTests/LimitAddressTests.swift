import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Limits by the address of a PROXY header", .timeLimit(.minutes(5)))
struct LimitAddressTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort())
    }

    private func apply(_ limits: ClientLimits) {
        var listener = tcpListener("t", port: port, route("r", to: "a")).limited(by: limits)
        listener.settings.proxyProtocol = ProxyProtocolReception()
        harness.apply([listener], [backend("a", ports: [echo.port])])
    }

    /// A connection as a proxy opens it for a client; nil: refused.
    private func connect(_ client: String, from peer: IPAddress = host(1)) throws -> PlainClient? {
        let address = try #require(IPAddress(client))
        let connection = try PlainClient(from: peer, port: port)
        let header =
            address.isV4
            ? "PROXY TCP4 \(client) 192.0.2.1 40000 443\r\n" : "PROXY TCP6 \(client) 2001:db8::1 40000 443\r\n"
        do {
            try connection.send(header)
            return try connection.receiveLine() == "a" ? connection : nil
        } catch StreamError.reset {
            return nil
        }
    }

    @Test("sources are blocks of clients, whoever the proxy is; an IPv4 address mapped into IPv6 is its IPv4 one")
    func prefixes() throws {
        let bySource = ConnectionLimit.PerSource(value: 2, source: SourcePrefix(v4: 24, v6: 56))
        apply(limits("p", connections: ConnectionLimit(perSource: bySource)))
        var open: [PlainClient] = []
        func isServed(_ client: String, from peer: IPAddress = host(1)) throws -> Bool {
            guard let connection = try connect(client, from: peer) else { return false }
            open.append(connection)
            return true
        }
        #expect(try isServed("192.0.2.1"))
        #expect(try isServed("192.0.2.255", from: host(2)))
        #expect(try !isServed("192.0.2.7", from: host(3)))
        #expect(try !isServed("::ffff:192.0.2.7"))
        #expect(try isServed("192.0.3.1"))
        #expect(try isServed("::ffff:192.0.3.2"))
        #expect(try !isServed("192.0.3.3"))
        #expect(try isServed("2001:db8:0:1::1"))
        #expect(try isServed("2001:db8:0:ff:1::2"))
        #expect(try !isServed("2001:db8:0:42::3"))
        #expect(try isServed("2001:db8:0:100::1"))
        #expect(waitUntil { harness.rejected(.sourceConnectionLimit) == 4 })
        for client in open { try client.exchange("served") }
    }

    @Test("rules see the client of the header, and peer rules the proxy; random rules decide as a naive look does")
    func authorization() throws {
        apply(
            limits(
                "p",
                authorization: Authorization(rules: [
                    .init(
                        name: "both", action: .allow,
                        principal: Principal(
                            clients: [addresses("198.51.100.0/24", "2001:db8::/32")], peers: addresses("127.0.0.2/32")))
                ])))
        #expect(try connect("198.51.100.7", from: host(2)) != nil)
        #expect(try connect("2001:db8::7", from: host(2)) != nil)
        #expect(try connect("198.51.100.7", from: host(1)) == nil)
        #expect(try connect("198.51.101.7", from: host(2)) == nil)
        let line = try #require(harness.log.waitForEntry { $0.text("close_reason") == "authz_denied" })
        #expect(line.text("downstream_remote_address") == "198.51.100.7:40000")
        #expect(line.text("downstream_direct_remote_address")?.contains("127.0.0.1") == true)
    }

    @Test(
        "random rules over random addresses decide as a naive look at each rule does",
        arguments: 1...8 as ClosedRange<UInt64>)
    func naive(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        func address() -> IPAddress {
            let low = random.next() % 4
            return random.next() % 3 == 0
                ? .v6(high: 0x2001_0db8_0000_0000 | low << 14, low: random.next() % 2)
                : .v4(0xc000_0200 | UInt32(low) << 6 | UInt32(random.next() % 4))
        }
        func block() -> CIDR? {
            let address = address()
            return CIDR(address, [0, address.isV4 ? 26 : 50, address.isV4 ? 32 : 128][Int(random.next() % 3)])
        }
        var blocks: [[CIDR]] = []
        let rules = (0..<Int(random.next() % 6)).map { index in
            let own = (0..<Int(random.next() % 3)).compactMap { _ in block() }
            blocks.append(own)
            return Authorization.Rule(
                name: "r\(index)", action: random.next() % 2 == 0 ? .allow : .deny,
                principal: Principal(clients: [CIDRSet(own)]))
        }
        let authorization = Authorization(rules: rules, allowsByDefault: random.next() % 2 == 0)
        apply(limits("p", authorization: authorization))
        for _ in 0..<20 {
            let client = address()
            let match = blocks.indices.first { index in blocks[index].contains { $0.contains(client) } }
            let isAllowed = match.map { rules[$0].action == .allow } ?? authorization.allowsByDefault
            #expect(try (connect("\(client)") != nil) == isAllowed, "seed \(seed): \(client) by \(rules)")
        }
    }
}
