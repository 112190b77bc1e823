public import KubernetesAPI

/// What is wrong with a file of the folder, or with an object in it.
public struct ManifestProblem: Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Hashable, Sendable { case error, warning }

    public var severity: Severity
    /// The path as it was given, followed by the path within the folder.
    public var file: String
    /// 1-based; 0 when it is not known.
    public var line: Int
    /// Such as `Gateway default/edge`; nil when the object cannot be told.
    public var object: String?
    /// A path such as `spec.listeners[0].port`; empty for the object or file as a whole.
    public var field: String
    /// One line.
    public var message: String

    public init(
        _ severity: Severity, file: String, line: Int = 0, object: String? = nil, field: String = "", message: String
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.object = object
        self.field = field
        self.message = message
    }

    /// `gateways/edge.yaml:12: Gateway default/edge: spec.listeners[0].port: expected an integer, found "abc"`
    public var description: String {
        [line > 0 ? "\(file):\(line)" : file, object, field.isEmpty ? nil : field, message].compactMap { $0 }
            .joined(separator: ": ")
    }
}

/// A kind that the folder holds and that is not read.
public struct UnknownKind: Hashable, Sendable, Comparable {
    public var apiVersion: String
    public var kind: String

    public init(apiVersion: String, kind: String) {
        self.apiVersion = apiVersion
        self.kind = kind
    }

    public static func < (left: UnknownKind, right: UnknownKind) -> Bool {
        (left.apiVersion, left.kind) < (right.apiVersion, right.kind)
    }
}

/// What the folder says at one moment.
public struct ManifestSnapshot: Hashable, Sendable {
    public var snapshot: ClusterSnapshot
    /// By file and line.
    public var problems: [ManifestProblem]
    /// Skipped objects' kinds, with the first file that holds one.
    public var unknownKinds: [UnknownKind: String]
    /// What may differ from the snapshot that the same source handed over before; nil: that is not known.
    public var touched: TouchedObjects?

    public init(
        snapshot: ClusterSnapshot, problems: [ManifestProblem] = [], unknownKinds: [UnknownKind: String] = [:]
    ) {
        self.snapshot = snapshot
        self.problems = problems
        self.unknownKinds = unknownKinds
    }
}
