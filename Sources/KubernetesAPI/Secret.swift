/// Confidential data (core v1). Held only while it is read; a snapshot has ``SecretEntry`` instead.
public struct Secret: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true)
    public var metadata: ObjectMeta
    public var type: String?
    /// Base64 by key.
    public var data: [String: String]?
    /// Plain text by key; overrides ``data``.
    public var stringData: [String: String]?
    public static let unreadFields: Set<String> = ["apiVersion", "immutable", "kind"]

    public init(
        metadata: ObjectMeta, type: String? = nil, data: [String: String]? = nil, stringData: [String: String]? = nil
    ) {
        self.metadata = metadata
        self.type = type
        self.data = data
        self.stringData = stringData
    }
}
