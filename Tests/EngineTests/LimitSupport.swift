import EngineModel
import Platform
import Primitives
import TestSupport

/// An address of the host's own, 127.0.0.`last`: what a client's connections come from.
func host(_ last: UInt8) -> IPAddress { .v4(0x7f00_0000 | UInt32(last)) }

func addresses(_ texts: String...) -> CIDRSet { CIDRSet(texts.compactMap { CIDR($0) }) }

func limits(
    _ policy: String, authorization: Authorization? = nil, connections: ConnectionLimit? = nil,
    rate: ConnectionRateLimit? = nil
) -> ClientLimits {
    ClientLimits(
        id: LimitID(policy: "default/\(policy)", target: "Gateway default/edge"), authorization: authorization,
        connections: connections, connectionRate: rate)
}

func allow(_ name: String, _ clients: CIDRSet) -> Authorization.Rule {
    Authorization.Rule(name: name, action: .allow, principal: Principal(clients: [clients]))
}

func deny(_ name: String, _ clients: CIDRSet) -> Authorization.Rule {
    Authorization.Rule(name: name, action: .deny, principal: Principal(clients: [clients]))
}

extension ListenerConfiguration {
    func limited(by limits: ClientLimits...) -> ListenerConfiguration {
        var listener = self
        listener.limits = limits
        return listener
    }
}

extension RouteConfiguration {
    func limited(by limits: ClientLimits...) -> RouteConfiguration {
        var route = self
        route.limits = limits
        return route
    }
}

/// Whether a connection from an address is served: by a backend that greets with "a". A refused one is reset.
func isServed(_ port: UInt16, from source: IPAddress = host(1)) throws -> Bool {
    guard let client = try? PlainClient(from: source, port: port) else { return false }
    do {
        return try client.receiveLine() == "a"
    } catch StreamError.reset {
        return false
    } catch let error as Errno where error == .connectionReset {
        return false
    }
}

/// A served connection that stays open.
func openClient(_ port: UInt16, from source: IPAddress = host(1)) throws -> PlainClient {
    let client = try PlainClient(from: source, port: port)
    guard try client.receiveLine() == "a" else { throw TestFailure("another greeting") }
    return client
}

/// A suite with one plain listener and an echo that counts who comes.
protocol LimitedEcho {
    var harness: EngineHarness { get }
    var echo: EchoBackend { get }
    var port: UInt16 { get }
}

extension LimitedEcho {
    /// Serves the echo, with the limits of the listener and of the route.
    func apply(listener: [ClientLimits] = [], route limits: [ClientLimits] = []) {
        var served = route("r", to: "a")
        served.limits = limits
        var entry = tcpListener("t", port: port, served)
        entry.limits = listener
        harness.apply([entry], [backend("a", ports: [echo.port])])
    }

    /// Connections that reached the backend.
    var dials: Int { echo.accepted.withLock { $0 } }
}
