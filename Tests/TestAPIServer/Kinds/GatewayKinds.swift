internal import KubernetesAPI

/// The kinds of Gateway API v1.6 (standard channel) and of Sluice, as their CustomResourceDefinitions declare them.
enum GatewayKinds {
    static let bundleVersion = "v1.6.1"
    static let group = "gateway.networking.k8s.io"

    static let all: [ServedKind] = [
        custom("GatewayClass", "gatewayclasses", short: ["gc"], namespaced: false, versions: ["v1", "v1beta1"]) {
            $0.columns = [.path("Controller", "spec", "controllerName"), .condition("Accepted"), .age]
            $0.shape.listKeys["status.supportedFeatures"] = ["name"]
        },
        custom("Gateway", "gateways", short: ["gtw"], versions: ["v1", "v1beta1"]) {
            $0.columns = [.path("Class", "spec", "gatewayClassName"), address, .condition("Programmed"), .age]
            $0.shape.listKeys.merge(listenerKeys) { $1 }
            $0.shape.listKeys["spec.tls.frontend.perPort"] = ["port"]
            $0.shape.atomicMaps = [
                "spec.listeners.allowedRoutes.namespaces.selector", "spec.allowedListeners.namespaces.selector",
            ]
        },
        custom("ListenerSet", "listenersets", short: ["lset"]) {
            $0.columns = [.condition("Accepted"), .condition("Programmed"), .age]
            $0.shape.listKeys.merge(listenerKeys) { $1 }
            $0.shape.atomicMaps = ["spec.listeners.allowedRoutes.namespaces.selector"]
        },
        custom("TCPRoute", "tcproutes"), custom("TLSRoute", "tlsroutes"), custom("UDPRoute", "udproutes"),
        custom("HTTPRoute", "httproutes", versions: ["v1", "v1beta1"]), custom("GRPCRoute", "grpcroutes"),
        custom("BackendTLSPolicy", "backendtlspolicies", short: ["btlspolicy"]),
        custom("ReferenceGrant", "referencegrants", short: ["refgrant"], versions: ["v1", "v1beta1"]) {
            $0.subresources = []
        },
    ]

    private static func custom(
        _ kind: String, _ plural: String, short: [String] = [], namespaced: Bool = true, versions: [String] = ["v1"],
        _ change: (inout ServedKind) -> Void = { _ in }
    ) -> ServedKind {
        var result = ServedKind(group: group, versions: versions, kind: kind, plural: plural, namespaced: namespaced)
        result.shortNames = short
        result.categories = ["gateway-api"]
        result.subresources = ["status"]
        result.isCustom = true
        result.hasGeneration = true
        result.columns = [.age]
        result.bundleVersion = bundleVersion
        result.shape.listKeys = ["status.conditions": ["type"]]
        change(&result)
        return result
    }

    private static let listenerKeys = [
        "spec.listeners": ["name"], "status.listeners": ["name"], "status.listeners.conditions": ["type"],
    ]

    private static let address = ServedKind.Column(name: "Address") { gateway in
        let values = (gateway.at("status", "addresses")?.elements ?? []).compactMap { $0["value"]?.text }
        return values.isEmpty ? .null : .string(values.joined(separator: ","))
    }
}
