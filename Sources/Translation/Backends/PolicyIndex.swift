internal import EngineModel
internal import KubernetesAPI

/// BackendTLSPolicies by what they target; of two for one target the older one holds.
struct PolicyIndex {
    private struct Target: Hashable {
        let kind: String
        let key: ObjectKey
        /// A Service port by name; nil: all.
        let section: String?
    }

    private(set) var policies: [PolicyState]
    private var winners: [Target: Int] = [:]
    /// Everything that targets an object, whichever section, losers included.
    private var byObject: [Target: [(policy: Int, section: String?)]] = [:]

    init(_ snapshot: ClusterSnapshot) {
        let ordered = snapshot.backendTLSPolicies.byPrecedence
        self.policies = ordered.map { PolicyState($0.key, $0.value, snapshot) }
        for index in policies.indices {
            for reference in policies[index].policy.spec.targetRefs { add(reference, of: index, snapshot) }
        }
    }

    private mutating func add(
        _ reference: BackendTLSPolicy.TargetReference, of index: Int, _ snapshot: ClusterSnapshot
    ) {
        let isBackend = reference.group == Backend.resourceKind.group && reference.kind == "Backend"
        guard isBackend || (reference.group.isEmpty && reference.kind == "Service") else { return }
        let key = ObjectKey(namespace: policies[index].key.namespace, name: reference.name)
        var section = reference.sectionName.flatMap { $0.isEmpty ? nil : $0 }
        if let name = section {
            let ports = isBackend ? [] : snapshot.services[key]?.spec.ports ?? []
            if !ports.contains(where: { $0.effectiveName == name }) {
                policies[index].reject(
                    Verdict(.targetNotFound, "\(reference.kind) \(key) has no port named \(name)"))
            }
            // What is meant for a Backend must not be lost for a section it cannot have.
            if isBackend { section = nil }
        }
        let target = Target(kind: reference.kind, key: key, section: section)
        byObject[Target(kind: reference.kind, key: key, section: nil), default: []].append((index, section))
        guard let winner = winners[target] else {
            winners[target] = index
            return
        }
        guard winner != index else { return }
        let name = section.map { "\(reference.kind) \(key), port \($0)" } ?? "\(reference.kind) \(key)"
        policies[index].conflicts.append("\(name) has the older BackendTLSPolicy \(policies[winner].key)")
    }

    /// TLS towards a backend; nil: plain.
    func tls(for backend: BackendTarget) -> BackendTLS? {
        guard !winners.isEmpty else { return nil }
        let winner: Int?
        switch backend {
        case .backend(let key): winner = winners[Target(kind: "Backend", key: key, section: nil)]
        case .service(let key, let port):
            let ofPort = port.effectiveName.isEmpty ? nil : port.effectiveName
            winner =
                ofPort.flatMap { winners[Target(kind: "Service", key: key, section: $0)] }
                ?? winners[Target(kind: "Service", key: key, section: nil)]
        }
        return winner.map { policies[$0].tls }
    }

    /// Whether a policy targets the backend's object.
    func concerns(_ backend: BackendTarget) -> Bool { byObject[object(backend)] != nil }

    /// Whether a policy targets a Service.
    func concerns(service: ObjectKey) -> Bool {
        byObject[Target(kind: "Service", key: service, section: nil)] != nil
    }

    /// Notes that traffic of `gateway` goes to `backend`.
    mutating func use(_ backend: BackendTarget, by gateway: ObjectKey) {
        guard !policies.isEmpty else { return }
        var portName: String?
        if case .service(_, let port) = backend { portName = port.effectiveName }
        for (policy, section) in byObject[object(backend)] ?? []
        where section == nil || section == portName || policies[policy].rejection?.reason == .targetNotFound {
            policies[policy].ancestors.insert(gateway)
        }
    }

    /// Forgets whose traffic goes where.
    mutating func forgetUses() {
        for index in policies.indices { policies[index].ancestors = [] }
    }

    private func object(_ backend: BackendTarget) -> Target {
        switch backend {
        case .backend(let key): Target(kind: "Backend", key: key, section: nil)
        case .service(let key, _): Target(kind: "Service", key: key, section: nil)
        }
    }
}

extension PolicyState {
    /// Adds a reason why the policy is not accepted.
    mutating func reject(_ verdict: Verdict) {
        rejection = [rejection, verdict].compactMap { $0 }.merged
    }
}
