internal import KubernetesAPI
internal import Primitives

/// An object among all kinds.
struct ObjectIdentity: Hashable, Comparable, CustomStringConvertible {
    var kind: String
    var key: ObjectKey

    var description: String { "\(kind) \(printable(key.description, limit: 320))" }
    static func < (left: ObjectIdentity, right: ObjectIdentity) -> Bool {
        (left.kind, left.key) < (right.kind, right.key)
    }
}

/// An object as a snapshot holds it: typed, and without key material's text. In a box of its own, because a claim and the catalog
/// hold it, and the largest kind would set the size of all.
indirect enum ManifestObject: Hashable, Sendable {
    case gatewayClass(GatewayClass)
    case gateway(Gateway)
    case listenerSet(ListenerSet)
    case tcpRoute(TCPRoute)
    case tlsRoute(TLSRoute)
    case referenceGrant(ReferenceGrant)
    case backendTLSPolicy(BackendTLSPolicy)
    case backend(Backend)
    case gatewayParameters(GatewayParameters)
    case clientPolicy(ClientPolicy)
    case backendPolicy(BackendPolicy)
    case service(Service)
    case endpointSlice(EndpointSlice)
    case namespace(Namespace)
    case secret(SecretEntry)
    case configMap(ConfigMapEntry)

    func add(to snapshot: inout ClusterSnapshot, as key: ObjectKey) {
        switch self {
        case .gatewayClass(let value): snapshot.gatewayClasses[key] = value
        case .gateway(let value): snapshot.gateways[key] = value
        case .listenerSet(let value): snapshot.listenerSets[key] = value
        case .tcpRoute(let value): snapshot.tcpRoutes[key] = value
        case .tlsRoute(let value): snapshot.tlsRoutes[key] = value
        case .referenceGrant(let value): snapshot.referenceGrants[key] = value
        case .backendTLSPolicy(let value): snapshot.backendTLSPolicies[key] = value
        case .backend(let value): snapshot.backends[key] = value
        case .gatewayParameters(let value): snapshot.gatewayParameters[key] = value
        case .clientPolicy(let value): snapshot.clientPolicies[key] = value
        case .backendPolicy(let value): snapshot.backendPolicies[key] = value
        case .service(let value): snapshot.services[key] = value
        case .endpointSlice(let value): snapshot.endpointSlices[key] = value
        case .namespace(let value): snapshot.namespaces[key] = value
        case .secret(let value): snapshot.secrets[key] = value
        case .configMap(let value): snapshot.configMaps[key] = value
        }
    }

    func remove(from snapshot: inout ClusterSnapshot, as key: ObjectKey) {
        switch self {
        case .gatewayClass: snapshot.gatewayClasses[key] = nil
        case .gateway: snapshot.gateways[key] = nil
        case .listenerSet: snapshot.listenerSets[key] = nil
        case .tcpRoute: snapshot.tcpRoutes[key] = nil
        case .tlsRoute: snapshot.tlsRoutes[key] = nil
        case .referenceGrant: snapshot.referenceGrants[key] = nil
        case .backendTLSPolicy: snapshot.backendTLSPolicies[key] = nil
        case .backend: snapshot.backends[key] = nil
        case .gatewayParameters: snapshot.gatewayParameters[key] = nil
        case .clientPolicy: snapshot.clientPolicies[key] = nil
        case .backendPolicy: snapshot.backendPolicies[key] = nil
        case .service: snapshot.services[key] = nil
        case .endpointSlice: snapshot.endpointSlices[key] = nil
        case .namespace: snapshot.namespaces[key] = nil
        case .secret: snapshot.secrets[key] = nil
        case .configMap: snapshot.configMaps[key] = nil
        }
    }

    /// Whether what it says keeps others from something: then its absence is no substitute for it.
    var guardsOthers: Bool {
        switch self {
        case .gatewayParameters, .clientPolicy, .backendPolicy: true
        default: false
        }
    }

    /// Whether those who read it know what was good of it before, and what of that may stay: then they are told of the object as it is
    /// now, refused or not. A policy may name other targets than it did.
    var isRemembered: Bool {
        switch self {
        case .clientPolicy, .backendPolicy: true
        default: false
        }
    }

    /// The same object with the last good facts where the new bytes cannot be used.
    func keepingGoodFacts(of last: ManifestObject?) -> ManifestObject {
        switch (self, last) {
        case (.secret(let entry), .secret(let old)?): return .secret(entry.keepingGoodFacts(of: old))
        case (.configMap(let entry), .configMap(let old)?): return .configMap(entry.keepingGoodFacts(of: old))
        default: return self
        }
    }
}
