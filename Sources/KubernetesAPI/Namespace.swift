/// A namespace (core v1); only its labels are read.
public struct Namespace: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false)
    public var metadata: ObjectMeta
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "spec", "status"]

    public init(metadata: ObjectMeta) {
        self.metadata = metadata
    }
}
