import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Backends by name", .timeLimit(.minutes(5)))
struct NamedBackendTests {
    private func named(_ host: String, port: UInt16) -> BackendConfiguration {
        var backend = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .name(host, port: port))])
        backend.settings.dnsRefreshRate = .milliseconds(50)
        return backend
    }

    /// Connects until a backend greets with the name.
    private func isServed(by name: String, on port: UInt16) -> Bool {
        waitUntil { (try? PlainClient(port: port).receiveLine()) == name }
    }

    @Test("a name that appears, moves and fails: traffic follows it, and stays where it was last")
    func follows() throws {
        let dns = try TestDNSServer()
        let harness = try EngineHarness(dnsServers: dns.address)
        let echo = try EchoBackend("echo")
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [named("db.test", port: echo.port)])
        #expect(waitUntil { dns.questions(for: "db.test") > 0 })
        #expect(try ending(of: port) == .reset)
        dns.set("db.test", .addresses([.loopbackV4], ttl: 1))
        #expect(isServed(by: "echo", on: port))
        dns.set("db.test", .serverFailure)
        let asked = dns.questions(for: "db.test")
        #expect(waitUntil { dns.questions(for: "db.test") >= asked + 4 })
        #expect(isServed(by: "echo", on: port))
        // Nobody listens on this address at the echo backend's port.
        dns.set("db.test", .addresses([.v4(0x7f00_0003)], ttl: 1))
        #expect(waitUntil { (try? PlainClient(port: port).receiveLine()) != "echo" })
        #expect(try ending(of: port) == .reset)
    }
}
