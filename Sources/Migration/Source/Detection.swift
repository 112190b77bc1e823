internal import YAML

/// Whose an object is, by its content.
enum Detection {
    static func format(of object: SourceObject, preferred: SourceFormat?) -> SourceFormat? {
        switch (object.group, object.kind) {
        case ("traefik.io", _), ("traefik.containo.us", _): return .traefik
        case ("configuration.konghq.com", _): return .kong
        case ("ingress.v1.haproxy.org", "TCP"), ("ingress.v3.haproxy.org", "TCP"): return .haproxy
        case ("tyk.tyk.io", "ApiDefinition"): return .tyk
        case ("gravitee.io", "ApiV4Definition"): return .gravitee
        case ("", "ConfigMap"): return portMap(object, preferred: preferred)
        default: return nil
        }
    }

    /// Objects that are read for others to refer to, and that say nothing alone.
    static func isHelper(_ object: SourceObject) -> Bool {
        object.apiVersion == "v1" && ["Secret", "ConfigMap", "Namespace", "Endpoints"].contains(object.kind)
            || object.apiVersion == "discovery.k8s.io/v1"
    }

    /// A ConfigMap with ports as keys; the options of its values say whose.
    private static func portMap(_ object: SourceObject, preferred: SourceFormat?) -> SourceFormat? {
        let data = object.root["data"]?.entries ?? []
        let annotations = (object.root.at("metadata", "annotations")?.entries ?? []).filter { Int($0.key) != nil }
        let values = (data + annotations).filter { Int($0.key) != nil && isPortMapValue($0.field.scalar) }
        let isNamed = ["tcp-services", "udp-services"].contains { object.name.name.contains($0) }
        guard isNamed || !values.isEmpty else { return nil }
        if let preferred, [.ingressNginx, .haproxy, .haproxyIngress].contains(preferred) { return preferred }
        let options = values.map { value in
            (value.field.scalar ?? "").split(separator: ":", omittingEmptySubsequences: false).dropFirst(2)
        }
        if !annotations.isEmpty || options.contains(where: { $0.first == "ssl" }) { return .haproxy }
        if options.contains(where: { $0.count > 2 || $0.contains { $0.lowercased().hasPrefix("proxy-v") } }) {
            return .haproxyIngress
        }
        return object.name.description.contains("haproxy") ? .haproxyIngress : .ingressNginx
    }

    private static func isPortMapValue(_ text: String?) -> Bool {
        guard let parts = text?.split(separator: ":", omittingEmptySubsequences: false), parts.count >= 2 else {
            return false
        }
        return parts[0].split(separator: "/").count == 2
    }

    /// What is no Kubernetes object, with the words it is called by.
    static func format(of node: YAMLNode, preferred: SourceFormat?) -> (SourceFormat, String)? {
        if node["entryPoints"] != nil || node["entrypoints"] != nil { return (.traefik, "Traefik configuration") }
        if node["api_definition"] != nil || (node["proxy"]?["target_url"] ?? node["proxy"]?["listen_path"]) != nil
            || node["listen_port"] != nil
        {
            return (.tyk, "Tyk API")
        }
        let api = node["api"] ?? node
        if api["endpointGroups"] != nil || (api["listeners"] != nil && api["definitionVersion"] != nil) {
            return (.gravitee, "Gravitee API")
        }
        if node["tunnels"] != nil || node["endpoints"] != nil || node["agent"] != nil || node["authtoken"] != nil {
            return (.ngrok, "ngrok agent")
        }
        switch preferred {
        case .tyk?: return (.tyk, "Tyk API")
        case .gravitee?: return (.gravitee, "Gravitee API")
        case .ngrok?: return (.ngrok, "ngrok agent")
        default: return nil
        }
    }

    static func name(of node: YAMLNode, _ format: SourceFormat, file: String) -> String {
        let inner = node["api_definition"] ?? node["api"] ?? node
        let fallback = file.split(separator: "/").last?.split(separator: ".").first.map(String.init)
        let given = format == .ngrok || format == .traefik ? nil : inner["name"]?.string
        return Names.label(given ?? fallback ?? "", fallback: format.rawValue)
    }
}
