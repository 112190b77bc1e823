internal import YAML

/// One object that was read: a Kubernetes object, or a definition in another product's own format.
struct SourceObject {
    /// `IngressRouteTCP`, or words such as `Tyk API`.
    let kind: String
    /// Group and version as written; empty for what is no Kubernetes object.
    let apiVersion: String
    let name: ObjectName
    let root: SourceField
    let file: String
    /// Whose it is, once that is known.
    var format: SourceFormat?

    var ledger: Ledger { root.ledger }

    /// `IngressRouteTCP shop/redis (routes.yaml:3)`
    var title: String { "\(kind) \(name) (\(file):\(root.node.line))" }

    /// The group without the version.
    var group: String { apiVersion.contains("/") ? String(apiVersion.prefix { $0 != "/" }) : "" }

    init(kind: String, apiVersion: String, name: ObjectName, node: YAMLNode, file: String) {
        self.kind = kind
        self.apiVersion = apiVersion
        self.name = name
        self.file = file
        root = SourceField(node: node, path: "", ledger: Ledger())
    }
}

/// A namespaced object's name.
struct ObjectName: Hashable, Comparable, CustomStringConvertible {
    var namespace: String
    var name: String

    var description: String { "\(namespace)/\(name)" }

    static func < (left: ObjectName, right: ObjectName) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
