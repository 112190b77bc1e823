internal import KubernetesAPI

/// What a condition speaks of: an object, or one part of it.
public struct StatusSubject: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var kind: String
    /// Empty for kinds of cluster scope.
    public var namespace: String
    public var name: String
    public var part: Part

    /// The part of an object that has conditions of its own.
    public enum Part: Hashable, Sendable, Comparable {
        case whole
        case listener(String)
        /// A route towards one parent, a policy towards one ancestor: `namespace/name`, with `/section` and `:port`
        /// where the reference names them; the kind before that of anything but a Gateway.
        case parent(String)
    }

    public init(kind: String, namespace: String, name: String, part: Part = .whole) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.part = part
    }

    var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }

    /// The object alone, such as `TCPRoute default/echo`.
    public var object: String { "\(kind) \(namespace.isEmpty ? name : "\(namespace)/\(name)")" }

    public var description: String {
        switch part {
        case .whole: object
        case .listener(let listener): "\(object) listener \(listener)"
        case .parent(let parent): "\(object) parent \(parent)"
        }
    }

    public static func < (left: StatusSubject, right: StatusSubject) -> Bool {
        // One by one: comparing tuples of strings costs twenty times as much, and thousands of these are sorted.
        if left.kind != right.kind { return left.kind < right.kind }
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        if left.name != right.name { return left.name < right.name }
        return left.part < right.part
    }
}
