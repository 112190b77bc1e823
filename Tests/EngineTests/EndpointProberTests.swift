import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Probing a backend", .timeLimit(.minutes(1)))
struct EndpointProberTests {
    private let prober: EndpointProber

    init() {
        ignoreBrokenPipeSignal()
        prober = EndpointProber(logger: .disabled)
    }

    @Test("each endpoint once, step by step")
    func steps() throws {
        let server = try ScriptedServer { stream in
            _ = try stream.receiveLine()
            try stream.send("+PONG\r\n")
            _ = try stream.receiveLine()
            try stream.send("role:slave\r\n")
        }
        let dead = try freePort()
        let check = activeCheck([send("PING\r\n"), expect("+PONG"), send("role\n"), expect("role:master")])
        let result = try prober.probe(backend("a", ports: [server.port, dead], check: check))
        #expect(!result.passed && result.problems.isEmpty)
        let said = try #require(result.endpoints.first { $0.endpoint == "127.0.0.1:\(server.port)" })
        #expect(
            said.steps.map(\.action)
                == ["connect", #"send "PING\r\n""#, #"expect "+PONG""#, #"send "role\n""#, #"expect "role:master""#])
        #expect(said.steps.map(\.passed) == [true, true, true, true, false])
        #expect(said.steps.map(\.received) == ["", "", "+PONG", "", #"\r\nrole:slave\r\n"#])
        #expect(said.steps.last?.problem == "the endpoint closed")
        #expect(!said.passed)
        let refused = try #require(result.endpoints.first { $0.endpoint == "127.0.0.1:\(dead)" })
        #expect(refused.steps.map(\.action) == ["connect"])
        #expect(refused.steps.first?.problem?.contains("refused") == true)
        #expect(server.count == 1)
    }

    @Test("without a check it connects, over TLS where connections do")
    func noCheck() throws {
        let ca = try TestPKI.makeCA("Backends")
        let server = try ScriptedServer(tls: TLSServerOptions(try ca.issue(dnsNames: ["db.test"]))) {
            _ = try $0.receive(max: 1, timeout: .seconds(5))
        }
        let tls = BackendTLS(trust: .bundles(try trust(ca)), hostname: "db.test")
        let result = try prober.probe(backend("a", ports: [server.port], tls: tls))
        #expect(result.passed)
        #expect(result.endpoints.first?.steps.map(\.action) == ["connect", "tls"])
        let other = BackendTLS(trust: .bundles(try trust(ca)), hostname: "other.test")
        let refused = try prober.probe(backend("a", ports: [server.port], tls: other))
        #expect(refused.endpoints.first?.steps.map(\.passed) == [true, false])
        #expect(refused.endpoints.first?.steps.last?.problem?.contains("backend_cert_name_mismatch") == true)
    }

    @Test("a backend without endpoints has not passed")
    func nothing() throws {
        let result = try prober.probe(backend("a", ports: []))
        #expect(!result.passed && result.endpoints.isEmpty)
    }
}
