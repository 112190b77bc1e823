/// Which API an object belongs to.
public struct ResourceKind: Hashable, Sendable {
    /// Empty for the core group.
    public var group: String
    public var version: String
    public var kind: String
    /// The name in URLs, such as `tcproutes`.
    public var plural: String
    public var namespaced: Bool

    public init(group: String, version: String, kind: String, plural: String, namespaced: Bool) {
        self.group = group
        self.version = version
        self.kind = kind
        self.plural = plural
        self.namespaced = namespaced
    }

    /// `group/version`, or the version alone for the core group: what manifests give as `apiVersion`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
}

/// Says which fields exist upstream though they are not read here, so that a decoder that tracks the keys it was asked
/// for can tell an unknown field from one that is merely not read.
public protocol FieldListing {
    /// Field names at this level of the object.
    static var unreadFields: Set<String> { get }
}

/// An object of the Kubernetes API, reduced to the fields that are read.
public protocol KubernetesResource: Codable, Hashable, Sendable, FieldListing {
    static var resourceKind: ResourceKind { get }
    var metadata: ObjectMeta { get set }
}

extension KubernetesResource {
    /// Namespace and name; an object of a namespaced kind that gives no namespace is in `default`.
    public var key: ObjectKey {
        guard Self.resourceKind.namespaced else { return ObjectKey(namespace: "", name: metadata.name) }
        return ObjectKey(namespace: metadata.effectiveNamespace, name: metadata.name)
    }
}
