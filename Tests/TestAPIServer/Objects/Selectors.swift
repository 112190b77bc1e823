internal import KubernetesAPI

/// Which objects a list or a watch asks for.
struct ObjectFilter: Sendable {
    private enum Requirement: Sendable {
        case oneOf(String, Set<String>)
        case noneOf(String, Set<String>)
        case exists(String)
        case absent(String)
    }

    /// nil: all namespaces.
    var namespace: String?
    private var labels: [Requirement] = []
    private var fields: [(path: [String], value: String, isEqual: Bool)] = []

    init(namespace: String?) { self.namespace = namespace }

    init(namespace: String?, query: [String: String], kind: ServedKind) throws {
        self.namespace = namespace
        for term in Self.terms(query["labelSelector"] ?? "") { labels.append(try Self.requirement(term)) }
        for term in (query["fieldSelector"] ?? "").split(separator: ",") {
            fields.append(try Self.field(String(term), kind))
        }
    }

    func matches(_ path: ObjectPath, _ object: JSONValue) -> Bool {
        guard namespace == nil || namespace == path.namespace else { return false }
        for field in fields where ((object.at(field.path[...])?.text ?? "") == field.value) != field.isEqual {
            return false
        }
        guard !labels.isEmpty else { return true }
        let found = object.at("metadata", "labels")
        return labels.allSatisfy { requirement in
            switch requirement {
            case .oneOf(let key, let values): found?[key]?.text.map(values.contains) ?? false
            case .noneOf(let key, let values): !(found?[key]?.text.map(values.contains) ?? false)
            case .exists(let key): found?[key] != nil
            case .absent(let key): found?[key] == nil
            }
        }
    }

    private static func field(_ term: String, _ kind: ServedKind) throws -> (
        path: [String], value: String, isEqual: Bool
    ) {
        let isEqual = !term.contains("!=")
        let sides = term.replacing("!=", with: "=").replacing("==", with: "=").split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { throw APIStatus.badRequest("invalid selector: '\(term)'; can't understand it") }
        let path = sides[0].split(separator: ".").map(String.init)
        let known: Set<String> = ["metadata.name", "metadata.namespace"]
        let extra: Set<String> =
            switch kind.kind {
            case "Event":
                [
                    "involvedObject.name", "involvedObject.kind", "involvedObject.uid", "involvedObject.namespace",
                    "regarding.name", "regarding.kind", "regarding.uid", "regarding.namespace", "type", "reason",
                    "involvedObject.apiVersion", "involvedObject.fieldPath", "reportingController",
                ]
            case "Secret": ["type"]
            case "Service": ["spec.type", "spec.clusterIP"]
            case "Pod": ["spec.nodeName", "status.phase", "status.podIP"]
            case "Namespace": ["status.phase"]
            default: []
            }
        guard known.union(extra).contains(String(sides[0])) else {
            throw APIStatus.badRequest(
                "Unable to find \"\(kind.apiVersion(kind.versions[0])), Resource=\(kind.plural)\" that match label "
                    + "selector \"\", field selector \"\(term)\": field label not supported: \(sides[0])")
        }
        return (path, String(sides[1]), isEqual)
    }

    /// Cuts at commas outside of parentheses.
    private static func terms(_ text: String) -> [String] {
        var terms: [String] = [""]
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 { terms.append("") } else { terms[terms.count - 1].append(character) }
        }
        return terms.map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
    }

    private static func requirement(_ term: String) throws -> Requirement {
        if term.hasPrefix("!") { return .absent(String(term.dropFirst())) }
        if let open = term.firstIndex(of: "("), term.hasSuffix(")") {
            let values = Set(
                term[term.index(after: open)...].dropLast().split(separator: ",").map { $0.filter { $0 != " " } })
            let words = term[..<open].split(separator: " ")
            if words.count == 2, words[1] == "in" { return .oneOf(String(words[0]), values) }
            if words.count == 2, words[1] == "notin" { return .noneOf(String(words[0]), values) }
            throw APIStatus.badRequest("unable to parse requirement: '\(term)'")
        }
        if term.contains("!=") {
            let sides = term.split(separator: "!", maxSplits: 1)
            return .noneOf(String(sides[0]), [String(sides[1].dropFirst())])
        }
        let sides = term.replacing("==", with: "=").split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return sides.count == 2 ? .oneOf(String(sides[0]), [String(sides[1])]) : .exists(term)
    }
}
