/// Names a Secret, or an object in its place.
public struct SecretObjectReference: Codable, Hashable, Sendable, FieldListing {
    public var group: String?
    /// Absent: `Secret`.
    public var kind: String?
    public var name: String
    /// Absent: the namespace of the object that holds the reference.
    public var namespace: String?
    public static let unreadFields: Set<String> = []

    public init(group: String? = nil, kind: String? = nil, name: String, namespace: String? = nil) {
        self.group = group
        self.kind = kind
        self.name = name
        self.namespace = namespace
    }
}

/// Names an object, possibly in another namespace.
public struct ObjectReference: Codable, Hashable, Sendable, FieldListing {
    public var group: String
    public var kind: String
    public var name: String
    public var namespace: String?
    public static let unreadFields: Set<String> = []

    public init(group: String, kind: String, name: String, namespace: String? = nil) {
        self.group = group
        self.kind = kind
        self.name = name
        self.namespace = namespace
    }
}

/// Names an object in the namespace of the object that holds the reference.
public struct LocalObjectReference: Codable, Hashable, Sendable, FieldListing {
    public var group: String
    public var kind: String
    public var name: String
    public static let unreadFields: Set<String> = []

    public init(group: String, kind: String, name: String) {
        self.group = group
        self.kind = kind
        self.name = name
    }
}

/// Names what a route attaches to.
public struct ParentReference: Codable, Hashable, Sendable, FieldListing {
    /// Absent: Gateway API's own group.
    public var group: String?
    /// Absent: `Gateway`.
    public var kind: String?
    public var namespace: String?
    public var name: String
    /// One listener by name; absent: all.
    public var sectionName: String?
    /// The listeners of one port; absent: all.
    public var port: Int?
    public static let unreadFields: Set<String> = []

    public init(
        group: String? = nil, kind: String? = nil, namespace: String? = nil, name: String, sectionName: String? = nil,
        port: Int? = nil
    ) {
        self.group = group
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.sectionName = sectionName
        self.port = port
    }
}

/// Where a rule sends connections, and what share of them.
public struct BackendReference: Codable, Hashable, Sendable, FieldListing {
    /// Absent: the core group.
    public var group: String?
    /// Absent: `Service`.
    public var kind: String?
    public var name: String
    public var namespace: String?
    /// The Service's port; 1–65535.
    public var port: Int?
    /// 0–1000000; absent: 1.
    public var weight: Int?
    public static let unreadFields: Set<String> = []

    public init(
        group: String? = nil, kind: String? = nil, name: String, namespace: String? = nil, port: Int? = nil,
        weight: Int? = nil
    ) {
        self.group = group
        self.kind = kind
        self.name = name
        self.namespace = namespace
        self.port = port
        self.weight = weight
    }
}
