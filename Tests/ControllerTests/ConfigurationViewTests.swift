import Controller
import EngineModel
import Primitives
import Testing

/// What /config says of backends.
@Suite("Views of the configuration")
struct ConfigurationViewTests {
    private func view(_ backend: BackendConfiguration) throws -> ConfigurationView.Backend {
        try #require(ConfigurationView(EngineConfiguration(backends: [backend])).backends.first)
    }

    @Test("what nobody sets is shown as well")
    func defaults() throws {
        let view = try view(
            BackendConfiguration(id: BackendID(kind: "Service", namespace: "a", name: "b", port: 1), endpoints: []))
        #expect(
            view.backend == "Service a/b:1" && view.variant == nil && view.circuitBreakers == nil && view.queue == nil)
        #expect(view.settings.loadBalancer == "LeastRequest" && view.settings.numRetries == 2)
        #expect(view.settings.connectTimeout == "10.0 seconds" && view.settings.activeHealthCheck == nil)
        #expect(view.settings.onEndpointUnhealthy == "Keep" && view.settings.tcpKeepalive == "60 s, then 4 every 15 s")
    }

    @Test("settings, limits and variants")
    func settings() throws {
        let id = BackendID(kind: "Service", namespace: "a", name: "b", port: 1, variant: "with a/p")
        let address = try #require(SocketAddress("10.0.0.1:5"))
        var backend = BackendConfiguration(
            id: id, endpoints: [.init(address: .ip(address), zone: "z1", preference: 1)],
            tls: BackendTLS(trust: .pinsOnly, hostname: "b.example.com"))
        backend.tls?.spkiHashes = ["x", "y"]
        var check = ActiveHealthCheck()
        check.steps = [.init(.close)]
        backend.settings.health.active = check
        backend.settings.loadBalancing.method = .consistentHash(ConsistentHash())
        backend.settings.startTLS = .postgres
        let limit = LimitID(policy: "a/p", target: "Gateway a/g")
        backend.circuitBreakers = [CircuitBreaker(id: limit, maximumConnections: 3)]
        backend.queue = PendingQueue(id: limit, length: 2)
        let view = try view(backend)
        #expect(
            view.variant == "with a/p" && view.endpoints.map(\.zone) == ["z1"]
                && view.endpoints.map(\.preference) == [1])
        #expect(view.tls?.trust == ["pins"] && view.tls?.pins == 2 && view.tls?.minVersion == "1.2")
        #expect(view.settings.loadBalancer == "ConsistentHash by source/32 and /64")
        #expect(view.settings.activeHealthCheck?.steps == 1 && view.settings.startTLS == "Postgres")
        #expect(view.circuitBreakers == [.init(id: limit.description, maxConnections: 3)])
        #expect(view.queue == .init(id: limit.description, maxPendingConnections: 2, queueTimeout: "5.0 seconds"))
    }
}
