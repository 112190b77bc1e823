internal import KubernetesAPI

/// The kinds that every cluster has, as far as a gateway and its users meet them.
enum CoreKinds {
    static let all: [ServedKind] = core + grouped

    private static let core: [ServedKind] = [
        kind("Namespace", "namespaces", short: ["ns"], namespaced: false, subresources: ["status", "finalize"]) {
            $0.columns = [.path("Status", "status", "phase"), .age]
        },
        kind("Node", "nodes", short: ["no"], namespaced: false, subresources: ["status"]) {
            $0.columns = [.age]
            $0.shape.listKeys = ["status.conditions": ["type"], "status.addresses": ["type"]]
        },
        kind("Service", "services", short: ["svc"], categories: ["all"], subresources: ["status"]) {
            $0.columns = serviceColumns
            $0.shape.listKeys = ["spec.ports": ["port", "protocol"], "status.conditions": ["type"]]
            $0.shape.atomicMaps = ["spec.selector"]
        },
        kind("Secret", "secrets") {
            $0.columns = [
                .path("Type", "type"), .count("Data", "data"), .age,
            ]
        },
        kind("ConfigMap", "configmaps", short: ["cm"]) { $0.columns = [.count("Data", "data"), .age] },
        kind("ServiceAccount", "serviceaccounts", short: ["sa"]) { $0.columns = [.age] },
        kind("Endpoints", "endpoints", short: ["ep"]) { $0.columns = [.age] },
        kind("Pod", "pods", short: ["po"], categories: ["all"], subresources: ["status"]) {
            $0.columns = [.path("Status", "status", "phase"), .path("IP", "status", "podIP"), .age]
            $0.shape.listKeys = ["status.conditions": ["type"], "spec.containers": ["name"]]
        },
        kind("Event", "events", short: ["ev"]) {
            $0.columns = eventColumns
            $0.storedAs = "events.events.k8s.io"
        },
    ]

    private static let grouped: [ServedKind] = [
        kind("Event", "events", group: "events.k8s.io", short: ["ev"]) {
            $0.columns = eventColumns
            $0.shape.atomicMaps = ["regarding", "related", "deprecatedSource"]
        },
        kind("Lease", "leases", group: "coordination.k8s.io") {
            $0.columns = [.path("Holder", "spec", "holderIdentity"), .age]
        },
        kind("EndpointSlice", "endpointslices", group: "discovery.k8s.io") {
            $0.columns = sliceColumns
            $0.hasGeneration = true
        },
        kind(
            "Deployment", "deployments", group: "apps", short: ["deploy"], categories: ["all"],
            subresources: ["status", "scale"]
        ) {
            $0.columns = [
                .init(name: "Ready") {
                    .string("\($0.count("readyReplicas"))/\($0.at("spec", "replicas")?.integer ?? 1)")
                },
                .path("Up-to-date", format: "integer", "status", "updatedReplicas"),
                .path("Available", format: "integer", "status", "availableReplicas"), .age,
            ]
            $0.hasGeneration = true
            $0.shape.listKeys = [
                "status.conditions": ["type"], "spec.template.spec.containers": ["name"],
                "spec.template.spec.containers.ports": ["containerPort", "protocol"],
            ]
            $0.shape.atomicMaps = ["spec.selector"]
        },
        kind(
            "CustomResourceDefinition", "customresourcedefinitions", group: "apiextensions.k8s.io",
            short: ["crd", "crds"], categories: ["api-extensions"], namespaced: false, subresources: ["status"]
        ) {
            $0.columns = [.path("Created At", format: "string", "metadata", "creationTimestamp")]
            $0.hasGeneration = true
        },
        kind("DaemonSet", "daemonsets", group: "apps", short: ["ds"], categories: ["all"], subresources: ["status"]) {
            $0.columns = [.age]
            $0.hasGeneration = true
            $0.shape.listKeys = ["spec.template.spec.containers": ["name"]]
            $0.shape.atomicMaps = ["spec.selector"]
        },
        kind("Job", "jobs", group: "batch", categories: ["all"], subresources: ["status"]) {
            $0.columns = [.age]
            $0.hasGeneration = true
            $0.shape.listKeys = ["status.conditions": ["type"], "spec.template.spec.containers": ["name"]]
        },
        kind("NetworkPolicy", "networkpolicies", group: "networking.k8s.io", short: ["netpol"]) {
            $0.columns = [.age]
            $0.hasGeneration = true
        },
        kind(
            "APIService", "apiservices", group: "apiregistration.k8s.io", categories: ["api-extensions"],
            namespaced: false, subresources: ["status"]
        ) {
            $0.columns = [.age]
        },
        autoscaler,
        kind("PodDisruptionBudget", "poddisruptionbudgets", group: "policy", short: ["pdb"], subresources: ["status"]) {
            $0.columns = [.age]
            $0.hasGeneration = true
        },
        kind("Role", "roles", group: "rbac.authorization.k8s.io") { $0.columns = [.age] },
        kind("RoleBinding", "rolebindings", group: "rbac.authorization.k8s.io") { $0.columns = [.age] },
        kind("ClusterRole", "clusterroles", group: "rbac.authorization.k8s.io", namespaced: false) {
            $0.columns = [.age]
        },
        kind("ClusterRoleBinding", "clusterrolebindings", group: "rbac.authorization.k8s.io", namespaced: false) {
            $0.columns = [.age]
        },
    ]

