internal import EngineModel
internal import KubernetesAPI

/// Whose listener it is: the gateway's own, or one that a ListenerSet adds to it.
struct ListenerOwner: Hashable {
    let gateway: ObjectKey
    /// Nil: the gateway's own.
    let set: ObjectKey?

    /// The kind that grants name.
    var kind: String { self.set == nil ? "Gateway" : ListenerSet.resourceKind.kind }
    /// Where the owner's references and `from: Same` start from.
    var namespace: String { (self.set ?? gateway).namespace }

    func id(_ listener: String) -> ListenerID {
        ListenerID(
            gatewayNamespace: gateway.namespace, gateway: gateway.name,
            listener: set.map { "\($0)/\(listener)" } ?? listener)
    }
}

extension ListenerState {
    /// As ``name(for:)``, as part of a sentence.
    func title(for reader: ListenerOwner) -> String {
        let name = name(for: reader)
        return name.hasPrefix("of ") ? "a listener \(name)" : "listener \(name)"
    }

    /// The listener's name in a message that `reader` gets. Who owns a ListenerSet learns of the gateway's listeners and of
    /// sets in its own namespace, not of other people's sets.
    func name(for reader: ListenerOwner) -> String {
        guard owner != reader, let set = owner.set else {
            return owner == reader ? spec.name : "\(spec.name) of Gateway \(owner.gateway)"
        }
        if reader.set == nil || reader.namespace == set.namespace { return "\(spec.name) of ListenerSet \(set)" }
        return "of a ListenerSet in another namespace"
    }
}

extension Sequence where Element == ListenerState {
    /// The listeners' names for `reader`, each once. Only the first few: every listener of thousands may name all others,
    /// and a status has to fit into its object.
    func names(for reader: ListenerOwner) -> String {
        var names: [String] = []
        for listener in self {
            let name = listener.name(for: reader)
            if names.contains(name) { continue }
            if names.count == 8 { return names.joined(separator: ", ") + " and others" }
            names.append(name)
        }
        return names.joined(separator: ", ")
    }
}
