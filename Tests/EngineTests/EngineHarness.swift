import Certificates
import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport

/// An engine of two workers, and short ways to say what it serves.
final class EngineHarness: Sendable {
    let engine: Engine
    let log: MemoryLog

    init(
        workers: Int = 2, maxConnections: Int = 2000, bufferMemory: Int = 64 << 20, dnsServers: String? = nil,
        inheritedListeners: [Binding: [Int32]] = [:], holdsListeners: Bool = false, log: MemoryLog = MemoryLog(),
        accessLog: AccessLog? = nil
    ) throws {
        self.log = log
        ignoreBrokenPipeSignal()
        _ = Host.raiseDescriptorLimit()
        var options = EngineOptions(
            workers: workers, maxConnections: maxConnections, bufferMemory: bufferMemory, dnsServers: dnsServers)
        options.inheritedListeners = inheritedListeners
        options.holdsListeners = holdsListeners
        engine = try Engine(options: options, logger: Logger(recordingTo: log), accessLog: accessLog)
    }

    deinit { engine.stop() }

    @discardableResult
    func apply(_ listeners: [ListenerConfiguration], _ backends: [BackendConfiguration]) -> Acknowledgement {
        engine.apply(
            EngineConfiguration(
                listeners: listeners.sorted { $0.id < $1.id }, backends: backends.sorted { $0.id < $1.id }))
    }

    /// The value of the series whose name and labels contain all of `parts`; 0 without one.
    func metric(_ name: String, _ parts: String...) -> Double {
        var text = PrometheusText()
        engine.writeMetrics(into: &text)
        return text.text.split(separator: "\n").filter { line in
            line.hasPrefix(name + "{") && parts.allSatisfy { line.contains($0) }
        }.compactMap { Double($0.split(separator: " ").last ?? "") }.reduce(0, +)
    }

    /// The value of a series without labels; -1 without it.
    func total(_ name: String) -> Double {
        var text = PrometheusText()
        engine.writeMetrics(into: &text)
        let line = text.text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line?.split(separator: " ").last.flatMap { Double($0) } ?? -1
    }

    /// Series that stand more than once in what is scraped: none may.
    var doubledSeries: [String] {
        var text = PrometheusText()
        engine.writeMetrics(into: &text)
        let series = text.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { line in line.lastIndex(of: " ").map { String(line[..<$0]) } ?? String(line) }
        return Dictionary(grouping: series, by: \.self).filter { $0.value.count > 1 }.keys.sorted()
    }

    func closed(_ reason: CloseReason) -> Double {
        metric("sluice_tcp_connections_closed_total", "reason=\"\(reason.rawValue)\"")
    }

    func rejected(_ reason: CloseReason) -> Double {
        metric("sluice_listener_connections_rejected_total", "reason=\"\(reason.rawValue)\"")
    }
}

/// See ``Ports``.
func freePort() throws -> UInt16 { try Ports.free() }

/// How a connection that is refused ends; the reset may be there before connect returns.
func ending(of port: UInt16) throws -> StreamEnd {
    do {
        return try PlainClient(port: port).waitForEnd()
    } catch let error as Errno where error == .connectionReset {
        return .reset
    }
}

func listenerID(_ name: String) -> ListenerID {
    ListenerID(gatewayNamespace: "default", gateway: "edge", listener: name)
}

func backendID(_ name: String) -> BackendID { BackendID(kind: "Service", namespace: "default", name: name, port: 80) }

func route(_ name: String, to backends: [(String, Int)], alpn: [String] = []) -> RouteConfiguration {
    RouteConfiguration(
        id: RouteID(kind: "TCPRoute", namespace: "default", name: name),
        backends: backends.map { .init(weight: $0.1, target: .backend(backendID($0.0))) }, alpnProtocols: alpn)
}

func route(_ name: String, to backend: String, alpn: [String] = []) -> RouteConfiguration {
    route(name, to: [(backend, 1)], alpn: alpn)
}

