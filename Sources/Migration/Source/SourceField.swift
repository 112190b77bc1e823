internal import Primitives
internal import YAML

/// A field of an object that was read. Whoever takes its value has said something with it in the result; what is dropped
/// needs a reason.
struct SourceField {
    let node: YAMLNode
    /// `spec.routes[0].match`
    let path: String
    let ledger: Ledger

    /// The field below; nil where it is absent or null.
    subscript(key: String) -> SourceField? {
        guard let value = node[key], !value.isNull else { return nil }
        return SourceField(node: value, path: joined(key), ledger: ledger)
    }

    /// A field further below, by keys.
    func at(_ keys: String...) -> SourceField? {
        var field: SourceField? = self
        for key in keys { field = field?[key] }
        return field
    }

    /// The elements of a list; none for anything else.
    var items: [SourceField] {
        (node.elements ?? []).enumerated().map { index, value in
            SourceField(node: value, path: "\(path)[\(index)]", ledger: ledger)
        }
    }

    /// The entries of an object, in the order written.
    var entries: [(key: String, field: SourceField)] {
        (node.entries ?? []).compactMap { entry in self[entry.key].map { (entry.key, $0) } }
    }

    private func joined(_ key: String) -> String {
        let plain = !key.isEmpty && !key.contains(".") && !key.contains("/") && !key.contains("[")
        let part = plain ? key : "[\"\(printable(key))\"]"
        return path.isEmpty ? part : plain ? "\(path).\(part)" : path + part
    }

    /// The scalar as it was written; nil for lists and objects.
    var scalar: String? {
        if case .scalar(let scalar) = node.content { scalar.text } else { nil }
    }

    /// What the scalar says, which the result says too.
    func take() -> String? {
        guard let scalar else { return nil }
        convert()
        return scalar
    }

    func takeInteger() -> Int? {
        guard let number = integer else { return nil }
        convert()
        return number
    }

    func takeBool() -> Bool? {
        guard let flag = bool else { return nil }
        convert()
        return flag
    }

    /// The number, written as one or in quotes.
    var integer: Int? { scalar.flatMap { Int($0) } }

    var bool: Bool? {
        switch (node.value, scalar) {
        case (.bool(let flag)?, _): flag
        case (_, "true"?): true
        case (_, "false"?): false
        default: nil
        }
    }

    /// The texts of a list of scalars, or of one scalar.
    var texts: [String] { node.elements == nil ? [scalar].compactMap { $0 } : items.compactMap(\.scalar) }

    func takeTexts() -> [String] {
        convert()
        return texts
    }

    /// Everything at and below the field is said in the result.
    func convert() { for leaf in leaves { ledger.convert(leaf.path) } }

    /// The same of some of the fields below.
    func convert(_ keys: String...) { for key in keys { self[key]?.convert() } }

    /// Nothing came of the field and of what is below, whatever was taken of it before.
    func leaveOut(_ reason: String) {
        ledger.forget(path)
        drop("Left out. \(reason)")
    }

    /// Nothing at or below the field has an equivalent. Leaves that were taken before are not named.
    func drop(_ reason: String) {
        let left = leaves.filter { !ledger.converted.contains($0.path) }
        guard !left.isEmpty else { return }
        let values = left.map { leaf in
            Remark.Value(path: SourceField.below(path, leaf.path), text: leaf.shown)
        }
        ledger.remark(Remark(field: path, values: values, reason: reason))
        for leaf in left { ledger.convert(leaf.path) }
    }

    /// Scalars, and lists and objects with nothing in them.
    var leaves: [SourceField] {
        switch node.content {
        case .scalar: return [self]
        case .sequence(let elements): return elements.isEmpty ? [self] : items.flatMap(\.leaves)
        case .mapping(let entries):
            if entries.isEmpty { return [self] }
            return self.entries.flatMap(\.field.leaves)
        }
    }

    /// The value for a comment; what is secret is not shown.
    var shown: String {
        switch node.content {
        case .sequence: return "[]"
        case .mapping: return "{}"
        case .scalar(let scalar):
            if isSecret { return "(not shown)" }
            if case .string? = node.value, scalar.text.isEmpty { return "\"\"" }
            return printable(scalar.text, limit: 200)
        }
    }

    private var isSecret: Bool {
        let key = path.lowercased().split { $0 == "." || $0 == "[" }.last.map(String.init) ?? ""
        let words = [
            "authtoken", "api_key", "apikey", "password", "passwd", "private_key", "privatekey", "ca_sign_pass",
        ]
        if words.contains(where: key.contains) || key == "key" || key == "secret" || key == "token" { return true }
        return scalar?.contains("PRIVATE KEY-----") ?? false
    }

    private static func below(_ field: String, _ path: String) -> String {
        let rest = path.dropFirst(field.count)
        return String(rest.first == "." ? rest.dropFirst() : rest)
    }
}
