internal import KubernetesAPI

/// Strategic merge patch for core kinds, as `kubectl apply`, `edit` and `patch` send it: keyed lists merge by their first
/// key, directives (`$patch`, `$retainKeys`, `$deleteFromPrimitiveList`) are obeyed, orders are not.
struct StrategicMerge {
    let shape: Shape

    func apply(_ patch: JSONValue, to value: JSONValue, at path: String = "") -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        if changes["$patch"]?.text == "replace" { return patch.withoutDirectives }
        var result = value.fields ?? [:]
        if let kept = changes["$retainKeys"]?.elements?.compactMap(\.text) {
            result = result.filter { kept.contains($0.key) }
        }
        for (name, change) in changes where !name.hasPrefix("$") {
            let below = path.isEmpty ? name : "\(path).\(name)"
            if change == .null || change["$patch"]?.text == "delete" {
                result[name] = nil
            } else if let elements = change.elements, let key = shape.listKeys[below]?.first {
                result[name] = merge(elements, into: result[name]?.elements ?? [], by: key, at: below)
            } else if change.fields != nil {
                result[name] = apply(change, to: result[name] ?? .object([:]), at: below)
            } else {
                result[name] = change
            }
        }
        for (name, change) in changes where name.hasPrefix("$deleteFromPrimitiveList/") {
            let target = String(name.dropFirst("$deleteFromPrimitiveList/".count))
            let gone = change.elements ?? []
            result[target] = result[target]?.elements.map { .array($0.filter { !gone.contains($0) }) }
        }
        return .object(result)
    }

    private func merge(_ changes: [JSONValue], into elements: [JSONValue], by key: String, at path: String) -> JSONValue
    {
        if changes.contains(where: { $0["$patch"]?.text == "replace" }) {
            return .array(changes.filter { $0["$patch"] == nil })
        }
        var result = elements
        for change in changes {
            let index = result.firstIndex { $0[key] == change[key] }
            if change["$patch"]?.text == "delete" {
                if let index { result.remove(at: index) }
            } else if let index {
                result[index] = apply(change, to: result[index], at: path)
            } else {
                result.append(apply(change, to: .object([:]), at: path))
            }
        }
        return .array(result)
    }
}

extension JSONValue {
    fileprivate var withoutDirectives: JSONValue {
        guard case .object(let fields) = self else { return self }
        return .object(fields.filter { !$0.key.hasPrefix("$") })
    }
}
