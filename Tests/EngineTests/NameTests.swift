import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Endpoints by name", .timeLimit(.minutes(5)))
struct NameTests {
    private let server: TestDNSServer
    private let harness: EngineHarness

    init() throws {
        server = try TestDNSServer()
        harness = try EngineHarness(dnsServers: server.address)
    }

    private func named(_ name: String, port: UInt16) -> BackendConfiguration {
        var settings = BackendSettings()
        settings.dnsRefreshRate = .milliseconds(20)
        settings.connectTimeout = .seconds(5)
        return BackendConfiguration(
            id: backendID("n"), endpoints: [EndpointConfiguration(address: .name(name, port: port))], settings: settings
        )
    }

    @Test("a connection that comes before the first answer waits for it")
    func waits() throws {
        let echo = try EchoBackend("here")
        let port = try freePort()
        server.set("db.example", .silence)
        harness.apply([tcpListener("db", port: port, route("r", to: "n"))], [named("db.example", port: echo.port)])
        let client = try PlainClient(port: port)
        #expect(waitUntil { server.questions(for: "db.example") > 0 })
        server.set("db.example", .addresses([.loopbackV4], ttl: 1))
        #expect(try client.receiveLine() == "here")
    }

    @Test("a name that does not exist refuses with dns_error")
    func missing() throws {
        let port = try freePort()
        server.set("gone.example", .noSuchName)
        harness.apply([tcpListener("db", port: port, route("r", to: "n"))], [named("gone.example", port: 1)])
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.dnsError) == 1 })
    }
}
