internal import EngineModel
internal import KubernetesAPI

extension GatewayParameters.Spec {
    /// The class's parameters with a gateway's own in their place, field by field; lists, annotations and the parts that
    /// belong to the class alone are taken as a whole.
    func overridden(by own: GatewayParameters.Spec) -> GatewayParameters.Spec {
        var merged = self
        merged.exposure = own.exposure ?? exposure
        merged.addresses = own.addresses ?? addresses
        merged.service = service.overridden(by: own.service)
        merged.ipFamily = own.ipFamily ?? ipFamily
        merged.routeDrainTimeout = own.routeDrainTimeout ?? routeDrainTimeout
        if let perEndpoint = own.telemetry?.metrics?.perEndpoint {
            merged.telemetry = merged.telemetry ?? GatewayParameters.Telemetry()
            merged.telemetry?.metrics = GatewayParameters.Metrics(perEndpoint: perEndpoint)
        }
        return merged
    }

    /// Fields that only the class's parameters may have.
    var classFields: [String] {
        [
            allowedPorts == nil ? nil : "allowedPorts", backendGuard == nil ? nil : "backendGuard",
            telemetry?.accessLog == nil ? nil : "telemetry.accessLog",
        ].compactMap { $0 }
    }

    /// What cannot be obeyed, by this version or at all: better refused than accepted and ignored.
    var unsupported: [String] {
        var problems: [String] = []
        if let problem = telemetry?.accessLog?.templateProblem {
            problems.append("spec.telemetry.accessLog.template: \(problem)")
        }
        return problems
    }
}

extension GatewayParameters.ServiceParameters? {
    fileprivate func overridden(by own: GatewayParameters.ServiceParameters?) -> GatewayParameters.ServiceParameters? {
        guard let own else { return self }
        guard var merged = self else { return own }
        merged.type = own.type ?? merged.type
        merged.externalTrafficPolicy = own.externalTrafficPolicy ?? merged.externalTrafficPolicy
        merged.loadBalancerClass = own.loadBalancerClass ?? merged.loadBalancerClass
        merged.annotations = own.annotations ?? merged.annotations
        merged.nodePorts = own.nodePorts ?? merged.nodePorts
        return merged
    }
}

extension GatewayParameters.AccessLog {
    /// Nil where the template cannot be used.
    var effectiveFormat: AccessLogFormat? {
        switch format {
        case "HAProxyTCP": return .haproxyTCP
        case "Text":
            guard let template, !template.isEmpty else { return .text(.standard) }
            return (try? AccessLogTemplate(template)).map { .text($0) }
        default: return .json
        }
    }

    /// Why the template cannot be used.
    var templateProblem: AccessLogTemplateProblem? {
        guard format == "Text", let template, !template.isEmpty else { return nil }
        do throws(AccessLogTemplateProblem) {
            _ = try AccessLogTemplate(template)
            return nil
        } catch { return error }
    }
}
