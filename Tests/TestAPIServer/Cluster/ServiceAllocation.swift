internal import KubernetesAPI
internal import Primitives

extension ClusterState {
    /// Gives a Service what the server chooses: cluster addresses, families, node ports.
    mutating func allocate(_ given: JSONValue, previous: JSONValue?) throws -> JSONValue {
        var service = given
        let type = service.at("spec", "type")?.text ?? "ClusterIP"
        guard type != "ExternalName" else {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                service.set("spec", field, to: nil)
            }
            return service
        }
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]
        where service.at("spec", field) == nil {
            service.set("spec", field, to: previous?.at("spec", field))
        }
        if let old = previous?.at("spec", "clusterIP")?.text, !old.isEmpty,
            let new = service.at("spec", "clusterIP")?.text, new != old
        {
            throw APIStatus.invalid(
                kind("services"), service.at("metadata", "name")?.text ?? "",
                [InvalidField(field: "spec.clusterIPs[0]", message: "Invalid value: [\"\(new)\"]: field is immutable")])
        }
        let policy = service.at("spec", "ipFamilyPolicy")?.text ?? "SingleStack"
        var families = service.at("spec", "ipFamilies")?.elements?.compactMap(\.text) ?? []
        if families.isEmpty { families = ["IPv4"] }
        if policy != "SingleStack", families.count == 1, options.isDualStack {
            families.append(families[0] == "IPv4" ? "IPv6" : "IPv4")
        }
        if service.at("spec", "clusterIP")?.text ?? "" == "" {
            let addresses = families.map { network.clusterAddress(isV6: $0 == "IPv6") }
            service.set("spec", "clusterIP", to: .string(addresses[0]))
            service.set("spec", "clusterIPs", to: .strings(addresses))
        } else if service.at("spec", "clusterIPs") == nil, let address = service.at("spec", "clusterIP")?.text {
            service.set("spec", "clusterIPs", to: .strings([address]))
        }
        service.set("spec", "ipFamilies", to: .strings(families))
        service.set("spec", "ipFamilyPolicy", to: .string(policy))
        return withNodePorts(service, type: type, previous: previous)
    }

    private mutating func withNodePorts(_ service: JSONValue, type: String, previous: JSONValue?) -> JSONValue {
        let wantsPorts =
            type == "NodePort"
            || (type == "LoadBalancer" && service.at("spec", "allocateLoadBalancerNodePorts")?.flag != false)
        guard let ports = service.at("spec", "ports")?.elements else { return service }
        let old = previous?.at("spec", "ports")?.elements ?? []
        var result = service
        var filled: [JSONValue] = []
        for port in ports {
            var port = port
            if !wantsPorts {
                port.set("nodePort", to: nil)
            } else if port["nodePort"] == nil {
                let same = old.first { $0["port"] == port["port"] && $0["protocol"] == port["protocol"] }
                port.set("nodePort", to: same?["nodePort"] ?? .integer(network.nodePort()))
            }
            filled.append(port)
        }
        result.set("spec", "ports", to: .array(filled))
        return result
    }
}
