/// What every object carries about itself.
public struct ObjectMeta: Codable, Hashable, Sendable, FieldListing {
    public var name: String
    /// Absent for kinds of cluster scope; in a manifest also absent for `default`.
    public var namespace: String?
    public var uid: String?
    public var creationTimestamp: Timestamp?
    public var deletionTimestamp: Timestamp?
    /// Counts changes of the spec; absent in manifests.
    public var generation: Int64?
    public var labels: [String: String]?
    public var annotations: [String: String]?

    public static let unreadFields: Set<String> = [
        "deletionGracePeriodSeconds", "finalizers", "generateName", "managedFields", "ownerReferences",
        "resourceVersion", "selfLink",
    ]

    public init(
        name: String, namespace: String? = nil, uid: String? = nil, creationTimestamp: Timestamp? = nil,
        deletionTimestamp: Timestamp? = nil, generation: Int64? = nil, labels: [String: String]? = nil,
        annotations: [String: String]? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.uid = uid
        self.creationTimestamp = creationTimestamp
        self.deletionTimestamp = deletionTimestamp
        self.generation = generation
        self.labels = labels
        self.annotations = annotations
    }

    /// The namespace of an object of a namespaced kind: `default` where none is given.
    public var effectiveNamespace: String {
        guard let namespace, !namespace.isEmpty else { return "default" }
        return namespace
    }
}
