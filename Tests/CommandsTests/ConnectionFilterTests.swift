import EngineModel
import Testing

@testable import Commands

@Suite("Filters of connections")
struct ConnectionFilterTests {
    private func admits(_ filters: [(name: String, value: String)], _ info: ConnectionInfo) throws -> Bool {
        try ConnectionFilter(filters).admits(info)
    }

    @Test(
        "every field admits what it names and refuses the rest",
        arguments: [
            ("id", ["7"], ["8"]), ("state", ["relaying"], ["queued", "handshaking"]),
            ("listener", ["infra/edge/redis"], ["infra/edge", "-"]),
            ("gateway", ["infra/edge"], ["edge", "infra/other"]),
            ("port", ["6379"], ["80"]),
            ("route", ["infra/redis", "TLSRoute infra/redis"], ["TCPRoute infra/redis", "-"]),
            (
                "backend",
                ["infra/redis", "infra/redis:6379", "Service infra/redis", "Service infra/redis:6379"],
                ["infra/redis:80", "Backend infra/redis", "-"]
            ),
            ("endpoint", ["10.9.0.7:6379", "10.9.0.7"], ["10.9.0.7:80", "10.9.0.70", "-"]),
            ("client", ["10.0.0.0/8", "10.1.2.3", "10.1.2.3:4711", "::ffff:10.1.2.3"], ["10.1.2.4", "2001:db8::/32"]),
            ("peer", ["192.0.2.1"], ["10.0.0.0/8"]), ("proxyUniqueID", ["lb-7"], ["lb", "-"]),
            ("proxyProtocolVersion", ["2"], ["1", "-"]),
            ("sni", ["redis.example.com", "*.example.com", "*.COM"], ["*.example.org", "example.com", "-"]),
            ("tlsVersion", ["TLSv1.3"], ["TLSv1.2"]), ("tlsCipher", ["TLS_AES_256_GCM_SHA384"], ["x"]),
            ("alpn", ["redis"], ["h2", "-"]), ("minAge", ["90s", "1m30s"], ["91s"]), ("maxAge", ["90s"], ["89s"]),
            ("idle", ["3s", "0s"], ["4s"]), ("maxIdle", ["3s"], ["2s"]), ("minBytes", ["3000", "2Ki"], ["3001"]),
            ("minRequestBytes", ["1000"], ["1001"]), ("minResponseBytes", ["2000"], ["2001"]),
            ("minAttempts", ["1", "0"], ["2"]),
        ] as [(String, [String], [String])])
    func fields(name: String, admitted: [String], refused: [String]) throws {
        let info = try Connections.relaying(7)
        for value in admitted { #expect(try admits([(name, value)], info), "\(name)=\(value)") }
        for value in refused { #expect(try !admits([(name, value)], info), "\(name)=\(value)") }
    }

    @Test("a dash asks for what is not known")
    func absent() throws {
        let info = try Connections.handshaking(1)
        let names = ["listener", "gateway", "route", "backend", "endpoint", "proxyUniqueID", "proxyProtocolVersion"]
        for name in names + ["sni", "tlsVersion", "tlsCipher", "alpn"] {
            #expect(try admits([(name, "-")], info), "\(name)")
        }
        #expect(try !admits([("port", "6379")], info))
    }

    @Test("one field's values are alternatives, and fields have to agree")
    func combination() throws {
        let info = try Connections.relaying(7)
        #expect(try admits([("state", "queued"), ("state", "relaying")], info))
        #expect(try !admits([("state", "relaying"), ("port", "80")], info))
        #expect(ConnectionFilter().admits(info) && ConnectionFilter().isEmpty)
    }

    @Test(
        "an unknown field and a bad value are named, with what is allowed",
        arguments: [
            ("rout", "x", "'rout' is no field of connections; did you mean 'route'? (allowed: id, state, listener"),
            ("state", "open", "state: 'open' is not allowed; allowed: inspecting, handshaking, queued"),
            ("port", "0", "port: '0' is not allowed; allowed: 1 to 65535"),
            ("client", "10.0.0", "client: '10.0.0' is not allowed; allowed: an address such as 10.0.0.7"),
            ("minAge", "5", "minAge: '5' is not allowed; allowed: a duration such as"),
            ("minBytes", "-1", "minBytes: '-1' is not allowed; allowed: bytes such as"),
            ("sni", "a*b", "sni: 'a*b' is not allowed"), ("sni", "", "sni: '' is not allowed"),
            ("id", "x", "id: 'x' is not allowed"), ("route", "", "route: '' is not allowed"),
            ("minAttempts", "-1", "minAttempts: '-1' is not allowed"),
        ])
    func problems(name: String, value: String, words: String) throws {
        let problem = try #require(throws: ConnectionFilter.Problem.self) { try ConnectionFilter([(name, value)]) }
        #expect(problem.message.hasPrefix(words), "\(problem.message)")
    }

    @Test("each field has a flag of its own, which no other flag has")
    func flags() {
        let names = CommandDescription.connections.flags.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(ConnectionFilter.fields.map(\.flagName).contains("min-request-bytes"))
        #expect(ConnectionFilter.fields.map(\.flagName).contains("proxy-unique-id"))
        #expect(Set(CommandDescription.connections.flags.map(\.environment)).count == names.count)
    }
}
