import Certificates
import EngineModel
import Platform
import Primitives
import TestSupport

/// A way of connections through the gateway: a listener, a backend, a kind of client.
enum Mode: String, CaseIterable, Sendable {
    case plain, bulk, passthrough, terminate, reencrypt, proxyIn, proxyOut, startTLS, backendStartTLS, health, name,
        unix
    /// Limited bandwidth; endpoints that nobody listens at beside one that serves.
    case limited, retry

    var clientSpeaksTLS: Bool {
        switch self {
        case .passthrough, .terminate, .reencrypt, .startTLS: true
        default: false
        }
    }
}

/// What stays for the whole run: keys, backends, a DNS server, ports, and the configuration that uses all of them.
final class Scene: Sendable {
    let authority: TestCA
    let certificate: TestCertificate
    let dns: TestDNSServer
    let directory: TemporaryDirectory
    let ports: [Mode: UInt16]
    /// Of a listener that comes and goes.
    let passingPort: UInt16
    /// Nobody listens here.
    let deadPort: UInt16
    private let peers: [Mode: Peer]

    init(_ verdict: Verdict) throws {
        let authority = try TestPKI.makeCA("Faults")
        let certificate = try authority.issue(dnsNames: ["a.test"])
        let directory = try TemporaryDirectory()
        (self.authority, self.certificate, self.directory) = (authority, certificate, directory)
        dns = try TestDNSServer()
        // Asked for over UDP first, then over TCP.
        dns.set("backend.test", .truncated([.loopbackV4], ttl: 1))
        ports = try Dictionary(uniqueKeysWithValues: Mode.allCases.map { ($0, try Ports.free()) })
        passingPort = try Ports.free()
        deadPort = try Ports.free()
        var peers: [Mode: Peer] = [:]
        for mode in Mode.allCases {
            var manner = Peer.Manner()
            switch mode {
            case .passthrough, .reencrypt, .backendStartTLS: manner.tls = TLSServerOptions(certificate)
            case .unix: manner.path = directory.path + "/backend"
            default: break
            }
            manner.isAsked = mode == .backendStartTLS
            manner.hasHeader = mode == .proxyOut
            peers[mode] = try Peer(manner, verdict)
        }
        self.peers = peers
    }

    deinit { for peer in peers.values { peer.stop() } }

    /// `variant`: changes something small of each route and backend. `passing`: with the listener that comes and goes.
    func configuration(variant: Int = 0, passing: Bool = false) throws -> EngineConfiguration {
        var listeners = try Mode.allCases.map { try listener($0, variant) }
        if passing { listeners.append(tcp("passing", passingPort, route(.plain, variant))) }
        return EngineConfiguration(
            listeners: listeners.sorted { $0.id < $1.id },
            backends: try Mode.allCases.map { try backend($0, variant) }.sorted { $0.id < $1.id })
    }

    private func tcp(_ name: String, _ port: UInt16, _ route: RouteConfiguration) -> ListenerConfiguration {
        ListenerConfiguration(id: listenerID(name), bindings: [Binding(port: port)], traffic: .tcp(route))
    }

    private func listenerID(_ name: String) -> ListenerID {
        ListenerID(gatewayNamespace: "default", gateway: "edge", listener: name)
    }

    private func backendID(_ mode: Mode) -> BackendID {
        BackendID(kind: "Service", namespace: "default", name: mode.rawValue, port: 80)
    }

    private func route(_ mode: Mode, _ variant: Int) -> RouteConfiguration {
        var route = RouteConfiguration(
            id: RouteID(kind: "TCPRoute", namespace: "default", name: mode.rawValue),
            backends: [.init(weight: 1 + variant % 2, target: .backend(backendID(mode)))])
        route.settings.idleTimeout = .seconds(3000 + variant)
        return route
    }

    private func listener(_ mode: Mode, _ variant: Int) throws -> ListenerConfiguration {
        let port = ports[mode] ?? 0
        var listener: ListenerConfiguration
        if mode.clientSpeaksTLS {
            let termination = TLSTermination(certificates: [try keyPair()])
            listener = ListenerConfiguration(
                id: listenerID(mode.rawValue), bindings: [Binding(port: port)],
                traffic: .tls(
                    TLSListener(
                        hostname: nil, mode: mode == .passthrough ? .passthrough : .terminate(termination), routes: [],
                        fallback: route(mode, variant))))
        } else {
            listener = tcp(mode.rawValue, port, route(mode, variant))
        }
        if mode == .proxyIn { listener.settings.proxyProtocol = ProxyProtocolReception(headerTimeout: .seconds(30)) }
        if mode == .limited {
            let rate = BandwidthLimit.Rate(bytesPerSecond: 500 << 10, burst: 4 << 10)
            listener.limits = [
                ClientLimits(
                    id: LimitID(policy: "default/rate", target: "Gateway default/edge"),
                    bandwidth: BandwidthLimit(request: rate, response: rate))
            ]
        }
        if mode == .startTLS { listener.settings.startTLS = .postgres(plaintextAllowed: false) }
        // Who waits that long hangs: clients notice before.
        listener.settings.inspectionTimeout = .seconds(60)
        listener.settings.tlsHandshakeTimeout = .seconds(60)
        return listener
    }

    private func backend(_ mode: Mode, _ variant: Int) throws -> BackendConfiguration {
        let port = peers[mode]?.port ?? 0
        let address: EndpointAddress =
            switch mode {
            case .unix: .unix(path: directory.path + "/backend")
            case .name: .name("backend.test", port: port)
            default: .ip(SocketAddress(.loopbackV4, port))
            }
        var backend = BackendConfiguration(id: backendID(mode), endpoints: [EndpointConfiguration(address: address)])
        if mode == .retry {
            let dead = (2...4).map { SocketAddress(.v4(0x7f00_0000 + $0), deadPort) }
            backend.endpoints = (backend.endpoints + dead.map { EndpointConfiguration(address: .ip($0)) }).sorted()
            backend.settings.retries = 3
        }
        if mode == .reencrypt || mode == .backendStartTLS {
            backend.tls = BackendTLS(
                trust: .bundles([try trustFacts(pem: Array(authority.pem.utf8)).get()]), hostname: "a.test")
        }
        backend.settings.connectTimeout = .seconds(20)
        backend.settings.retryBaseInterval = .milliseconds(5)
        backend.settings.retryMaxInterval = .milliseconds(10 + variant % 2)
        backend.settings.respectsTTL = false
        backend.settings.dnsRefreshRate = .milliseconds(20)
        if mode == .proxyOut { backend.settings.proxyProtocol = ProxyProtocolSending(version: .v2, fields: [.crc32c]) }
        if mode == .backendStartTLS { backend.settings.startTLS = .postgres }
        if mode == .health { backend.settings.health = HealthChecking(active: check()) }
        return backend
    }

    private func check() -> ActiveHealthCheck {
        var check = ActiveHealthCheck()
        (check.timeout, check.interval, check.initialJitter) = (.seconds(5), .milliseconds(20), .zero)
        check.startsHealthy = true
        check.steps = [.init(.send(Array("PING\n".utf8))), .init(.expect(Array("PONG".utf8)))]
        return check
    }

    private func keyPair() throws -> KeyPairFacts {
        try keyPairFacts(
            certificatePEM: Array(certificate.chainPEM.utf8), privateKeyPEM: Array(certificate.privateKeyPEM.utf8)
        ).get()
    }
}
