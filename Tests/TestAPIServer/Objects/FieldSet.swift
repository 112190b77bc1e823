internal import KubernetesAPI

/// A step on the way to a field, as `fieldsV1` writes it.
enum FieldStep: Hashable, Comparable, Sendable {
    case field(String)
    /// The element of a list whose keys have these values.
    case element([String: JSONValue])
    /// A member of a set.
    case member(JSONValue)

    var text: String {
        switch self {
        case .field(let name): "f:\(name)"
        case .element(let keys): "k:\(JSONText.string(.object(keys)))"
        case .member(let value): "v:\(JSONText.string(value))"
        }
    }

    init?(_ text: String) {
        let rest = String(text.dropFirst(2))
        switch text.prefix(2) {
        case "f:": self = .field(rest)
        case "k:":
            guard let keys = try? JSONText.parse(Array(rest.utf8)).fields else { return nil }
            self = .element(keys)
        case "v:":
            guard let value = try? JSONText.parse(Array(rest.utf8)) else { return nil }
            self = .member(value)
        default: return nil
        }
    }

    static func < (left: FieldStep, right: FieldStep) -> Bool { left.text < right.text }

    /// As conflicts name it: `.spec`, `[port=5432,protocol="TCP"]`.
    var shown: String {
        switch self {
        case .field(let name): ".\(name)"
        case .element(let keys):
            "["
                + keys.sorted { $0.key < $1.key }.map { "\($0.key)=\(JSONText.string($0.value))" }
                .joined(separator: ",") + "]"
        case .member(let value): "[=\(JSONText.string(value))]"
        }
    }
}

/// The fields that a manager owns (sigs.k8s.io/structured-merge-diff, fieldpath.Set), as a tree.
struct FieldSet: Hashable, Sendable {
    /// The path that leads here is itself owned.
    var isMember = false
    var children: [FieldStep: FieldSet] = [:]

    static let member = FieldSet(isMember: true)

    var isEmpty: Bool { !isMember && children.isEmpty }

    subscript(step: FieldStep) -> FieldSet {
        get { children[step] ?? FieldSet() }
        set { children[step] = newValue.isEmpty ? nil : newValue }
    }

    func union(_ other: FieldSet) -> FieldSet {
        var result = self
        result.isMember = isMember || other.isMember
        for (step, child) in other.children { result[step] = result[step].union(child) }
        return result
    }

    func subtracting(_ other: FieldSet) -> FieldSet {
        var result = self
        if other.isMember { result.isMember = false }
        for (step, child) in other.children where result.children[step] != nil {
            result[step] = result[step].subtracting(child)
        }
        return result
    }

    func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet(isMember: isMember && other.isMember)
        for (step, child) in children {
            guard let same = other.children[step] else { continue }
            result[step] = child.intersection(same)
        }
        return result
    }

    /// Without all that lies below the paths of `other`, and without those paths.
    func subtractingDeep(_ other: FieldSet) -> FieldSet {
        if other.isMember { return FieldSet() }
        var result = self
        for (step, child) in other.children where result.children[step] != nil {
            result[step] = result[step].subtractingDeep(child)
        }
        return result
    }

    /// Every path in it.
    var paths: [[FieldStep]] {
        (isMember ? [[]] : [])
            + children.sorted { $0.key < $1.key }.flatMap { step, child in child.paths.map { [step] + $0 } }
    }

    // MARK: fieldsV1

    var json: JSONValue {
        var fields = Dictionary(uniqueKeysWithValues: children.map { ($0.key.text, $0.value.json) })
        if isMember, !children.isEmpty { fields["."] = .object([:]) }
        return .object(fields)
    }

    /// Reads `fieldsV1`. The root is never a member.
    init(json: JSONValue) {
        for (key, child) in json.fields ?? [:] {
            guard let step = FieldStep(key) else { continue }
            var set = FieldSet(json: child)
            set.isMember = child.fields?.isEmpty == true || child["."] != nil
            children[step] = set
        }
    }

    init(isMember: Bool = false) { self.isMember = isMember }
}
