internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Endpoints that stand in an object itself: those of each of our own Backends, or why it cannot be used, and the names that
/// Services of type ExternalName stand for.
struct BackendCatalog {
    struct Problem: Error {
        let message: String
        init(_ message: String) { self.message = message }
    }

    private var entries: [ObjectKey: Result<[EndpointConfiguration], Problem>] = [:]
    private(set) var externalNames: [ObjectKey: String] = [:]
    /// Backends that are used only while no other of a rule can be.
    private var fallbacks: Set<ObjectKey> = []

    init(_ backends: [ObjectKey: Backend], _ services: [ObjectKey: Service]) {
        for (key, service) in services { update(key, service) }
        for (key, backend) in backends {
            if backend.spec.fallback == true { fallbacks.insert(key) }
            entries[key] = Result { () throws(Problem) in try BackendCatalog.endpoints(of: backend) }
        }
    }

    /// Takes a Service as it is now; nil: it is gone.
    mutating func update(_ key: ObjectKey, _ service: Service?) {
        let name = service?.spec.type == "ExternalName" ? service?.spec.externalName ?? "" : nil
        if name != nil || externalNames[key] != nil { externalNames[key] = name }
    }

    subscript(_ key: ObjectKey) -> Result<[EndpointConfiguration], Problem>? { entries[key] }

    /// Whether what is referred to, accepted or not, is used only while no other of a rule can be.
    func isFallback(_ reference: BackendReference, from namespace: String) -> Bool {
        !fallbacks.isEmpty && reference.effectiveGroup == Backend.resourceKind.group
            && reference.effectiveKind == "Backend" && fallbacks.contains(reference.key(from: namespace))
    }

    /// Whether the target's endpoints are not from slices, so that a gateway's guard has to be asked.
    func isGuarded(_ target: BackendTarget) -> Bool {
        switch target {
        case .service(let key, _): externalNames[key] != nil
        case .backend: true
        }
    }

    /// Whether an endpoint of the target is a name, whose addresses the engine has to judge.
    func hasNames(_ target: BackendTarget) -> Bool {
        switch target {
        case .service(let key, _): externalNames[key] != nil
        case .backend(let key):
            ((try? entries[key]?.get()) ?? []).contains { $0.address.isName }
        }
    }

    /// What a Service of type ExternalName leads to; nil where its name is none.
    func external(_ key: ObjectKey, port: Int) -> EndpointConfiguration? {
        guard var name = externalNames[key]?.lowercased() else { return nil }
        if name.hasSuffix(".") { name.removeLast() }
        guard HostnamePattern.isDNSName(name), IPAddress(name) == nil, let port = UInt16(exactly: port) else {
            return nil
        }
        return EndpointConfiguration(address: .name(name, port: port))
    }

    private static func endpoints(of backend: Backend) throws(Problem) -> [EndpointConfiguration] {
        let type = backend.spec.type ?? "Endpoints"
        guard type == "Endpoints" else { throw Problem("type \(type) is not supported (supported: Endpoints)") }
        let endpoints = backend.spec.endpoints ?? []
        guard !endpoints.isEmpty else { throw Problem("spec.endpoints is empty") }
        var found: [EndpointAddress: EndpointConfiguration] = [:]
        for (index, endpoint) in endpoints.enumerated() {
            let path = "spec.endpoints[\(index)]"
            let address = try address(of: endpoint, at: path)
            guard (0...1000).contains(endpoint.effectiveWeight) else { throw Problem("\(path).weight is not 0-1000") }
            let configuration = EndpointConfiguration(
                address: address, weight: endpoint.effectiveWeight,
                zone: endpoint.zone.flatMap { $0.isEmpty ? nil : $0 })
            guard found.updateValue(configuration, forKey: address) == nil else {
                throw Problem("\(path): \(address) is given twice")
            }
        }
        return found.values.sorted()
    }

    private static func address(of endpoint: Backend.Endpoint, at path: String) throws(Problem) -> EndpointAddress {
        switch (endpoint.fqdn, endpoint.ip, endpoint.unix) {
        case (let fqdn?, nil, nil): return try name(fqdn, at: path + ".fqdn")
        case (nil, let ip?, nil):
            guard let address = IPAddress(ip.address), address == address.unmapped else {
                throw Problem("\(path).ip.address: '\(ip.address)' is not an IPv4 or IPv6 address")
            }
            return .ip(SocketAddress(address, try port(ip.port, at: path + ".ip.port")))
        case (nil, nil, let unix?):
            guard unix.path.hasPrefix("/"), unix.path.utf8.count <= 107, !unix.path.utf8.contains(0) else {
                throw Problem("\(path).unix.path must be absolute and at most 107 bytes")
            }
            return .unix(path: unix.path)
        default: throw Problem("\(path): exactly one of fqdn, ip and unix must be set")
        }
    }

    private static func name(_ fqdn: Backend.FQDN, at path: String) throws(Problem) -> EndpointAddress {
        let isService = fqdn.srv == true
        var hostname = fqdn.hostname.lowercased()
        if hostname.hasSuffix(".") { hostname.removeLast() }
        // Names of services have labels that begin with an underscore (RFC 2782).
        let plain = isService ? String(hostname.map { $0 == "_" ? "a" : $0 }) : hostname
        guard HostnamePattern.isDNSName(plain), IPAddress(hostname) == nil else {
            throw Problem("\(path).hostname: '\(fqdn.hostname)' is not a DNS name")
        }
        let isLocal = hostname == "localhost" || hostname.hasSuffix(".localhost")
        guard !isLocal, !hostname.hasSuffix(".svc"), !hostname.hasSuffix(".svc.cluster.local") else {
            throw Problem("\(path).hostname must not be localhost or a Service name; refer to the Service itself")
        }
        if isService {
            guard fqdn.port == nil else { throw Problem("\(path).port must not be set with srv, whose records say it") }
            return .records(hostname)
        }
        guard let number = fqdn.port else { throw Problem("\(path).port is missing") }
        return .name(hostname, port: try port(number, at: path + ".port"))
    }

    private static func port(_ number: Int, at path: String) throws(Problem) -> UInt16 {
        guard let port = UInt16(exactly: number), port > 0 else { throw Problem("\(path) is not 1-65535") }
        return port
    }
}
