internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension Explainer {
    /// The policies of a listener.
    mutating func policies(of listener: ListenerFacts) {
        let points = PolicyPoint.of(listener)
        let limits = listener.configuration?.limits ?? []
        policies(at: points, ["ClientPolicy"], gateway: listener.gateway, closing: closed(limits), depth: 2)
        if values.isEmpty, let configuration = listener.configuration {
            addValues(ClientField.all, points) { $0.value(configuration, nil) }
        }
    }

    /// Those of a route besides.
    mutating func policies(of route: RouteFacts, at listener: ListenerFacts, _ configuration: RouteConfiguration) {
        let point = PolicyPoint(route.kind, route.key)
        policies(
            at: [point], ["ClientPolicy", "BackendPolicy"], gateway: listener.gateway,
            closing: closed(configuration.limits), depth: 3)
        guard let own = listener.configuration else { return }
        values.removeAll { $0.field.hasPrefix("ClientPolicy.") }
        addValues(ClientField.all, PolicyPoint.of(listener) + [point]) { $0.value(own, configuration) }
        routePoints = PolicyPoint.of(listener) + [point]
    }

    /// Those of a backend.
    mutating func policies(of backend: BackendConfiguration) {
        let points = PolicyPoint.of(backend.id, snapshot)
        let isUnusable = backend.tls?.trust == .unusable
        policies(at: points, ["BackendPolicy", "BackendTLSPolicy"], gateway: nil, closing: [], depth: 4)
        if isUnusable {
            note(.broken, "\(backend.id)", .backendTLSError, "its policies cannot be used", depth: 3)
        }
        guard !values.contains(where: { $0.field.hasPrefix("BackendPolicy.") }) else { return }
        addValues(BackendField.all, routePoints + points) { $0.value(backend) }
    }

    /// Policies that let nobody in, because they are not accepted though they should protect something.
    private func closed(_ limits: [ClientLimits]) -> Set<String> {
        Set(
            limits.filter { $0.authorization?.rules.isEmpty == true && $0.authorization?.allowsByDefault == false }
                .map(\.id.policy))
    }

    private mutating func policies(
        at points: [PolicyPoint], _ kinds: [String], gateway: ObjectKey?, closing: Set<String>, depth: Int
    ) {
        for policy in policies(at: points) where kinds.contains(policy.kind) {
            let conditions = policy.conditions(at: gateway)
            let refused = conditions.first { $0.type == .accepted && $0.status == .false }
            let isClosing = refused != nil && closing.contains(policy.key.description)
            if let refused {
                note(
                    isClosing ? .broken : .warning, policy.title, refused, isClosing ? .authorizationDenied : nil,
                    field: "spec.targetRefs", advice: advice(refused), depth: depth)
                continue
            }
            let others = conditions.filter { $0.trouble != nil && $0.type != .accepted }
            for condition in others { note(.warning, policy.title, condition, depth: depth) }
            if others.isEmpty {
                let held = conditions[.programmed].map { $0.message.isEmpty ? "" : " (\($0.message))" } ?? ""
                let targets = policy.targets.filter(points.contains).map(\.title).joined(separator: "; ")
                good(policy.title, "holds at \(targets)\(held)", depth: depth)
            }
        }
    }

    func advice(_ condition: Condition) -> String? {
        switch condition.reason {
        case .conflicted: "put the fields of both policies into one, or give the policy another target"
        case .targetNotFound: "compare targetRefs with the names of the objects in the policy's namespace"
        case .invalid: "mend the field that the message names"
        case .noValidCACertificate, .invalidCACertificateRef:
            "name a ConfigMap or Secret in the policy's namespace whose ca.crt has CA certificates"
        default: nil
        }
    }

    /// Adds the values of fields, each with the most specific policy that sets it.
    private mutating func addValues<Field: PolicyField>(
        _ fields: [Field], _ points: [PolicyPoint], _ value: (Field) -> String?
    ) {
        var known: Set<String> = []
        let holders = points.compactMap { point in
            policies(at: [point]).first { $0.kind == Field.kind && $0.isAccepted }.map {
                (point, $0)
            }
        }
        for field in fields where known.insert(field.name).inserted {
            guard let text = value(field) else { continue }
            let setter = holders.last { field.isSet($0.1) }
            values.append(
                .init(
                    field: "\(Field.kind).\(field.name)", value: text,
                    source: setter.map { "\($0.1.title) at \($0.0.title)" } ?? "default"))
        }
    }
}

/// A field of a policy, with what holds of it.
protocol PolicyField {
    static var kind: String { get }
    var name: String { get }
    func isSet(_ policy: PolicyFacts) -> Bool
}
