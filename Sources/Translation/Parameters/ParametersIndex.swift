internal import KubernetesAPI

/// GatewayParameters, and what those who refer to them get.
struct ParametersIndex {
    private let objects: [ObjectKey: GatewayParameters]
    /// Why one cannot be used.
    private var problems: [ObjectKey: String] = [:]
    /// Those that a class or a gateway of ours refers to.
    private(set) var used: Set<ObjectKey> = []

    init(_ snapshot: ClusterSnapshot) {
        objects = snapshot.gatewayParameters
        for (key, parameters) in objects {
            let found = parameters.specProblems().map(\.description) + parameters.spec.unsupported
            if !found.isEmpty { problems[key] = found.joined(separator: "; ") }
        }
    }

    func problem(_ key: ObjectKey) -> String? { problems[key] }

    /// What a reference leads to. `namespace`: where a gateway's leads; nil: a class's, which says so itself.
    mutating func resolve(
        _ reference: ParametersReference, in namespace: String?
    ) -> Result<NamedParameters, ParametersProblem> {
        let own = GatewayParameters.resourceKind
        guard reference.group == own.group, reference.kind == own.kind else {
            let kind = reference.group.isEmpty ? reference.kind : "\(reference.kind).\(reference.group)"
            return .failure(
                ParametersProblem(
                    "\(kind) \(reference.name) cannot be used (supported: \(own.kind).\(own.group))"))
        }
        guard let namespace = namespace ?? reference.namespace, !namespace.isEmpty else {
            return .failure(ParametersProblem("\(own.kind) \(reference.name): a namespace is required"))
        }
        let key = ObjectKey(namespace: namespace, name: reference.name)
        return use(key)
    }

    /// The parameters of a class that no object describes: those of the folder, if there is one object of them that no
    /// gateway names as its own.
    mutating func onlyOne(in snapshot: ClusterSnapshot) -> Result<NamedParameters?, ParametersProblem> {
        let named = snapshot.gateways.compactMap { key, gateway in
            gateway.spec.infrastructure?.parametersRef.map { ObjectKey(namespace: key.namespace, name: $0.name) }
        }
        let candidates = Set(objects.keys).subtracting(named).sorted()
        guard let only = candidates.first else { return .success(nil) }
        guard candidates.count == 1 else {
            return .failure(
                ParametersProblem(
                    "there are several GatewayParameters (\(candidates.map(\.description).joined(separator: ", "))), and no "
                        + "GatewayClass says which"))
        }
        return use(only).map { $0 }
    }

    /// The parameters of that key, which count as used.
    private mutating func use(_ key: ObjectKey) -> Result<NamedParameters, ParametersProblem> {
        guard let parameters = objects[key] else {
            return .failure(ParametersProblem("\(GatewayParameters.resourceKind.kind) \(key) does not exist"))
        }
        used.insert(key)
        if let problem = problems[key] {
            return .failure(
                ParametersProblem("\(GatewayParameters.resourceKind.kind) \(key) is not accepted: \(problem)"))
        }
        return .success(NamedParameters(key: key, spec: parameters.spec))
    }
}

/// Parameters that can be used, and whose they are.
struct NamedParameters: Hashable {
    let key: ObjectKey
    let spec: GatewayParameters.Spec

    var description: String { "\(GatewayParameters.resourceKind.kind) \(key)" }
}

/// Why parameters cannot be used.
struct ParametersProblem: Error {
    let verdict: Verdict
    init(_ message: String) { verdict = Verdict(.invalidParameters, "parametersRef: \(message)") }
}
