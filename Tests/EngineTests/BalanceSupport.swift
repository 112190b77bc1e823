@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport

/// Echo backends with names, as the endpoints of one backend "a" behind one listener.
struct BalanceBench {
    let harness: EngineHarness
    let echoes: [String: EchoBackend]
    let port: UInt16
    /// By names of echoes: what the backend is made of.
    private(set) var endpoints: [(String, EndpointConfiguration)] = []
    var settings = BackendSettings()
    var acceptsProxyHeaders = false

    init(_ names: String...) throws {
        harness = try EngineHarness()
        echoes = try Dictionary(uniqueKeysWithValues: names.map { ($0, try EchoBackend($0)) })
        port = try freePort()
        for name in names { add(name) }
    }

    /// The same echoes behind another engine, as another replica or after a restart.
    init(restarting other: BalanceBench) throws {
        (harness, echoes, port) = (try EngineHarness(), other.echoes, try freePort())
        (endpoints, settings, acceptsProxyHeaders) = (other.endpoints, other.settings, other.acceptsProxyHeaders)
    }

    mutating func add(_ name: String, weight: Int = 1, zone: String? = nil, preference: UInt8 = 0) {
        let address = SocketAddress(.loopbackV4, echoes[name]?.port ?? 0)
        endpoints.removeAll { $0.0 == name }
        endpoints.append(
            (name, EndpointConfiguration(address: .ip(address), weight: weight, zone: zone, preference: preference)))
    }

    mutating func remove(_ name: String) { endpoints.removeAll { $0.0 == name } }

    /// Nothing is learnt and nothing asked: standings are what ``mark(_:_:)`` says.
    mutating func checkByHand(panicThreshold: Int = 0, startsUnchecked: Bool = false) {
        var active = ActiveHealthCheck()
        (active.interval, active.initialJitter) = (.seconds(3600), .seconds(3600))
        active.startsHealthy = !startsUnchecked
        settings.health = HealthChecking(active: active, panicThreshold: panicThreshold)
    }

    func backend(_ name: String = "a", of names: Set<String>? = nil) -> BackendConfiguration {
        let chosen = endpoints.filter { names?.contains($0.0) ?? true }.map(\.1)
        var backend = BackendConfiguration(id: backendID(name), endpoints: chosen.sorted())
        backend.settings = settings
        return backend
    }

    func apply() { apply(route("r", to: "a"), [backend()]) }

    func apply(_ route: RouteConfiguration, _ backends: [BackendConfiguration]) {
        var listener = tcpListener("db", port: port, route)
        if acceptsProxyHeaders { listener.settings.proxyProtocol = ProxyProtocolReception() }
        harness.apply([listener], backends)
    }

    /// Says how an endpoint stands from now on.
    func mark(_ name: String, _ standing: Standing, backend: String = "a") {
        let port = echoes[name]?.port ?? 0
        harness.engine.withCompiler { compiler, _ in
            for health in compiler.backends[backendID(backend)]?.standings ?? [] {
                guard case .ip(let address) = health.address, address.port == port else { continue }
                _ = health.change(
                    adding: standing, removing: Standing([.unhealthy, .ejected, .unchecked]).subtracting(standing))
            }
        }
        for worker in harness.engine.workers { worker.post(.recheckWaiting) }
    }

    /// Who serves a connection from a client's address, which a PROXY header names; nil: nobody.
    func server(of client: String? = nil) throws -> String? {
        try? open(client).name
    }

    func open(_ client: String? = nil) throws -> (name: String, connection: PlainClient) {
        let connection = try PlainClient(port: port)
        if let client {
            let family = client.contains(":") ? "TCP6" : "TCP4"
            try connection.send("PROXY \(family) \(client) \(client) 1000 2000\r\n")
        }
        return (try connection.receiveLine(), connection)
    }

    /// How many of so many connections each server gets, one after the other.
    func counts(_ connections: Int) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for _ in 0..<connections { counts[try open().name, default: 0] += 1 }
        return counts
    }
}
