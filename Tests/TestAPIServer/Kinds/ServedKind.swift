internal import KubernetesAPI

/// A kind that the server serves, with all that requests, discovery and tables need to know of it.
struct ServedKind: Sendable {
    /// A column of `kubectl get` beside the name: what to read, and how it is shown.
    struct Column: Sendable {
        var name: String
        var format = "string"
        /// 1: shown with `-o wide` only.
        var priority: Int64 = 0
        var value: @Sendable (JSONValue) -> JSONValue
    }

    var group: String
    /// Served versions, the preferred one first. All have the same schema.
    var versions: [String]
    var kind: String
    var plural: String
    var singular: String
    var namespaced: Bool
    var shortNames: [String] = []
    var categories: [String] = []
    var subresources: Set<String> = []
    /// Created by a CustomResourceDefinition: discovery and errors differ in small things from built-in kinds.
    var isCustom = false
    /// Whether metadata.generation counts changes of the spec.
    var hasGeneration = false
    var columns: [Column] = []
    /// How lists merge and which parts are atomic, by path (`spec.ports` → `port`, `protocol`).
    var shape = Shape()
    /// The qualified plural of the kind that holds the objects, where this one is another view of them.
    var storedAs: String?
    /// What a CustomResourceDefinition given by the test says its defaults are, parents first.
    var schemaDefaults: [(String, JSONValue)] = []
    /// Says which version of the definition is installed, for custom kinds of Gateway API.
    var bundleVersion: String?

    init(
        group: String = "", versions: [String] = ["v1"], kind: String, plural: String, namespaced: Bool = true
    ) {
        (self.group, self.versions, self.kind, self.plural) = (group, versions, kind, plural)
        (self.namespaced, singular) = (namespaced, kind.lowercased())
    }

    /// `gateways.gateway.networking.k8s.io`, or `services`: the name in errors and of the definition.
    var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }
    /// `Gateway.gateway.networking.k8s.io`, or `Service`.
    var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }

    func apiVersion(_ version: String) -> String { group.isEmpty ? version : "\(group)/\(version)" }
}

/// How the parts of an object are owned: which lists are maps by key, which parts change only as a whole.
struct Shape: Sendable {
    /// Path of field names without indices → the keys of its elements. All other lists are atomic.
    var listKeys: [String: [String]] = [:]
    /// Paths of sets: lists of scalars that are owned one by one.
    var sets: Set<String> = []
    /// Paths of maps that change as a whole.
    var atomicMaps: Set<String> = []
    /// Values that an element's keys have when they are left out (`protocol`: `TCP`).
    var keyDefaults: [String: JSONValue] = ["protocol": .string("TCP")]
}
