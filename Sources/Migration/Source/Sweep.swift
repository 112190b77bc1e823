internal import YAML

/// Why fields have no equivalent, by their paths without indices. An entry speaks for all below it; the longest counts.
/// `*` stands for one key.
typealias Reasons = [String: String]

extension SourceObject {
    /// Fields that an API server fills in, which say nothing of what is wanted, and the type of the object.
    private static let ownFields: Set<String> = [
        "apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.resourceVersion",
        "metadata.generation", "metadata.creationTimestamp", "metadata.selfLink", "metadata.managedFields", "status",
        "metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]",
    ]

    /// Makes a remark of every field that nobody looked at.
    func sweep(_ reasons: Reasons) {
        if !apiVersion.isEmpty { for field in SourceObject.ownFields { find(field)?.convert() } }
        let known = reasons.sorted { $0.key < $1.key }.map {
            KnownReason(keys: SourceObject.keys(of: $0.key), text: $0.value)
        }
        sweep(root, known)
    }

    private struct KnownReason {
        var keys: [String]
        var text: String
    }

    /// The field of a path; the object itself where no field is meant.
    func field(at path: String) -> SourceField { SourceObject.descend(root, to: path) ?? root }

    private static func descend(_ field: SourceField, to path: String) -> SourceField? {
        if field.path == path { return field }
        let below = field.entries.map(\.field) + field.items
        for next in below where path == next.path || path.hasPrefix(next.path + ".") || path.hasPrefix(next.path + "[")
        {
            if let found = descend(next, to: path) { return found }
        }
        return nil
    }

    private func find(_ path: String) -> SourceField? {
        var rest = path[...]
        var field: SourceField? = root
        while !rest.isEmpty {
            if rest.hasPrefix("[\"") {
                let key = rest.dropFirst(2).prefix { $0 != "\"" }
                field = field?[String(key)]
                rest = rest.dropFirst(key.count + 4)
            } else {
                let key = rest.prefix { $0 != "." && $0 != "[" }
                field = field?[String(key)]
                rest = rest.dropFirst(key.count)
            }
            if rest.first == "." { rest = rest.dropFirst() }
        }
        return field
    }

    /// Descends to the highest field that a reason speaks for and below which nothing was converted.
    private func sweep(_ field: SourceField, _ reasons: [KnownReason]) {
        let leaves = field.leaves
        let left = leaves.filter { !ledger.converted.contains($0.path) }
        guard !left.isEmpty else { return }
        let keys = SourceObject.keys(of: field.path)
        let exact = SourceObject.reason(for: keys, in: reasons, exactly: true)
        if left.count == leaves.count, let exact, !hasDeeper(keys, reasons) {
            field.drop(exact)
        } else if field.node.entries?.isEmpty == false {
            for entry in field.entries { sweep(entry.field, reasons) }
        } else if field.node.elements?.isEmpty == false {
            for item in field.items { sweep(item, reasons) }
        } else {
            field.drop(
                SourceObject.reason(for: keys, in: reasons, exactly: false)
                    ?? "This field is not known to the converter; nothing was made of it.")
        }
    }

    private func hasDeeper(_ keys: [String], _ reasons: [KnownReason]) -> Bool {
        guard !keys.isEmpty else { return true }
        return reasons.contains { reason in
            reason.keys.count > keys.count && SourceObject.matches(reason.keys.prefix(keys.count), keys[...])
        }
    }

    /// The keys of a path, without the indices of lists.
    private static func keys(of path: String) -> [String] {
        var keys: [String] = []
        var rest = path[...]
        while !rest.isEmpty {
            if rest.hasPrefix("[\"") {
                let key = rest.dropFirst(2).prefix { $0 != "\"" }
                keys.append(String(key))
                rest = rest.dropFirst(key.count + 4)
            } else if rest.first == "[" {
                rest = rest.drop { $0 != "]" }.dropFirst()
            } else {
                let key = rest.prefix { $0 != "." && $0 != "[" }
                keys.append(String(key))
                rest = rest.dropFirst(key.count)
            }
            if rest.first == "." { rest = rest.dropFirst() }
        }
        return keys
    }

    private static func reason(for keys: [String], in reasons: [KnownReason], exactly: Bool) -> String? {
        var length = keys.count
        while length > 0 {
            if let found = reasons.last(where: { matches($0.keys[...], keys.prefix(length)) }) { return found.text }
            if exactly { return nil }
            length -= 1
        }
        return nil
    }

    private static func matches(_ pattern: ArraySlice<String>, _ keys: ArraySlice<String>) -> Bool {
        pattern.count == keys.count && zip(pattern, keys).allSatisfy { $0 == "*" || $0 == $1 }
    }
}
