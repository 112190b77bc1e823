/// What the API server would refuse in an object: a field and why, in words for the author of the manifest.
public struct FieldProblem: Hashable, Sendable, CustomStringConvertible {
    /// A path such as `spec.listeners[0].port`.
    public var field: String
    /// One line. Where a CEL rule of a CRD is broken, the rule's own text.
    public var message: String

    public init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { "\(field): \(message)" }
}

/// An object that can tell what the API server would refuse in it. For manifests in files nobody else does. Only fields
/// that are read are judged.
public protocol ValidatedResource: KubernetesResource {
    /// Schema, limits and CEL rules of the kind, without its metadata; empty when the server would take the object.
    func specProblems() -> [FieldProblem]
}

extension ValidatedResource {
    /// Everything the API server would refuse, metadata included.
    public func fieldProblems() -> [FieldProblem] { metadata.problems(of: Self.resourceKind) + specProblems() }
}
