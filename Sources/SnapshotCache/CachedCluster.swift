/// What an API server had, as texts: what is written, and what is read back.
public struct CachedCluster: Sendable {
    /// Whose state it is. A file of another origin is not read.
    public struct Origin: Codable, Hashable, Sendable {
        /// The API server's URL.
        public var server: String
        /// The installation's own.
        public var namespace: String
        public var controllerName: String

        public init(server: String, namespace: String, controllerName: String) {
            (self.server, self.namespace, self.controllerName) = (server, namespace, controllerName)
        }
    }

    /// An object's place among those of its kind.
    public struct Name: Hashable, Comparable, Sendable {
        /// Empty for kinds of cluster scope.
        public var namespace: String
        public var name: String

        public init(namespace: String, name: String) { (self.namespace, self.name) = (namespace, name) }

        public static func < (left: Name, right: Name) -> Bool {
            (left.namespace, left.name) < (right.namespace, right.name)
        }
    }

    /// The objects of one kind, in the version that they were read in.
    public struct Kind: Sendable {
        /// Empty for the core group.
        public var group: String
        public var version: String
        /// Such as `tcproutes`.
        public var plural: String
        public var objects: [Name: ObjectText]

        public init(group: String, version: String, plural: String, objects: [Name: ObjectText]) {
            (self.group, self.version, self.plural, self.objects) = (group, version, plural, objects)
        }
    }

    public var origin: Origin
    public var kinds: [Kind]
    /// When this was known to be so, in seconds since 1970.
    public var asOf: Int64

    public init(origin: Origin, kinds: [Kind], asOf: Int64) {
        (self.origin, self.kinds, self.asOf) = (origin, kinds, asOf)
    }

    public var objectCount: Int { kinds.reduce(0) { $0 + $1.objects.count } }
}
