internal import KubernetesAPI
internal import Observability

/// A kind that is read whole, in which versions, and how its cache is made.
struct ClusterKind: Sendable {
    let resource: ResourceKind
    /// Versions that have the fields we need, the preferred one first; the model is that of all of them.
    let versions: [String]
    /// Versions that exist and cannot be used, with the reason.
    var unusable: [String: String] = [:]
    /// Every API server has it, in the one version.
    var isBuiltIn = false
    private let makeCache: @Sendable (ResourceKind, CacheScope, ClusterContents, Logger) -> any ResourceCache

    /// A cache for the kind in one of its ``versions``.
    func cache(version: String, scope: CacheScope, contents: ClusterContents, logger: Logger) -> any ResourceCache {
        var kind = resource
        kind.version = version
        return makeCache(kind, scope, contents, logger)
    }

    static let all: [ClusterKind] = [
        kind(GatewayClass.self, \.snapshot.gatewayClasses, or: ["v1beta1"]),
        kind(Gateway.self, \.snapshot.gateways, or: ["v1beta1"]),
        kind(ListenerSet.self, \.snapshot.listenerSets),
        kind(TCPRoute.self, \.snapshot.tcpRoutes, or: ["v1alpha3", "v1alpha2"]),
        kind(TLSRoute.self, \.snapshot.tlsRoutes, or: ["v1alpha3", "v1alpha2"]),
        kind(ReferenceGrant.self, \.snapshot.referenceGrants, or: ["v1beta1", "v1alpha2"]),
        kind(
            BackendTLSPolicy.self, \.snapshot.backendTLSPolicies, or: ["v1alpha3"],
            unusable: ["v1alpha2": "it has one targetRef instead of targetRefs, and no validation"]),
        kind(Backend.self, \.snapshot.backends),
        kind(GatewayParameters.self, \.snapshot.gatewayParameters),
        kind(ClientPolicy.self, \.snapshot.clientPolicies),
        kind(BackendPolicy.self, \.snapshot.backendPolicies),
        kind(Namespace.self, \.snapshot.namespaces, isBuiltIn: true),
        kind(Service.self, \.snapshot.services, isBuiltIn: true),
        kind(EndpointSlice.self, \.snapshot.endpointSlices, isBuiltIn: true),
    ]

    /// Those that a server may lack.
    static let discovered = all.filter { !$0.isBuiltIn }
    static let node = kind(Node.self, \.snapshot.nodes, isBuiltIn: true)

    private static func kind<Resource: KubernetesResource>(
        _ type: Resource.Type, _ path: any EntryRule<Resource, Resource>.Path & Sendable, or older: [String] = [],
        unusable: [String: String] = [:], isBuiltIn: Bool = false
    ) -> ClusterKind {
        let kind = Resource.resourceKind
        return ClusterKind(
            resource: kind, versions: [kind.version] + older, unusable: unusable, isBuiltIn: isBuiltIn
        ) { kind, scope, contents, logger in
            let rule = EntryRule<Resource, Resource>(
                path: path, changed: \.snapshotChanged, make: { resource, _ in resource.withoutNoise }, forget: { _ in }
            )
            return TypedCache(kind: kind, scope: scope, contents: contents, rule: rule, logger: logger)
        }
    }
}

extension KubernetesResource {
    /// Without annotations that nobody reads, which are long or change all the time.
    var withoutNoise: Self {
        guard let annotations = metadata.annotations else { return self }
        let kept = annotations.filter { !noise.contains($0.key) }
        guard kept.count < annotations.count else { return self }
        var result = self
        result.metadata.annotations = kept.isEmpty ? nil : kept
        return result
    }
}

/// Annotations that nobody reads.
let noise: Set<String> = [
    "kubectl.kubernetes.io/last-applied-configuration", "endpoints.kubernetes.io/last-change-trigger-time",
]
