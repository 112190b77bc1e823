internal import KubernetesAPI

/// A pod as far as Services are concerned: something that listens somewhere. Nothing is started for it.
public struct TestPod: Hashable, Sendable {
    public var namespace: String
    public var name: String
    public var labels: [String: String]
    public var ip: String
    /// Where it listens, whatever `targetPort` the Service gives: kernel-chosen ports differ from pod to pod.
    public var port: Int?
    /// By the `targetPort` of a Service port, as text (`8080`, `http`). Goes before ``port``.
    public var ports: [String: Int]
    public var ready = true
    public var serving = true
    public var terminating = false

    public init(
        namespace: String = "default", name: String, labels: [String: String], ip: String = "127.0.0.1",
        port: Int? = nil, ports: [String: Int] = [:]
    ) {
        (self.namespace, self.name, self.labels, self.ip) = (namespace, name, labels, ip)
        (self.port, self.ports) = (port, ports)
    }

    func matches(_ selector: [String: JSONValue]) -> Bool {
        !selector.isEmpty && selector.allSatisfy { labels[$0.key] == $0.value.text }
    }

    /// The number that a Service port leads to; nil where the pod has no such port.
    func target(of servicePort: JSONValue) -> Int? {
        let wanted = servicePort["targetPort"] ?? servicePort["port"]
        let text = wanted?.text ?? wanted?.integer.map(String.init) ?? ""
        return ports[text] ?? port ?? Int(text)
    }
}

/// What the played endpoint controller knows beside the objects.
struct EndpointPlan: Sendable {
    /// By namespace and name.
    var pods: [ObjectPath: TestPod] = [:]
    /// Counts changes of `pods`.
    var revision = 0
    /// The slices that were written, by Service.
    var slices: [ObjectPath: Set<ObjectPath>] = [:]
}

extension ClusterState {
    /// The pods of a namespace that run: those of a Deployment as many as it has replicas, in the order of their names.
    func runningPods(in namespace: String) -> [TestPod] {
        var pods = endpointPlan.pods.values.filter { $0.namespace == namespace }.sorted { $0.name < $1.name }
        for (path, deployment) in stores["deployments.apps"]?.objects ?? [:] where path.namespace == namespace {
            let selector = deployment.value.at("spec", "selector", "matchLabels")?.fields ?? [:]
            var left = deployment.value.at("spec", "replicas")?.integer ?? 1
            pods = pods.filter { pod in
                guard pod.matches(selector) else { return true }
                left -= 1
                return left >= 0
            }
        }
        return pods
    }

    /// Writes the slices of a Service with a selector: one for each set of ports and each family.
    mutating func writeSlices(of path: ObjectPath) {
        let slices = kind("endpointslices.discovery.k8s.io")
        let service = object(kind("services"), path)?.value
        let selector = service?.at("spec", "selector")?.fields ?? [:]
        var wanted: [ObjectPath: JSONValue] = [:]
        if let service, !selector.isEmpty, service.at("spec", "type")?.text != "ExternalName" {
            let pods = runningPods(in: path.namespace).filter { $0.matches(selector) }
            wanted = self.slices(of: service, path, pods)
        }
        let ours = endpointPlan.slices[path] ?? []
        endpointPlan.slices[path] = wanted.isEmpty ? nil : Set(wanted.keys)
        for (slicePath, slice) in wanted {
            if object(slices, slicePath) == nil {
                _ = try? create(slices, namespace: path.namespace, object: slice, by: .server)
            } else {
                _ = try? replace(slices, slicePath, subresource: nil, with: slice, by: .server)
            }
        }
        for gone in ours where wanted[gone] == nil { _ = try? delete(slices, gone, options: nil) }
    }

    private static let managedBy = "endpointslice.kubernetes.io/managed-by"
    private static let controllerName = "endpointslice-controller.k8s.io"

