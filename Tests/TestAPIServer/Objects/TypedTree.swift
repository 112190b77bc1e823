internal import KubernetesAPI

/// Walks objects by the shape of their kind: what managers own, what changed, how an applied configuration merges.
struct TypedTree: Sendable {
    let shape: Shape
    /// Paths of Go structs that exist even where they are left out: they are never "added".
    let alwaysThere: Set<String>

    init(_ kind: ServedKind) {
        shape = kind.shape
        alwaysThere = kind.isCustom ? ["metadata"] : ["metadata", "spec", "status"]
    }

    /// The step that leads to each element of a keyed list or set; nil for an atomic list.
    func steps(_ elements: [JSONValue], at path: String) -> [FieldStep]? {
        if shape.sets.contains(path) { return elements.map { .member($0) } }
        guard let keys = shape.listKeys[path] else { return nil }
        return elements.map { element in
            .element(
                Dictionary(
                    keys.compactMap { key in (element[key] ?? shape.keyDefaults[key]).map { (key, $0) } }
                ) { $1 })
        }
    }

    private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The fields of an applied configuration.
    func fields(of value: JSONValue, at path: String = "") -> FieldSet {
        switch value {
        case .object(let fields) where !fields.isEmpty && !shape.atomicMaps.contains(path):
            var set = FieldSet()
            for (name, child) in fields { set[.field(name)] = self.fields(of: child, at: join(path, name)) }
            return set
        case .array(let elements) where !elements.isEmpty:
            guard let steps = steps(elements, at: path) else { return .member }
            var set = FieldSet()
            for (step, element) in zip(steps, elements) {
                var child = element.fields == nil ? FieldSet() : self.fields(of: element, at: path)
                child.isMember = true
                set[step] = child
            }
            return set
        default: return .member
        }
    }

    /// Paths that are new or have another value in `new`. New containers are members themselves.
    func changed(from old: JSONValue?, to new: JSONValue, at path: String = "") -> FieldSet {
        if old == new { return FieldSet() }
        let isNew = old == nil && !path.isEmpty && !alwaysThere.contains(path)
        switch new {
        case .object(let fields) where !shape.atomicMaps.contains(path) && (!fields.isEmpty || old?.fields != nil):
            var set = FieldSet(isMember: isNew)
            for (name, child) in fields {
                set[.field(name)] = changed(from: old?[name], to: child, at: join(path, name))
            }
            return set
        case .array(let elements) where !elements.isEmpty:
            guard let steps = steps(elements, at: path) else { return .member }
            let before = byStep(old, at: path)
            var set = FieldSet(isMember: isNew)
            for (step, element) in zip(steps, elements) {
                var child =
                    element.fields == nil
                    ? FieldSet() : changed(from: before[step], to: element, at: path)
                if before[step] == nil { child.isMember = true }
                set[step] = child
            }
            return set
        default: return .member
        }
    }

    /// Paths of `old` that `new` has no more.
    func removed(from old: JSONValue, to new: JSONValue?, at path: String = "") -> FieldSet {
        guard let new else {
            var set = fields(of: old, at: path)
            set = everyNode(set)
            return set
        }
        switch (old, new) {
        case (.object(let fields), .object) where !shape.atomicMaps.contains(path):
            var set = FieldSet()
            for (name, child) in fields {
                set[.field(name)] = removed(from: child, to: new[name], at: join(path, name))
            }
            return set
        case (.array(let elements), .array):
            guard let steps = steps(elements, at: path) else { return FieldSet() }
            let after = byStep(new, at: path)
            var set = FieldSet()
            for (step, element) in zip(steps, elements) {
                set[step] = removed(from: element, to: after[step], at: path)
            }
            return set
        default: return FieldSet()
        }
    }

    private func everyNode(_ set: FieldSet) -> FieldSet {
        var result = FieldSet.member
        for (step, child) in set.children { result[step] = everyNode(child) }
        return result
    }

    func byStep(_ value: JSONValue?, at path: String) -> [FieldStep: JSONValue] {
        guard let elements = value?.elements, let steps = steps(elements, at: path) else { return [:] }
        return Dictionary(zip(steps, elements)) { $1 }
    }

    /// The configuration merged into the live object.
    func merged(_ live: JSONValue?, with applied: JSONValue, at path: String = "") -> JSONValue {
        switch (live, applied) {
        case (.object(let old)?, .object(let new)) where !shape.atomicMaps.contains(path):
            var result = old
            for (name, child) in new { result[name] = merged(old[name], with: child, at: join(path, name)) }
            return .object(result)
        case (.array(let old)?, .array(let new)):
            guard let oldSteps = steps(old, at: path), let newSteps = steps(new, at: path) else { return applied }
            var result = old
            for (step, element) in zip(newSteps, new) {
                if let index = oldSteps.firstIndex(of: step) {
                    result[index] = merged(old[index], with: element, at: path)
                } else {
                    result.append(element)
                }
            }
            return .array(result)
        default: return applied
        }
    }

    /// The object without the fields of a set; what others own below them (`kept`) stays.
    func removing(_ set: FieldSet, keeping kept: FieldSet, from value: JSONValue, at path: String = "") -> JSONValue? {
        if set.isMember, kept.isEmpty { return nil }
        switch value {
        case .object(var fields):
            for (step, child) in set.children {
                guard case .field(let name) = step, let old = fields[name] else { continue }
                fields[name] = removing(child, keeping: kept[step], from: old, at: join(path, name))
            }
            return fields.isEmpty && !path.isEmpty ? nil : .object(fields)
        case .array(let elements):
            guard let steps = steps(elements, at: path) else { return value }
            let rest = zip(steps, elements).compactMap { step, element -> JSONValue? in
                guard let child = set.children[step] else { return element }
                return removing(child, keeping: kept[step], from: element, at: path)
            }
            return rest.isEmpty ? nil : .array(rest)
        default: return value
        }
    }

    /// The value at the end of steps.
    func value(_ value: JSONValue?, at steps: ArraySlice<FieldStep>, path: String = "") -> JSONValue? {
        guard let step = steps.first, let value else { return value }
        switch step {
        case .field(let name):
            return self.value(value[name], at: steps.dropFirst(), path: join(path, name))
        case .element, .member:
            return self.value(byStep(value, at: path)[step], at: steps.dropFirst(), path: path)
        }
    }
}
