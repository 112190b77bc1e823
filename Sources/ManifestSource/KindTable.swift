internal import KubernetesAPI
internal import YAML

/// A kind that is read, and how.
struct KindReader: Sendable {
    let resource: ResourceKind
    /// Served versions of the same schema, the preferred one first.
    let versions: [String]
    let read: @Sendable (_ node: YAMLNode, _ reading: inout ObjectReading) throws(YAMLProblem) -> ManifestObject

    /// The reader of an `apiVersion` and `kind`, whatever the version.
    static func find(group: String, kind: String) -> KindReader? { table["\(group)/\(kind)"] }

    private static let table: [String: KindReader] = Dictionary(
        uniqueKeysWithValues: all.map { ("\($0.resource.group)/\($0.resource.kind)", $0) })

    private static let all: [KindReader] = [
        reader(GatewayClass.self, also: ["v1beta1"]) { .gatewayClass($0) },
        reader(Gateway.self, also: ["v1beta1"]) { .gateway($0) },
        reader(ListenerSet.self) { .listenerSet($0) },
        reader(TCPRoute.self) { .tcpRoute($0) },
        reader(TLSRoute.self) { .tlsRoute($0) },
        reader(ReferenceGrant.self, also: ["v1beta1"]) { .referenceGrant($0) },
        reader(BackendTLSPolicy.self) { .backendTLSPolicy($0) },
        reader(Backend.self) { .backend($0) },
        reader(GatewayParameters.self) { .gatewayParameters($0) },
        reader(ClientPolicy.self) { .clientPolicy($0) },
        reader(BackendPolicy.self) { .backendPolicy($0) },
        reader(Service.self) { .service($0) },
        reader(EndpointSlice.self) { .endpointSlice($0) },
        reader(Namespace.self) { .namespace($0) },
        KindReader(resource: Secret.resourceKind, versions: ["v1"]) { (node, reading) throws(YAMLProblem) in
            .secret(reading.entry(of: try reading.decode(Secret.self, from: node)))
        },
        KindReader(resource: ConfigMap.resourceKind, versions: ["v1"]) { (node, reading) throws(YAMLProblem) in
            .configMap(reading.entry(of: try reading.decode(ConfigMap.self, from: node)))
        },
    ]

    private static func reader<Resource: ValidatedResource>(
        _ type: Resource.Type, also versions: [String] = [], make: @escaping @Sendable (Resource) -> ManifestObject
    ) -> KindReader {
        KindReader(resource: type.resourceKind, versions: [type.resourceKind.version] + versions) {
            (node, reading) throws(YAMLProblem) in
            make(try reading.decode(type, from: node))
        }
    }
}
