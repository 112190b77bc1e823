internal import Engine
internal import EngineModel
internal import Glibc
internal import Observability
internal import Platform
internal import Primitives
internal import TestSupport

/// What a listener does before bytes flow.
enum ListenerMode: String, CaseIterable, Sendable {
    case plain
    /// PROXY protocol required.
    case proxied
    /// PROXY protocol optional, and one of our own towards the backend.
    case optional
    /// TLS passed through by name.
    case passthrough
    /// The same behind PostgreSQL's request for TLS.
    case postgres
    /// Nobody listens at the backend.
    case dead
}

/// An engine with one worker, a listener for each mode, and a backend that the fuzzer is itself.
final class EngineUnderTest: Sendable {
    /// One for the process: its worker is a thread.
    static let shared = Result { try EngineUnderTest() }
    /// Bytes of the header that `optional` puts before a client's.
    static let ownFields: [ProxyProtocolSending.Field] = [.crc32c]

    let engine: Engine
    let ports: [ListenerMode: UInt16]
    /// Where its backend listens.
    let backend: FileDescriptor

    private init() throws {
        ignoreBrokenPipeSignal()
        engine = try Engine(options: EngineOptions(workers: 1, maxConnections: 200), logger: .disabled)
        backend = try StreamSocket.listen(on: SocketAddress(.loopbackV4, 0), backlog: 16)
        guard let address = StreamSocket.localAddress(of: backend) else { throw TestFailure("no address") }
        ports = try Dictionary(uniqueKeysWithValues: ListenerMode.allCases.map { ($0, try Ports.free()) })
        let listeners = ListenerMode.allCases.map { EngineUnderTest.listener($0, ports[$0] ?? 0) }
        let dead = try Ports.free()
        let backends = ListenerMode.allCases.map { mode in
            var configuration = BackendConfiguration(
                id: EngineUnderTest.backend(mode),
                endpoints: [.init(address: .ip(mode == .dead ? SocketAddress(.loopbackV4, dead) : address))])
            configuration.settings.retries = 0
            if mode == .optional {
                configuration.settings.proxyProtocol = .init(version: .v2, fields: EngineUnderTest.ownFields)
            }
            return configuration
        }
        let acknowledgement = engine.apply(
            EngineConfiguration(
                listeners: listeners.sorted { $0.id < $1.id }, backends: backends.sorted { $0.id < $1.id }))
        for (binding, state) in acknowledgement.bindings where state != .bound {
            throw TestFailure("\(binding) is not bound: \(state)")
        }
    }

    private static func backend(_ mode: ListenerMode) -> BackendID {
        BackendID(kind: "Service", namespace: "default", name: mode.rawValue, port: 80)
    }

    private static func listener(_ mode: ListenerMode, _ port: UInt16) -> ListenerConfiguration {
        let route = RouteConfiguration(
            id: RouteID(kind: "TCPRoute", namespace: "default", name: mode.rawValue),
            backends: [.init(weight: 1, target: .backend(backend(mode)))])
        let isTLS = mode == .passthrough || mode == .postgres
        let names = HostnamePattern("a.test").map { [TLSListener.HostnameRoute(hostname: $0, route: route)] } ?? []
        var listener = ListenerConfiguration(
            id: listenerID(mode), bindings: [Binding(address: .loopbackV4, port: port)],
            traffic: isTLS ? .tls(TLSListener(hostname: nil, mode: .passthrough, routes: names)) : .tcp(route))
        // Nothing here waits for a time to be over.
        listener.settings.inspectionTimeout = .seconds(60)
        let waiting = Duration.seconds(60)
        if mode == .proxied { listener.settings.proxyProtocol = .init(mode: .required, headerTimeout: waiting) }
        if mode == .optional { listener.settings.proxyProtocol = .init(mode: .optional, headerTimeout: waiting) }
        if mode == .postgres { listener.settings.startTLS = .postgres(plaintextAllowed: false) }
        return listener
    }

    private static func listenerID(_ mode: ListenerMode) -> ListenerID {
        ListenerID(gatewayNamespace: "default", gateway: "edge", listener: mode.rawValue)
    }

    /// Connections that have not ended.
    var open: Int { engine.activeConnections }

    /// What has been counted at a listener and its route.
    struct Counts: Equatable {
        var ends: [CloseReason: Int] = [:]
        var active = 0
        var requestBytes = 0
        var responseBytes = 0

        var total: Int { ends.values.reduce(0, +) }
    }

    func counts(_ mode: ListenerMode) -> Counts {
        let (report, id) = (engine.traffic(), EngineUnderTest.listenerID(mode))
        var counts = Counts()
        for (reason, count) in report.listeners[id]?.rejected ?? [:] { counts.ends[reason, default: 0] += Int(count) }
        counts.active = Int(report.listeners[id]?.active ?? 0)
        for (use, traffic) in report.routes where use.listener == id {
            for (reason, count) in traffic.closed { counts.ends[reason, default: 0] += Int(count) }
            counts.requestBytes += Int(traffic.requestBytes)
            counts.responseBytes += Int(traffic.responseBytes)
        }
        return counts
    }
}