func tcpListener(_ name: String, port: UInt16, _ route: RouteConfiguration?) -> ListenerConfiguration {
    ListenerConfiguration(id: listenerID(name), bindings: [Binding(port: port)], traffic: .tcp(route))
}

func tlsListener(
    _ name: String, port: UInt16, hostname: String? = nil, mode: TLSListener.Mode = .passthrough,
    routes: [(String, RouteConfiguration)], fallback: RouteConfiguration? = nil
) -> ListenerConfiguration {
    let entries = routes.compactMap { name, route in
        HostnamePattern(name).map { TLSListener.HostnameRoute(hostname: $0, route: route) }
    }
    return ListenerConfiguration(
        id: listenerID(name), bindings: [Binding(port: port)],
        traffic: .tls(
            TLSListener(
                hostname: hostname.flatMap { HostnamePattern($0) }, mode: mode, routes: entries, fallback: fallback)))
}

func backend(_ name: String, ports: [UInt16], tls: BackendTLS? = nil) -> BackendConfiguration {
    BackendConfiguration(
        id: backendID(name),
        endpoints: ports.map { EndpointConfiguration(address: .ip(SocketAddress(.loopbackV4, $0))) }.sorted(), tls: tls)
}

func facts(_ certificate: TestCertificate) throws -> KeyPairFacts {
    try keyPairFacts(
        certificatePEM: Array(certificate.chainPEM.utf8), privateKeyPEM: Array(certificate.privateKeyPEM.utf8)
    ).get()
}

func terminate(
    _ certificates: TestCertificate..., alpn: [String]? = nil, clients: ClientValidation? = nil
) throws -> TLSListener.Mode {
    var termination = TLSTermination(certificates: try certificates.map(facts), alpnProtocols: alpn)
    termination.clientValidation = clients
    return .terminate(termination)
}

func trust(_ authorities: TestCA...) throws -> [TrustFacts] {
    try authorities.map { try trustFacts(pem: Array($0.pem.utf8)).get() }
}

/// A backend that greets with its name and a newline, then echoes until the end of the stream, connection by connection
/// on threads of their own.
final class EchoBackend: Sendable {
    let port: UInt16
    let accepted = Locked(0)
    /// Certificates that TLS clients showed, oldest first; nil for none.
    let peers = Locked<[String?]>([])
    /// Whether TLS clients resumed a session, oldest first.
    let resumed = Locked<[Bool]>([])
    private let stopped = Locked(false)

    /// `address`: of a plain one.
    init(
        _ name: String = "", tls: TLSServerOptions? = nil, on address: SocketAddress = SocketAddress(.loopbackV4, 0)
    ) throws {
        let plain = tls == nil ? try PlainServer(on: address) : nil
        let secure = try tls.map { try TLSTestServer($0) }
        port = plain?.port ?? secure?.port ?? 0
        let thread = try Thread(named: "echo") { [weak self] in
            while true {
                guard let self, !self.stopped.withLock({ $0 }) else { return }
                guard let stream = Self.accept(plain, secure) else { continue }
                accepted.withLock { $0 += 1 }
                if let secure = stream as? TLSTestConnection {
                    peers.withLock { $0.append(secure.peerFingerprint) }
                    resumed.withLock { $0.append(secure.isResumed) }
                }
                _ = try? Thread(named: "echo-one") { Self.serve(stream, name) }.detach()
            }
        }
        thread.detach()
    }

    deinit { stopped.withLock { $0 = true } }

    private static func accept(_ plain: PlainServer?, _ secure: TLSTestServer?) -> (any TestStream)? {
        let wait = Duration.milliseconds(200)
        if let plain { return try? plain.accept(timeout: wait) }
        return try? secure?.accept(timeout: wait)
    }

    private static func serve(_ stream: any TestStream, _ name: String) {
        defer { stream.close() }
        do {
            if !name.isEmpty { try stream.send(name + "\n") }
            while true {
                let bytes = try stream.receive(max: 256 << 10, timeout: .seconds(60))
                if bytes.isEmpty { break }
                try stream.send(bytes, timeout: .seconds(60))
            }
            try stream.halfClose()
        } catch {}
    }
}
