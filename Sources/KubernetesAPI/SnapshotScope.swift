/// How much of a cluster a snapshot knows.
public enum SnapshotScope: Hashable, Sendable {
    /// All of it; also a folder of manifests.
    case cluster
    /// Namespaced objects of these namespaces alone, sorted by name: no GatewayClass, no Namespace, no Node, no CRD is read.
    case namespaces([String])
}
