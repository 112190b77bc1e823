import KubernetesAPI
import TestAPIServer

/// What a server chose in the recording, and what ours chose in its place.
struct ReplayedNames {
    private var names: [String: String] = [:]

    mutating func learn(_ recorded: String, _ replayed: String) { names[recorded] = replayed }

    /// A request's target with our versions and tokens.
    func translate(_ target: String) -> String {
        var result = target
        for (name, replayed) in names where !name.isEmpty {
            for parameter in ["continue", "resourceVersion"] where result.contains("\(parameter)=\(name)") {
                result = result.replacing("\(parameter)=\(name)", with: "\(parameter)=\(replayed)")
                return result
            }
        }
        return result
    }

    /// A request's body with our versions and identifiers.
    func translate(_ body: JSONValue) -> JSONValue {
        guard case .object(let fields) = body else { return body }
        var result = fields.mapValues { translate($0) }
        for name in ["resourceVersion", "uid"] {
            if let text = fields[name]?.text, let replayed = names[text] { result[name] = .string(replayed) }
        }
        return .object(result)
    }
}

/// Whether two bodies say the same: the same fields, types, lengths and orders everywhere, and the same values, but for
/// what every server chooses for itself.
enum BodyComparison {
    /// Fields whose values differ by nature. Their types do not, and whether they are empty neither.
    private static let chosen: Set<String> = [
        "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "time", "continue", "clusterIP",
        "storageVersionHash", "gitCommit", "kubernetes.io/description", "ca.crt",
    ]

    static func differences(
        _ recorded: JSONValue, _ served: JSONValue, _ names: inout ReplayedNames, at path: String = ""
    ) -> [String] {
        switch (recorded, served) {
        case (.object(let left), .object(let right)):
            var found: [String] = []
            for key in Set(left.keys).union(right.keys).sorted() {
                let place = "\(path).\(key)"
                guard let old = left[key] else {
                    found.append("\(place): additional")
                    continue
                }
                guard let new = right[key] else {
                    found.append("\(place): missing")
                    continue
                }
                if chosen.contains(key), let old = old.text, let new = new.text {
                    if old.isEmpty != new.isEmpty { found.append("\(place): \(old) ≠ \(new)") }
                    if ["uid", "resourceVersion", "continue"].contains(key) { names.learn(old, new) }
                } else {
                    found += differences(old, new, &names, at: place)
                }
            }
            return found
        case (.array(let left), .array(let right)):
            if path.hasSuffix("clusterIPs"), left.count == right.count { return [] }
            guard left.count == right.count else { return ["\(path): \(left.count) ≠ \(right.count) elements"] }
            return zip(left, right).enumerated().flatMap { index, pair in
                differences(pair.0, pair.1, &names, at: "\(path)[\(index)]")
            }
        default:
            if recorded == served { return [] }
            // A version within a sentence.
            if path.hasSuffix(".message"), let old = recorded.text, old.hasPrefix("too old resource version: 1 ("),
                served.text?.hasPrefix("too old resource version: 1 (") == true
            {
                return []
            }
            return ["\(path): \(JSONText.string(recorded)) ≠ \(JSONText.string(served))"]
        }
    }

    /// A discovery page in one order: groups, resources and verbs come in no particular one.
    static func sorted(_ page: JSONValue) -> JSONValue {
        switch page {
        case .object(let fields): .object(fields.mapValues { sorted($0) })
        case .array(let elements):
            .array(elements.map { sorted($0) }.sorted { key($0) < key($1) })
        default: page
        }
    }

    private static func key(_ value: JSONValue) -> String {
        value.text ?? value["name"]?.text ?? value["resource"]?.text ?? value["subresource"]?.text
            ?? value.at("metadata", "name")?.text ?? value["version"]?.text ?? ""
    }

    /// A recorded discovery page without what ours does not serve: a real server has many more groups and kinds.
    static func served(_ recorded: JSONValue, in page: JSONValue) -> JSONValue {
        switch (recorded, page) {
        case (.object(let left), .object(let right)):
            .object(
                Dictionary(
                    uniqueKeysWithValues: left.map { name, value in
                        (name, right[name].map { served(value, in: $0) } ?? value)
                    }))
        case (.array(let left), .array(let right)):
            .array(
                left.compactMap { element in
                    if element.fields == nil { return element }
                    return right.first { key($0) == key(element) }.map { served(element, in: $0) }
                })
        default: recorded
        }
    }
}
