internal import KubernetesAPI

/// Which classes, and with them which gateways, are ours.
struct ClassSelection {
    /// Our classes, and why one cannot be used.
    private var verdicts: [String: Verdict?] = [:]
    private(set) var statuses: [ObjectKey: GatewayClassStatus] = [:]

    init(_ snapshot: ClusterSnapshot, _ options: TranslationOptions) {
        if case .namespaces = snapshot.scope {
            // No class can be read: the one by name is taken for ours, and not written to.
            verdicts.updateValue(nil, forKey: options.defaultClassName)
            return
        }
        for (key, gatewayClass) in snapshot.gatewayClasses
        where gatewayClass.spec.controllerName == options.controllerName {
            let verdict = gatewayClass.spec.parametersRef.map { ClassSelection.unsupported($0) }
            verdicts.updateValue(verdict, forKey: key.name)
            let generation = gatewayClass.metadata.generation
            let support = BundleSupport(snapshot, options, generation: generation)
            let accepted = Condition(
                .accepted, verdict, otherwise: .accepted, "served by \(options.controllerName)", generation: generation)
            statuses[key] = GatewayClassStatus(
                conditions: [accepted] + [support.condition].compactMap { $0 }, supportedFeatures: support.features)
        }
        let key = ObjectKey(namespace: "", name: options.defaultClassName)
        if options.standalone, snapshot.gatewayClasses[key] == nil {
            verdicts.updateValue(nil, forKey: options.defaultClassName)
        }
    }

    /// Whether a class is ours.
    func contains(_ name: String) -> Bool { verdicts[name] != nil }

    /// Why gateways of this class of ours cannot be served.
    func problem(_ name: String) -> Verdict? {
        guard case .some(.some(let verdict)) = verdicts[name] else { return nil }
        return Verdict(.invalidParameters, "GatewayClass \(name) is not accepted: \(verdict.message)")
    }

    /// Parameters are not read yet, so that any reference to some cannot be honoured.
    static func unsupported(_ reference: ParametersReference) -> Verdict {
        let kind = reference.group.isEmpty ? reference.kind : "\(reference.kind).\(reference.group)"
        return Verdict(
            .invalidParameters,
            "parametersRef: \(kind) \(reference.name) cannot be used; no kind of parameters is supported")
    }
}
