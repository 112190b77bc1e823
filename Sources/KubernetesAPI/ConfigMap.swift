/// Plain data (core v1).
public struct ConfigMap: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true)
    public var metadata: ObjectMeta
    public var data: [String: String]?
    /// Base64 by key.
    public var binaryData: [String: String]?
    public static let unreadFields: Set<String> = ["apiVersion", "immutable", "kind"]

    public init(metadata: ObjectMeta, data: [String: String]? = nil, binaryData: [String: String]? = nil) {
        self.metadata = metadata
        self.data = data
        self.binaryData = binaryData
    }
}
