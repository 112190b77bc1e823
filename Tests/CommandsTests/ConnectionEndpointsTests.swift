import EngineModel
import FoundationEssentials
import Inspection
import Platform
import Primitives
import TestSupport
import Testing

@testable import Commands

@Suite("Connections at the admin address", .timeLimit(.minutes(3)))
struct ConnectionEndpointsTests {
    private let folder: TemporaryDirectory
    private let gateway: RunningGateway

    init() throws {
        folder = try TemporaryDirectory()
        gateway = try RunningGateway(folder: folder.path, "--accept-grace", "0s")
    }

    private func end() throws {
        gateway.signals.send(.terminate)
        #expect(try gateway.exitCode() == 0)
    }

    private func list(_ query: String = "") throws -> ConnectionList {
        let answer = try gateway.admin("GET", "/connections\(query)")
        #expect(answer.status == 200, "\(answer.body)")
        return try JSONDecoder().decode(ConnectionList.self, from: Data(answer.body.utf8))
    }

    @Test("the list says what is known of each connection, and leaves out what is not")
    func shows() throws {
        let open = [try Connections.relaying(1 << 60), try Connections.handshaking(2)]
        gateway.dataPlane.update { $0.open = open }
        let answer = try list()
        #expect(answer == ConnectionList(total: 2, connections: open.map { ConnectionView($0) }))
        #expect(answer.connections.map(\.id) == ["1152921504606846976", "2"])
        let text = try gateway.admin("GET", "/connections?id=2").body
        #expect(
            text == #"{"connections":[{"ageMilliseconds":20,"attempts":0,"client":"[2001:db8::1]:4711","id":"2","#
                + #""idleMilliseconds":0,"peer":"[2001:db8::1]:4711","requestBytes":0,"responseBytes":0,"#
                + #""state":"handshaking"}],"total":1}"# + "\n")
        try end()
    }

    @Test("what a client says of itself is escaped")
    func escapes() throws {
        var info = try Connections.relaying(1)
        info.serverName = "\u{1B}[2J\"\\\n\u{202E}x"
        gateway.dataPlane.update { [info] in $0.open = [info] }
        #expect(try list().connections.first?.serverName == info.serverName)
        #expect(try !gateway.admin("GET", "/connections").body.dropLast().contains("\n"))
        try end()
    }

    @Test("filters, order and limit hold, and the total counts what fits")
    func selects() throws {
        let open = try (1...3000).map { number in
            try Connections.relaying(
                UInt64(number), age: .seconds(number), bytes: (UInt64(number % 7), UInt64(number % 11)))
        }
        gateway.dataPlane.update { $0.open = open.shuffled() }
        let plain = try list()
        #expect(plain.total == 3000)
        #expect(plain.connections.map(\.id) == (2001...3000).reversed().map { "\($0)" })
        let least = try list("?sort=age&order=ascending&limit=2&minAge=10s&client=10.0.0.0%2F8")
        #expect(least.total == 2991)
        #expect(least.connections.map(\.id) == ["10", "11"])
        let bytes = try list("?sort=bytes&limit=5").connections.map { $0.requestBytes + $0.responseBytes }
        #expect(bytes == [16, 16, 16, 16, 16])
        #expect(try list("?state=queued").total == 0)
        try end()
    }

    @Test(
        "a query that cannot be understood is answered with 400, and what is allowed",
        arguments: [
            ("?rout=x", "did you mean 'route'?"), ("?limit=0", "limit: '0' is not allowed; allowed: 1 to 50000"),
            ("?sort=client", "sort: 'client' is not allowed; allowed: age, idle"),
            ("?order=up", "order: 'up' is not allowed; allowed: ascending, descending"), ("?state", "state: '' is not"),
            ("?all=true", "'all' is no field"),
        ])
    func refuses(query: String, words: String) throws {
        let answer = try gateway.admin("GET", "/connections\(query)")
        #expect(answer.status == 400)
        #expect(answer.body.contains(words), "\(answer.body)")
        try end()
    }

    @Test("closing needs POST, the header field and a filter; it ends those that fit and answers with them")
    func closes() throws {
        let open = try [1, 2, 3].map { try Connections.relaying($0, client: "10.0.0.\($0):1") }
        gateway.dataPlane.update { $0.open = open }
        #expect(try gateway.admin("GET", "/connections/close?id=1", "X-Sluice-Action: close").status == 405)
        #expect(try gateway.admin("POST", "/connections/close?id=1").status == 403)
        #expect(try gateway.admin("POST", "/connections?id=1", "X-Sluice-Action: close").status == 405)
        for (query, words) in [
            ("", "at least one filter, or all=true"), ("?all=yes", "'all' is no field"),
            ("?all=true&id=1", "goes with no filter"), ("?id=x", "id: 'x'"), ("?limit=1", "'limit' is no field"),
        ] {
            let answer = try gateway.admin("POST", "/connections/close\(query)", "X-Sluice-Action: close")
            #expect(answer.status == 400)
            #expect(answer.body.contains(words), "\(query): \(answer.body)")
        }
        #expect(gateway.dataPlane.state.update { $0.open.count } == 3)
        let one = try gateway.admin("POST", "/connections/close?client=10.0.0.2", "X-Sluice-Action: close")
        let closed = try JSONDecoder().decode(ClosedConnections.self, from: Data(one.body.utf8))
        #expect(closed.closed == [ConnectionView(open[1])])
        #expect(gateway.dataPlane.state.update { $0.open } == [open[0], open[2]])
        let rest = try gateway.admin("POST", "/connections/close?all=true", "X-Sluice-Action: close")
        #expect(rest.status == 200)
        #expect(gateway.dataPlane.state.update { $0.open.isEmpty })
        try end()
    }
}

@Suite("Rates of connections")
struct ConnectionRatesTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func look(_ rates: ConnectionRates, _ time: MonotonicTime, _ infos: [ConnectionInfo]) -> [UInt64?] {
        let reference = rates.reference(now: time)
        var look = ConnectionRates.Look(time: time)
        for info in infos { look.note(info) }
        rates.keep(look)
        return infos.map { reference?.rates(of: $0, now: time)?.request }
    }

    @Test("a rate is what moved since the look before; a connection that came since then counts from its start")
    func since() throws {
        let rates = ConnectionRates()
        let first = try Connections.relaying(1, age: .seconds(100), bytes: (1000, 0))
        #expect(look(rates, start, [first]) == [nil])
        let more = try Connections.relaying(1, age: .seconds(102), bytes: (5000, 0))
        let new = try Connections.relaying(2, age: .seconds(1), bytes: (500, 0))
        let unseen = try Connections.relaying(3, age: .seconds(50), bytes: (500, 0))
        #expect(look(rates, start + .seconds(2), [more, new, unseen]) == [2000, 500, nil])
    }

    @Test("looks in quick succession are compared with one that is a second old; one from long ago tells nothing")
    func spacing() throws {
        let rates = ConnectionRates()
        func info(_ bytes: UInt64) throws -> ConnectionInfo {
            try Connections.relaying(1, age: .seconds(1000), bytes: (bytes, 0))
        }
        #expect(look(rates, start, [try info(0)]) == [nil])
        #expect(look(rates, start + .milliseconds(100), [try info(100)]) == [nil])
        #expect(look(rates, start + .seconds(1), [try info(1000)]) == [1000])
        #expect(look(rates, start + .milliseconds(1500), [try info(3000)]) == [2000])
        #expect(look(rates, start + .seconds(100), [try info(9000)]) == [nil])
    }
}
