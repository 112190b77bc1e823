public import Primitives

/// Everything that is known of the cluster, or of a folder of manifests, at one moment: an immutable value that holds
/// no key and no certificate bytes.
public struct ClusterSnapshot: Hashable, Sendable {
    /// When the snapshot was taken, in seconds since 1970: the only clock the translation knows.
    public var asOf: Int64

    public var gatewayClasses: [ObjectKey: GatewayClass] = [:]
    public var gateways: [ObjectKey: Gateway] = [:]
    public var listenerSets: [ObjectKey: ListenerSet] = [:]
    public var tcpRoutes: [ObjectKey: TCPRoute] = [:]
    public var tlsRoutes: [ObjectKey: TLSRoute] = [:]
    public var referenceGrants: [ObjectKey: ReferenceGrant] = [:]
    public var backendTLSPolicies: [ObjectKey: BackendTLSPolicy] = [:]
    public var backends: [ObjectKey: Backend] = [:]
    public var gatewayParameters: [ObjectKey: GatewayParameters] = [:]
    public var clientPolicies: [ObjectKey: ClientPolicy] = [:]
    public var backendPolicies: [ObjectKey: BackendPolicy] = [:]
    public var services: [ObjectKey: Service] = [:]
    public var endpointSlices: [ObjectKey: EndpointSlice] = [:]
    /// Empty unless a gateway's Service is of type NodePort.
    public var nodes: [ObjectKey: Node] = [:]
    public var namespaces: [ObjectKey: Namespace] = [:]
    public var secrets: [ObjectKey: SecretEntry] = [:]
    public var configMaps: [ObjectKey: ConfigMapEntry] = [:]

    /// By pattern of a BackendPolicy (RE2's syntax): why it cannot be used, in RE2's words. Absent: it can be.
    public var patternProblems: [String: String] = [:]

    public var scope = SnapshotScope.cluster
    /// Secrets and ConfigMaps that are referred to and that the API server does not let us read.
    public var notPermitted = ReferencedObjects()
    /// Secrets and ConfigMaps that are referred to, that the API server has said nothing of, and that the cache on disk that
    /// stands in for it does not have.
    public var unread = ReferencedObjects()
    /// Nil where it is not known: standalone, or where the CRDs may not be read.
    public var gatewayAPIBundle: GatewayAPIBundle?

    public init(asOf: Int64) { self.asOf = asOf }

    /// The labels of a namespace, with the one the API server adds to every namespace; a namespace that no object
    /// describes has just that one.
    public func labels(ofNamespace name: String) -> [String: String] {
        var labels = namespaces[ObjectKey(namespace: "", name: name)]?.metadata.labels ?? [:]
        labels["kubernetes.io/metadata.name"] = name
        return labels
    }
}

/// What a snapshot knows of a Secret.
public struct SecretEntry: Hashable, Sendable {
    public var metadata: ObjectMeta
    /// Such as `kubernetes.io/tls`; absent: `Opaque`.
    public var type: String?
    /// From `tls.crt` and `tls.key`; nil where the Secret has neither.
    public var keyPair: Result<KeyPairFacts, CertificateProblem>?
    /// From `ca.crt`; nil where the Secret has none.
    public var caCertificates: Result<TrustFacts, CertificateProblem>?
    /// By key, of every key but those of certificates: as certificate revocation lists. Absent: there is no such key.
    public var revocationLists: [String: Result<RevocationFacts, CertificateProblem>] = [:]
    /// Why newer bytes cannot be used: then the facts are those of the last good ones.
    public var staleReason: String?

    public init(
        metadata: ObjectMeta, type: String? = nil, keyPair: Result<KeyPairFacts, CertificateProblem>? = nil,
        caCertificates: Result<TrustFacts, CertificateProblem>? = nil, staleReason: String? = nil
    ) {
        self.metadata = metadata
        self.type = type
        self.keyPair = keyPair
        self.caCertificates = caCertificates
        self.staleReason = staleReason
    }
}

/// What a snapshot knows of a ConfigMap.
public struct ConfigMapEntry: Hashable, Sendable {
    public var metadata: ObjectMeta
    /// From `ca.crt`; nil where the ConfigMap has none.
    public var caCertificates: Result<TrustFacts, CertificateProblem>?
    /// By key, of every key but `ca.crt`: as a list of addresses. Absent: there is no such key.
    public var addressLists: [String: Result<AddressList, AddressListProblem>] = [:]
    /// By key, of every key but those of certificates: as certificate revocation lists. Absent: there is no such key.
    public var revocationLists: [String: Result<RevocationFacts, CertificateProblem>] = [:]
    /// Why newer bytes cannot be used: then the facts are those of the last good ones.
    public var staleReason: String?

    public init(
        metadata: ObjectMeta, caCertificates: Result<TrustFacts, CertificateProblem>? = nil, staleReason: String? = nil
    ) {
        self.metadata = metadata
        self.caCertificates = caCertificates
        self.staleReason = staleReason
    }
}
