internal import KubernetesAPI

/// Works out which fields of a status have to change so that it says what it shall, and everything of others stays as
/// it is. Pure. A result holds whole values of top-level fields, null where one is to go, as a JSON merge patch has them
/// (RFC 7396: lists are replaced whole); nil: nothing has to change.
struct StatusMerge {
    let controllerName: String
    /// metav1.Time for conditions whose status changes.
    let now: String

    /// `namespace`: of the object, which references in it are relative to.
    func changes(
        _ kind: StatusKind, in namespace: String, from observed: JSONValue?, to desired: JSONValue
    ) -> [String: JSONValue]? {
        switch kind.shape {
        case .whole(let fields): whole(fields, observed, desired)
        case .shared(let field, let reference, let limit):
            shared(
                field, reference: reference, limit: limit, namespace: namespace, observed,
                desired[field]?.elements ?? [])
        }
    }

    /// Removes what is ours. A Gateway, a ListenerSet and a GatewayClass then say that they wait for a controller, as
    /// they do when they are new; our entries in shared lists go; conditions of our own kinds go.
    func takeBack(_ kind: StatusKind, from observed: JSONValue?) -> [String: JSONValue]? {
        switch kind.shape {
        case .shared(let field, let reference, let limit):
            shared(field, reference: reference, limit: limit, namespace: "", observed, [])
        case .whole(let fields):
            whole(fields, observed, .object(["conditions": .array(StatusMerge.waiting(kind))]))
        }
    }

    /// The status that an object of the kind is created with, by its CRD.
    private static func waiting(_ kind: StatusKind) -> [JSONValue] {
        let types: [String] =
            switch kind {
            case .gateway, .listenerSet: ["Accepted", "Programmed"]
            case .gatewayClass: ["Accepted"]
            default: []
            }
        return types.map { type in
            .object([
                "type": .string(type), "status": .string("Unknown"), "reason": .string("Pending"),
                "message": .string("Waiting for controller"),
            ])
        }
    }

    private func whole(_ fields: [String], _ observed: JSONValue?, _ desired: JSONValue) -> [String: JSONValue]? {
        var changes: [String: JSONValue] = [:]
        let before = observed?["conditions"]?.elements
        let conditions = ConditionMerge.merge(desired["conditions"]?.elements ?? [], into: before ?? [], now: now)
        if conditions != before ?? [] { changes["conditions"] = .array(conditions) }
        for field in fields {
            let old = observed?[field] ?? .null
            var new = desired[field] ?? .null
            if field == "listeners" { new = .array(listeners(new.elements ?? [], into: old.elements ?? [])) }
            if new != old, !(new.isVoid && old.isVoid) { changes[field] = new.isVoid ? .null : new }
        }
        return changes.isEmpty ? nil : changes
    }

    /// Listeners stand where they stood, their conditions keep their times.
    private func listeners(_ desired: [JSONValue], into observed: [JSONValue]) -> [JSONValue] {
        var wanted: [String: JSONValue] = [:]
        for listener in desired { if let name = listener["name"]?.text { wanted[name] = listener } }
        var merged: [JSONValue] = []
        for listener in observed {
            guard let name = listener["name"]?.text, let next = wanted.removeValue(forKey: name) else { continue }
            merged.append(withConditions(next, before: listener))
        }
        for listener in desired {
            guard let name = listener["name"]?.text, wanted.removeValue(forKey: name) != nil else { continue }
            merged.append(withConditions(listener, before: nil))
        }
        return merged
    }

    private func withConditions(_ part: JSONValue, before: JSONValue?) -> JSONValue {
        guard case .object(var fields) = part else { return part }
        fields["conditions"] = .array(
            ConditionMerge.merge(
                part["conditions"]?.elements ?? [], into: before?["conditions"]?.elements ?? [], now: now))
        return .object(fields)
    }

    private func shared(
        _ field: String, reference: String, limit: Int, namespace: String, _ observed: JSONValue?,
        _ desired: [JSONValue]
    ) -> [String: JSONValue]? {
        let before = observed?[field]?.elements ?? []
        var wanted: [Parent: JSONValue] = [:]
        for entry in desired { wanted[Parent(entry[reference], in: namespace)] = entry }
        var merged: [JSONValue] = []
        for entry in before {
            guard entry["controllerName"]?.text == controllerName else {
                merged.append(entry)
                continue
            }
            guard case .object(var fields)? = wanted.removeValue(forKey: Parent(entry[reference], in: namespace)) else {
                continue
            }
            // As the server has it, with its defaults filled in.
            fields[reference] = entry[reference]
            merged.append(withConditions(.object(fields), before: entry))
        }
        for entry in desired where merged.count < limit {
            guard wanted.removeValue(forKey: Parent(entry[reference], in: namespace)) != nil else { continue }
            merged.append(withConditions(entry, before: nil))
        }
        return merged == before ? nil : [field: .array(merged)]
    }
}

/// What a reference names, with the defaults of Gateway API filled in.
private struct Parent: Hashable {
    var group: String
    var kind: String
    var namespace: String
    var name: String?
    var sectionName: String?
    var port: Int64?

    init(_ reference: JSONValue?, in namespace: String) {
        group = reference?["group"]?.text ?? "gateway.networking.k8s.io"
        kind = reference?["kind"]?.text ?? "Gateway"
        self.namespace = reference?["namespace"]?.text ?? namespace
        name = reference?["name"]?.text
        sectionName = reference?["sectionName"]?.text
        port = reference?["port"]?.integer
    }
}

extension JSONValue {
    /// Null or an empty list: the same to a reader of a status.
    fileprivate var isVoid: Bool { self == .null || self == .array([]) }
}