    private static let autoscaler: ServedKind = {
        var result = kind(
            "HorizontalPodAutoscaler", "horizontalpodautoscalers", group: "autoscaling", short: ["hpa"],
            categories: ["all"], subresources: ["status"]
        ) {
            $0.columns = [.age]
        }
        result.versions = ["v2"]
        return result
    }()

    static func kind(
        _ kind: String, _ plural: String, group: String = "", short: [String] = [], categories: [String] = [],
        namespaced: Bool = true, subresources: Set<String> = [], _ change: (inout ServedKind) -> Void = { _ in }
    ) -> ServedKind {
        var result = ServedKind(group: group, kind: kind, plural: plural, namespaced: namespaced)
        result.shortNames = short
        result.categories = categories
        result.subresources = subresources
        if kind == "Endpoints" { result.singular = "endpoints" }
        change(&result)
        return result
    }

    private static let serviceColumns: [ServedKind.Column] = [
        .path("Type", "spec", "type"), .path("Cluster-IP", "spec", "clusterIP"),
        .init(name: "External-IP") { service in
            let ingress = service.at("status", "loadBalancer", "ingress")?.elements ?? []
            let texts = ingress.compactMap { ($0["ip"] ?? $0["hostname"])?.text }
            let isBalanced = service.at("spec", "type")?.text == "LoadBalancer"
            return .string(texts.isEmpty ? (isBalanced ? "<pending>" : "<none>") : texts.joined(separator: ","))
        },
        .init(name: "Port(s)") { service in
            let ports = (service.at("spec", "ports")?.elements ?? []).map { port in
                let node = port["nodePort"]?.integer.map { ":\($0)" } ?? ""
                return "\(port["port"]?.integer ?? 0)\(node)/\(port["protocol"]?.text ?? "TCP")"
            }
            return .string(ports.isEmpty ? "<none>" : ports.joined(separator: ","))
        },
        .age,
    ]

    private static let sliceColumns: [ServedKind.Column] = [
        .path("AddressType", "addressType"),
        .init(name: "Ports") { slice in
            let ports = (slice["ports"]?.elements ?? []).compactMap { $0["port"]?.integer.map(String.init) }
            return .string(ports.isEmpty ? "<unset>" : ports.joined(separator: ","))
        },
        .init(name: "Endpoints") { slice in
            let texts = (slice["endpoints"]?.elements ?? []).flatMap {
                ($0["addresses"]?.elements ?? []).compactMap(\.text)
            }
            return .string(texts.isEmpty ? "<unset>" : texts.joined(separator: ","))
        },
        .age,
    ]

    private static let eventColumns: [ServedKind.Column] = [
        .init(name: "Last Seen") { event in
            let times = [event["lastTimestamp"], event["deprecatedLastTimestamp"], event["eventTime"]]
            return .string(age(of: times.compactMap { $0?.text }.first ?? ""))
        },
        .path("Type", "type"), .path("Reason", "reason"),
        .init(name: "Object") { event in
            let object = event["regarding"] ?? event["involvedObject"]
            return .string("\(object?["kind"]?.text?.lowercased() ?? "")/\(object?["name"]?.text ?? "")")
        },
        .init(name: "Message") { event in event["note"] ?? event["message"] ?? .string("") },
    ]
}

extension JSONValue {
    fileprivate func count(_ field: String) -> Int64 { at("status", field)?.integer ?? 0 }
}
