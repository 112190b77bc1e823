internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// What holds for one gateway: the class's parameters and its own, merged, with our defaults where neither says anything.
struct EffectiveParameters {
    /// Nil where none is set.
    let ofClass: NamedParameters?
    let exposure: TranslationOptions.Exposure
    /// Under Host exposure: where to bind; empty: everywhere.
    let addresses: [IPAddress]
    let service: GatewayParameters.ServiceParameters
    /// Nil: what the cluster prefers, or every family of the host.
    let ipFamily: IPFamily?
    /// Nil: sessions go on until they end.
    let routeDrainTimeout: Duration?
    let backendGuard: BackendGuard
    /// The class's.
    let accessLogFormat: AccessLogFormat
    /// Whether endpoints have metrics of their own.
    let hasEndpointMetrics: Bool

    enum IPFamily: String { case ipv4 = "IPv4", ipv6 = "IPv6", dualStack = "DualStack" }

    init(ofClass: NamedParameters?, merged: GatewayParameters.Spec, _ options: TranslationOptions) {
        self.ofClass = ofClass
        switch merged.exposure {
        case "Service": exposure = .service
        case "Host": exposure = .host
        default: exposure = options.exposure
        }
        addresses = (merged.addresses ?? []).compactMap { IPAddress($0) }.sorted()
        service = merged.service ?? GatewayParameters.ServiceParameters()
        ipFamily = merged.ipFamily.flatMap { IPFamily(rawValue: $0) }
        routeDrainTimeout = merged.routeDrainTimeout.flatMap { GatewayDuration($0)?.duration }
        accessLogFormat = merged.telemetry?.accessLog?.effectiveFormat ?? .json
        hasEndpointMetrics = merged.telemetry?.metrics?.perEndpoint ?? false
        backendGuard = BackendGuard(merged.backendGuard, ofClass, standalone: options.standalone)
    }

    /// What holds without any parameters.
    init(_ options: TranslationOptions) {
        self.init(ofClass: nil, merged: GatewayParameters.Spec(), options)
    }

    /// Merges the class's parameters and a gateway's own, and judges the result by the rules of both.
    static func merge(
        _ ofClass: NamedParameters?, _ own: NamedParameters?, _ options: TranslationOptions
    ) -> Result<EffectiveParameters, ParametersProblem> {
        let base = ofClass?.spec ?? GatewayParameters.Spec()
        guard let own else { return effective(ofClass, base, options, of: ofClass?.description ?? "") }
        let fields = own.spec.classFields
        guard fields.isEmpty else {
            return .failure(
                ParametersProblem(
                    "\(own.description): \(fields.joined(separator: ", ")) may only stand in the parameters of a "
                        + "GatewayClass"))
        }
        let merged = base.overridden(by: own.spec)
        let names = [own.description, ofClass.map { "with \($0.description) of the class" }].compactMap { $0 }
            .joined(separator: " merged ")
        let problems = merged.problems(at: "spec")
        guard problems.isEmpty else {
            return .failure(ParametersProblem("\(names): \(problems.map(\.description).joined(separator: "; "))"))
        }
        return effective(ofClass, merged, options, of: names)
    }

    private static func effective(
        _ ofClass: NamedParameters?, _ merged: GatewayParameters.Spec, _ options: TranslationOptions, of names: String
    ) -> Result<EffectiveParameters, ParametersProblem> {
        let parameters = EffectiveParameters(ofClass: ofClass, merged: merged, options)
        if parameters.exposure == .service, options.installation == nil {
            return .failure(ParametersProblem("\(names): exposure Service is possible in a cluster only"))
        }
        if parameters.exposure == .host, merged.service != nil {
            return .failure(ParametersProblem("\(names): service is set, but exposure is Host here by default"))
        }
        let wrong = parameters.addresses.filter { !parameters.admits($0) }
        guard wrong.isEmpty else {
            let list = wrong.map(\.description).joined(separator: ", ")
            return .failure(ParametersProblem("\(names): addresses: \(list) is not \(merged.ipFamily ?? "")"))
        }
        return .success(parameters)
    }

    /// Where ports are bound under Host exposure when the gateway asks for no address; empty: on every one.
    var hostAddresses: [IPAddress] {
        guard addresses.isEmpty else { return addresses }
        switch ipFamily {
        case .ipv4: return [.anyV4]
        case .ipv6: return [.anyV6]
        case .dualStack, nil: return []
        }
    }

    /// Whether an address is of a family that is wanted.
    func admits(_ address: IPAddress) -> Bool {
        switch ipFamily {
        case .ipv4: address.isV4
        case .ipv6: !address.isV4
        case .dualStack, nil: true
        }
    }
}
