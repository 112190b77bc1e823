internal import Primitives

/// What tests apply to a cluster, as text.
enum ClusterManifest {
    /// One TCP listener called `main`, one route of the same name to a Service of the same name.
    static func route(
        _ name: String, namespace: String = "default", port: UInt16 = 9000, className: String = "sluice",
        parameters: String? = nil
    ) -> String {
        let infrastructure = parameters.map {
            "infrastructure: {parametersRef: {group: sluice.dev, kind: GatewayParameters, name: \($0)}}"
        }
        return """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: \(name), namespace: \(namespace)}
            spec:
              gatewayClassName: \(className)
              listeners: [{name: main, protocol: TCP, port: \(port)}]
              \(infrastructure ?? "")
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TCPRoute
            metadata: {name: \(name), namespace: \(namespace)}
            spec:
              parentRefs: [{name: \(name), sectionName: main}]
              rules: [{backendRefs: [{name: \(name), port: 7}]}]

            """
    }

    /// A Service without a selector and its EndpointSlice.
    static func service(_ name: String, namespace: String = "default", address: IPAddress, port: UInt16) -> String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: \(namespace)}
        spec: {ports: [{name: main, port: 7}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: \(name)-1, namespace: \(namespace), labels: {kubernetes.io/service-name: \(name)}}
        addressType: \(address.isV4 ? "IPv4" : "IPv6")
        ports: [{name: main, port: \(port)}]
        endpoints: [{addresses: ["\(address)"]}]

        """
    }
}

extension Kubectl {
    /// The port that a Gateway's port is bound on, as its Service records it; nil before there is one.
    func boundPort(of gateway: String, port: UInt16 = 9000, in system: String = "sluice-system") throws -> UInt16? {
        let label = "gateway.networking.k8s.io/gateway-name=\(gateway)"
        let path = "{.items[0].spec.ports[?(@.port==\(port))].targetPort}"
        return UInt16(try run(["get", "service", "-n", system, "-l", label, "-o", "jsonpath=\(path)"]).output)
    }
}
