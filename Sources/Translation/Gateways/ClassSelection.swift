internal import KubernetesAPI

/// Which classes, and with them which gateways, are ours.
struct ClassSelection {
    /// The parameters of our classes (nil: none), or why a class cannot be used.
    private var parameters: [String: Result<NamedParameters?, ParametersProblem>] = [:]
    private(set) var statuses: [ObjectKey: GatewayClassStatus] = [:]

    init(_ snapshot: ClusterSnapshot, _ options: TranslationOptions, _ index: inout ParametersIndex) {
        if case .namespaces = snapshot.scope {
            // No class can be read: the one by name is taken for ours, and not written to.
            parameters[options.defaultClassName] = .success(nil)
            return
        }
        for (key, gatewayClass) in snapshot.gatewayClasses
        where gatewayClass.spec.controllerName == options.controllerName {
            let found: Result<NamedParameters?, ParametersProblem> =
                gatewayClass.spec.parametersRef.map { index.resolve($0, in: nil).map { $0 } } ?? .success(nil)
            parameters[key.name] = found
            let generation = gatewayClass.metadata.generation
            let support = BundleSupport(snapshot, options, generation: generation)
            let accepted = Condition(
                .accepted, found.problem, otherwise: .accepted, "served by \(options.controllerName)",
                generation: generation)
            statuses[key] = GatewayClassStatus(
                conditions: [accepted] + [support.condition].compactMap { $0 }, supportedFeatures: support.features)
        }
        let key = ObjectKey(namespace: "", name: options.defaultClassName)
        if options.standalone, snapshot.gatewayClasses[key] == nil {
            parameters[options.defaultClassName] = index.onlyOne(in: snapshot)
        }
    }

    /// Whether a class is ours.
    func contains(_ name: String) -> Bool { parameters[name] != nil }

    /// The parameters of a class of ours, or why its gateways cannot be served.
    func parameters(of name: String) -> Result<NamedParameters?, Verdict> {
        (parameters[name] ?? .success(nil)).mapError {
            Verdict(.invalidParameters, "GatewayClass \(name) is not accepted: \($0.verdict.message)")
        }
    }
}

extension Result where Failure == ParametersProblem {
    fileprivate var problem: Verdict? { if case .failure(let problem) = self { problem.verdict } else { nil } }
}
