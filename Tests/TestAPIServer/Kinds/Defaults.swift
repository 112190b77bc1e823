internal import FoundationEssentials
internal import KubernetesAPI

/// What the server fills in: the defaults of the Gateway API CRDs v1.6.1, and of the core kinds as far as a client of a
/// gateway meets them.
enum Defaults {
    /// Fills in what the schema of the kind gives where the object gives nothing.
    static func fill(_ object: inout JSONValue, kind: ServedKind) {
        for (path, value) in kind.schemaDefaults + (byKind[kind.qualifiedKind] ?? []) {
            object.fill(path.split(separator: ".").map(String.init)[...], with: value)
        }
        if kind.qualifiedKind == "Service" { fillService(&object) }
        if kind.qualifiedKind == "Secret" { fillSecret(&object) }
        if kind.qualifiedKind == "Event.events.k8s.io" { fillEvent(&object) }
    }

    /// The status that a new object of a custom kind begins with.
    static func initialStatus(_ kind: ServedKind) -> JSONValue? {
        switch kind.qualifiedKind {
        case "GatewayClass.\(gateway)": pending(["Accepted"])
        case "Gateway.\(gateway)", "ListenerSet.\(gateway)": pending(["Accepted", "Programmed"])
        case "Service": .object(["loadBalancer": .object([:])])
        case "Namespace": .object(["phase": .string("Active")])
        case "Deployment.apps": .object([:])
        default: nil
        }
    }

    private static let gateway = GatewayKinds.group

    private static func pending(_ types: [String]) -> JSONValue {
        let conditions = types.map { type in
            JSONValue.object([
                "type": .string(type), "status": .string("Unknown"), "reason": .string("Pending"),
                "message": .string("Waiting for controller"), "lastTransitionTime": .string("1970-01-01T00:00:00Z"),
            ])
        }
        return .object(["conditions": .array(conditions)])
    }

    private static let same = JSONValue.object(["from": .string("Same")])
    private static let listeners: [(String, JSONValue)] = [
        ("spec.listeners[].allowedRoutes", .object(["namespaces": same])),
        ("spec.listeners[].allowedRoutes.namespaces", same),
        ("spec.listeners[].allowedRoutes.namespaces.from", .string("Same")),
        ("spec.listeners[].allowedRoutes.kinds[].group", .string(gateway)),
        ("spec.listeners[].tls.mode", .string("Terminate")),
        ("spec.listeners[].tls.certificateRefs[].group", .string("")),
        ("spec.listeners[].tls.certificateRefs[].kind", .string("Secret")),
        ("status.listeners[].supportedKinds[].group", .string(gateway)),
    ]

    private static let route: [(String, JSONValue)] =
        parent("spec.parentRefs[]") + parent("status.parents[].parentRef") + [
            ("spec.rules[].backendRefs[].group", .string("")),
            ("spec.rules[].backendRefs[].kind", .string("Service")),
            ("spec.rules[].backendRefs[].weight", .integer(1)),
        ]

    private static func parent(_ path: String) -> [(String, JSONValue)] {
        [("\(path).group", .string(gateway)), ("\(path).kind", .string("Gateway"))]
    }

    private static let byKind: [String: [(String, JSONValue)]] = [
        "Gateway.\(gateway)": listeners + [
            ("spec.addresses[].type", .string("IPAddress")), ("status.addresses[].type", .string("IPAddress")),
            ("spec.allowedListeners.namespaces", .object(["from": .string("None")])),
            ("spec.allowedListeners.namespaces.from", .string("None")),
            ("spec.tls.backend.clientCertificateRef.group", .string("")),
            ("spec.tls.backend.clientCertificateRef.kind", .string("Secret")),
            ("spec.tls.frontend.default.validation.mode", .string("AllowValidOnly")),
            ("spec.tls.frontend.perPort[].tls.validation.mode", .string("AllowValidOnly")),
        ],
        "ListenerSet.\(gateway)": listeners + parent("spec.parentRef"),
        "TCPRoute.\(gateway)": route, "TLSRoute.\(gateway)": route, "UDPRoute.\(gateway)": route,
        "BackendTLSPolicy.\(gateway)": parent("status.ancestors[].ancestorRef"),
        "Service": [
            ("spec", .object([:])), ("spec.type", .string("ClusterIP")), ("spec.sessionAffinity", .string("None")),
            ("spec.internalTrafficPolicy", .string("Cluster")), ("spec.ports[].protocol", .string("TCP")),
        ],
        "EndpointSlice.discovery.k8s.io": [
            ("endpoints", .array([])), ("ports[].protocol", .string("TCP")), ("ports[].name", .string("")),
        ],
        "Secret": [("type", .string("Opaque"))],
        "Namespace": [("spec", .object([:])), ("spec.finalizers", .strings(["kubernetes"]))],
        "Deployment.apps": [
            ("spec.replicas", .integer(1)), ("spec.revisionHistoryLimit", .integer(10)),
            ("spec.progressDeadlineSeconds", .integer(600)),
            ("spec.template.spec.restartPolicy", .string("Always")),
            ("spec.template.spec.containers[].ports[].protocol", .string("TCP")),
        ],
    ]

    private static func fillService(_ service: inout JSONValue) {
        let type = service.at("spec", "type")?.text ?? ""
        if type == "ExternalName" { service.set("spec", "internalTrafficPolicy", to: nil) }
        if ["NodePort", "LoadBalancer"].contains(type), service.at("spec", "externalTrafficPolicy") == nil {
            service.set("spec", "externalTrafficPolicy", to: .string("Cluster"))
        }
        if type == "LoadBalancer", service.at("spec", "allocateLoadBalancerNodePorts") == nil {
            service.set("spec", "allocateLoadBalancerNodePorts", to: .bool(true))
        }
        guard let ports = service.at("spec", "ports")?.elements else { return }
        let filled = ports.map { port in
            var port = port
            if port["targetPort"] == nil { port.set("targetPort", to: port["port"]) }
            return port
        }
        service.set("spec", "ports", to: .array(filled))
    }

    private static func fillSecret(_ secret: inout JSONValue) {
        guard let texts = secret["stringData"]?.fields else { return }
        for (key, text) in texts {
            secret.set("data", key, to: .string(base64(Array((text.text ?? "").utf8))))
        }
        secret.set("stringData", to: nil)
    }

    /// Three fields of the older API that the newer one always shows.
    private static func fillEvent(_ event: inout JSONValue) {
        if event["deprecatedSource"] == nil { event.set("deprecatedSource", to: .object([:])) }
        for field in ["deprecatedFirstTimestamp", "deprecatedLastTimestamp"] where event[field] == nil {
            event.set(field, to: .null)
        }
    }
}

extension JSONValue {
    /// Sets a value where its parent exists and it does not; `[]` after a name goes into each element.
    fileprivate mutating func fill(_ path: ArraySlice<String>, with value: JSONValue) {
        guard let step = path.first, case .object(var fields) = self else { return }
        let rest = path.dropFirst()
        if step.hasSuffix("[]") {
            let name = String(step.dropLast(2))
            guard let elements = fields[name]?.elements, !elements.isEmpty else { return }
            fields[name] = .array(
                elements.map { element in
                    var element = element
                    element.fill(rest, with: value)
                    return element
                })
        } else if rest.isEmpty {
            guard fields[step] == nil else { return }
            fields[step] = value
        } else {
            guard fields[step] != nil else { return }
            fields[step]?.fill(rest, with: value)
        }
        self = .object(fields)
    }
}

func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
