internal import KubernetesAPI
internal import Platform

extension ServedKind.Column {
    /// Shows the value at a path.
    static func path(_ name: String, format: String = "string", _ path: String...) -> Self {
        path_(name, format: format, path)
    }

    private static func path_(_ name: String, format: String, _ path: [String]) -> Self {
        .init(name: name, format: format) { $0.at(path[...]) ?? .null }
    }

    /// How many entries a map has.
    static func count(_ name: String, _ field: String) -> Self {
        .init(name: name, format: "integer") { .integer(Int64($0[field]?.fields?.count ?? 0)) }
    }

    /// The status of a condition.
    static func condition(_ type: String) -> Self {
        .init(name: type) { object in
            let conditions = object.at("status", "conditions")?.elements ?? []
            return conditions.first { $0["type"]?.text == type }?["status"] ?? .null
        }
    }

    static let age = Self(name: "Age", format: "date") { object in
        .string(TestAPIServerTables.age(of: object.at("metadata", "creationTimestamp")?.text ?? ""))
    }
}

extension CoreKinds {
    static func age(of time: String) -> String { TestAPIServerTables.age(of: time) }
}

enum TestAPIServerTables {
    /// How long ago that was, as kubectl writes it: `42s`, `3m`, `5h`, `2d`.
    static func age(of time: String) -> String {
        guard let then = Timestamp(time)?.seconds else { return "<unknown>" }
        let seconds = max(0, realtimeNanoseconds() / 1_000_000_000 - then)
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86400)d"
        }
    }
}
