internal import YAML

/// A workload of the manifests, and where its pod's spec stands.
struct Workload {
    let kind: String
    let namespace: String?
    let name: String?
    /// The pod's `spec`.
    let spec: YAMLEntry
    /// The path to it, from the object on.
    let path: String

    /// Such as `Deployment shop/web`.
    var title: String { "\(kind) \(namespace.map { "\($0)/" } ?? "")\(name ?? "without a name")" }

    static let kinds: [String: [String]] = [
        "Pod": ["spec"], "CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
    ].merging(
        ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"].map { ($0, ["spec", "template", "spec"]) }
    ) { first, _ in first }

    /// Those of one document, of a List's items too.
    static func all(in root: YAMLNode) throws(StartFailure) -> [Workload] {
        if root["kind"]?.string == "List" {
            var found: [Workload] = []
            for item in root["items"]?.elements ?? [] { found += try all(in: item) }
            return found
        }
        guard let kind = root["kind"]?.string, let keys = kinds[kind] else { return [] }
        let metadata = root["metadata"]
        let title = "\(kind) \(metadata?["name"]?.string ?? "without a name")"
        var node = root
        var entry: YAMLEntry?
        for (index, key) in keys.enumerated() {
            guard let next = node.entries?.first(where: { $0.key == key }), next.value.entries != nil else {
                throw StartFailure("\(title): \(keys[...index].joined(separator: ".")) is missing, or is no object")
            }
            (entry, node) = (next, next.value)
        }
        guard let entry else { return [] }
        return [
            Workload(
                kind: kind, namespace: metadata?["namespace"]?.string, name: metadata?["name"]?.string, spec: entry,
                path: keys.joined(separator: "."))
        ]
    }

    func entry(_ key: String) -> YAMLEntry? { spec.value.entries?.first { $0.key == key } }

    func elements(_ key: String) -> [YAMLNode] { spec.value[key]?.elements ?? [] }

    /// Whether `inject` wrote the sidecar that is there.
    var isInjected: Bool {
        elements("initContainers").contains { container in
            container["name"]?.string == SidecarPod.container && container["restartPolicy"]?.string == "Always"
                && (container["volumeMounts"]?.elements ?? []).contains {
                    $0["name"]?.string == SidecarPod.volumes[0] && $0["mountPath"]?.string == SidecarPod.folder
                }
        }
    }

    /// What keeps the sidecar out of this pod.
    func check(_ settings: SidecarSettings, _ lines: BlockLines) throws(StartFailure) {
        if spec.value.line < spec.line { throw fault("", "is an alias; write it where it belongs") }
        guard spec.value.column > 0, !lines.isFlow(spec.value) else {
            throw fault("", "is written in braces; inject edits block style only (kubectl get -o yaml writes it)")
        }
        for key in ["initContainers", "volumes", "containers"] {
            guard let entry = entry(key), entry.value.line < entry.line || entry.line < spec.line else { continue }
            throw fault(".\(key)", "is an alias or merged; write it where it belongs")
        }
        for key in ["initContainers", "volumes"] {
            guard let node = spec.value[key], !node.isNull else { continue }
            guard node.elements != nil else { throw fault(".\(key)", "is no list") }
            if lines.isFlow(node) { throw fault(".\(key)", "is written in brackets; write a line for each element") }
        }
        guard !elements("containers").isEmpty else { throw fault(".containers", "is missing, or is empty") }
        if spec.value["hostNetwork"]?.value == .bool(true) {
            throw fault(".hostNetwork", "the sidecar needs the pod's own network: its ports would be the node's")
        }
        try checkNames()
        try checkPorts(settings)
    }

    private func checkNames() throws(StartFailure) {
        guard !isInjected else { return }
        for key in ["initContainers", "containers"] {
            for (index, container) in elements(key).enumerated() where container["name"]?.string == SidecarPod.container
            {
                throw fault(
                    ".\(key)[\(index)].name", "there is a container \(SidecarPod.container) that inject did not write")
            }
        }
        for (index, volume) in elements("volumes").enumerated() {
            guard let name = volume["name"]?.string, SidecarPod.volumes.contains(name) else { continue }
            throw fault(".volumes[\(index)].name", "there is a volume \(name) that inject did not write")
        }
    }

    private func checkPorts(_ settings: SidecarSettings) throws(StartFailure) {
        for key in ["initContainers", "containers"] {
            for (index, container) in elements(key).enumerated() where container["name"]?.string != SidecarPod.container
            {
                for (place, port) in (container["ports"]?.elements ?? []).enumerated() {
                    guard case .integer(let number)? = port["containerPort"]?.value,
                        let taken = settings.ports.first(where: { $0.port == number })
                    else { continue }
                    throw fault(
                        ".\(key)[\(index)].ports[\(place)].containerPort",
                        "port \(number) is that of \(taken.flag): take another")
                }
            }
        }
    }

    /// What is left to say where the lines do not come out as they should.
    var cannotBeEdited: StartFailure {
        fault(
            "", "cannot be edited as it is written (line \(spec.line)); write it in plain block style, without anchors")
    }

    private func fault(_ field: String, _ message: String) -> StartFailure {
        StartFailure("\(title): \(path)\(field): \(message)")
    }
}
