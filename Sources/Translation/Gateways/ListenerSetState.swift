internal import KubernetesAPI

/// A ListenerSet whose gateway is ours, on its way through the translation.
struct ListenerSetState {
    let key: ObjectKey
    let set: ListenerSet
    /// Why the gateway takes none of its listeners.
    var rejection: Verdict?
    /// Which of the gateway's listeners are the set's; empty when it is rejected.
    var listeners: Range<Int> = 0..<0

    var generation: Int64? { self.set.metadata.generation }
}

/// ListenerSets by the gateway they name, in order of precedence.
struct ListenerSetIndex {
    private var byGateway: [ObjectKey: [(key: ObjectKey, set: ListenerSet)]] = [:]

    init(_ snapshot: ClusterSnapshot) {
        for (key, set) in snapshot.listenerSets.byPrecedence {
            guard let parent = set.gateway(from: key.namespace) else { continue }
            byGateway[parent, default: []].append((key, set))
        }
    }

    /// The sets that name a gateway: those it allows, and those it does not with the reason.
    func sets(
        of gateway: Gateway, _ key: ObjectKey, in snapshot: ClusterSnapshot, standalone: Bool
    ) -> [ListenerSetState] {
        guard let sets = byGateway[key] else { return [] }
        let rule = AllowedListeners(gateway, key, snapshot.scope)
        return sets.map { entry in
            var state = ListenerSetState(key: entry.key, set: entry.set)
            state.rejection =
                rule.refusal(of: entry.key, in: snapshot, standalone: standalone)
                ?? entry.set.spec.listeners.doubledName
            return state
        }
    }
}

extension ListenerSet {
    /// The gateway that the set in `namespace` names; nil where it names something else.
    func gateway(from namespace: String) -> ObjectKey? {
        let parent = spec.parentRef
        guard parent.effectiveGroup == gatewayAPIGroup, parent.effectiveKind == "Gateway" else { return nil }
        return parent.key(from: namespace)
    }
}

/// Which ListenerSets a gateway allows (Gateway.spec.allowedListeners).
private struct AllowedListeners {
    private let gateway: ObjectKey
    private let rule: NamespaceRule
    /// Why the rule cannot be read.
    private let problem: String?

    init(_ gateway: Gateway, _ key: ObjectKey, _ scope: SnapshotScope) {
        self.gateway = key
        let namespaces = gateway.spec.allowedListeners?.namespaces
        switch namespaces?.from ?? "None" {
        case "None": (rule, problem) = (.none, nil)
        case "All": (rule, problem) = (.all, nil)
        case "Same": (rule, problem) = (.same(key.namespace), nil)
        case "Selector":
            if scope != .cluster {
                (rule, problem) = (.none, "spec.allowedListeners.namespaces.from is Selector, \(selectorNeedsRight)")
            } else if let selector = namespaces?.selector, selector.isValid {
                (rule, problem) = (.selector(selector), nil)
            } else {
                (rule, problem) = (.none, "spec.allowedListeners.namespaces has no selector that can be read")
            }
        case let other:
            (rule, problem) = (.none, "spec.allowedListeners.namespaces.from: '\(other)' is unknown")
        }
    }

    /// Why a set may not add listeners; nil: it may.
    func refusal(of set: ObjectKey, in snapshot: ClusterSnapshot, standalone: Bool) -> Verdict? {
        if rule.admits(set.namespace, in: snapshot, standalone: standalone) { return nil }
        let why =
            problem ?? "spec.allowedListeners does not allow ListenerSets of namespace \(set.namespace)"
        return Verdict(.notAllowed, "Gateway \(gateway): \(why)")
    }
}

extension [Gateway.Listener] {
    /// Listener names are keys of the status, so that two of one name cannot be answered apart.
    var doubledName: Verdict? {
        var seen: Set<String> = []
        for listener in self where !seen.insert(listener.name).inserted {
            return Verdict(.invalid, "two listeners are named \(listener.name)")
        }
        return nil
    }
}