    /// Finds again, after a restart, which slices are the controller's.
    mutating func indexSlices() {
        for (path, slice) in stores["endpointslices.discovery.k8s.io"]?.objects ?? [:] {
            let labels = slice.value.at("metadata", "labels")
            guard labels?[Self.managedBy]?.text == Self.controllerName,
                let name = labels?[EndpointSlice.serviceNameLabel]?.text
            else { continue }
            endpointPlan.slices[ObjectPath(namespace: path.namespace, name: name), default: []].insert(path)
        }
    }

    private func slices(of service: JSONValue, _ path: ObjectPath, _ pods: [TestPod]) -> [ObjectPath: JSONValue] {
        let servicePorts = service.at("spec", "ports")?.elements ?? []
        struct Group: Hashable {
            var isV6: Bool
            var ports: [Int?]
        }
        let groups = Dictionary(grouping: pods) { pod in
            Group(isV6: pod.ip.contains(":"), ports: servicePorts.map { pod.target(of: $0) })
        }
        var result: [ObjectPath: JSONValue] = [:]
        for (group, pods) in groups {
            let mark = ([group.isV6 ? "6" : "4"] + group.ports.map { $0.map(String.init) ?? "x" }).joined(
                separator: "-")
            let name = "\(path.name)-\(mark)"
            let ports = zip(servicePorts, group.ports).compactMap { port, number -> JSONValue? in
                guard let number else { return nil }
                var json: [String: JSONValue] = [
                    "name": port["name"] ?? .string(""), "port": .integer(Int64(number)),
                    "protocol": port["protocol"] ?? .string("TCP"),
                ]
                json["appProtocol"] = port["appProtocol"]
                return .object(json)
            }
            var slice = JSONValue.object([
                "addressType": .string(group.isV6 ? "IPv6" : "IPv4"), "ports": .array(ports),
                "endpoints": .array(endpoints(of: pods, service)),
            ])
            slice.set("metadata", "name", to: .string(name))
            slice.set(
                "metadata", "labels",
                to: .object([
                    EndpointSlice.serviceNameLabel: .string(path.name), Self.managedBy: .string(Self.controllerName),
                ]))
            let owner = JSONValue.object([
                "apiVersion": .string("v1"), "kind": .string("Service"), "name": .string(path.name),
                "uid": service.at("metadata", "uid") ?? .string(""), "controller": .bool(true),
                "blockOwnerDeletion": .bool(true),
            ])
            slice.set("metadata", "ownerReferences", to: .array([owner]))
            result[ObjectPath(namespace: path.namespace, name: name)] = slice
        }
        return result
    }

    private func endpoints(of pods: [TestPod], _ service: JSONValue) -> [JSONValue] {
        let publishesAll = service.at("spec", "publishNotReadyAddresses")?.flag == true
        return pods.map { pod in
            JSONValue.object([
                "addresses": .strings([pod.ip]),
                "conditions": .object([
                    "ready": .bool(publishesAll || (pod.ready && !pod.terminating)),
                    "serving": .bool(pod.serving && pod.ready), "terminating": .bool(pod.terminating),
                ]),
                "targetRef": .object([
                    "kind": .string("Pod"), "name": .string(pod.name), "namespace": .string(pod.namespace),
                ]),
            ])
        }
    }

    /// Says in a Deployment's status how many of its pods there are.
    mutating func writeDeploymentStatus(_ path: ObjectPath) {
        let deployments = kind("deployments.apps")
        guard let deployment = object(deployments, path)?.value else { return }
        let selector = deployment.at("spec", "selector", "matchLabels")?.fields ?? [:]
        let pods = runningPods(in: path.namespace).filter { $0.matches(selector) }
        let count = JSONValue.integer(Int64(pods.count))
        let ready = JSONValue.integer(Int64(pods.count(where: \.ready)))
        let status = JSONValue.object([
            "status": .object([
                "replicas": count, "updatedReplicas": count, "readyReplicas": ready, "availableReplicas": ready,
                "observedGeneration": deployment.at("metadata", "generation") ?? .integer(1),
            ])
        ])
        _ = try? patch(deployments, path, subresource: "status", with: status, by: .server)
    }
}
