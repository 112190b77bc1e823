internal import YAML

/// `sluice inject` without its files: text in, text out.
struct Injection {
    /// On a ConfigMap that inject writes: what it writes anew next time.
    static let managedBy = "sluice-inject"

    let settings: SidecarSettings

    /// The manifests with the sidecar in every workload. Throws where one of them cannot take it; `file` is for messages.
    func applied(to text: String, file: String) throws(StartFailure) -> String {
        let original = try Self.parsed(text, file: file)
        let workloads = try Self.workloads(original)
        guard !workloads.isEmpty else {
            throw StartFailure(
                "\(file): there is no workload (\(Workload.kinds.keys.sorted().joined(separator: ", ")))")
        }
        var lines = BlockLines(text)
        for workload in workloads { try workload.check(settings, lines) }
        let names = try configMaps(workloads)
        for document in original.documents.reversed() where Self.isOurs(document.root) {
            lines.remove(lines.document(at: document.root.line - 1))
        }
        // From the end on: what stands above stays where it is.
        for workload in workloads.reversed() { Self.remove(workload, from: &lines) }
        guard let cleaned = try? Self.parsed(lines.text, file: file), let first = workloads.first else {
            throw StartFailure("\(file): what was injected before was changed since, and cannot be taken out")
        }
        guard try Self.workloads(cleaned).count == names.count else { throw first.cannotBeEdited }
        for (workload, name) in zip(try Self.workloads(cleaned), names).reversed() {
            insert(SidecarPod(settings: settings, configMap: name.name), into: workload, &lines)
        }
        let result = lines.text + configMapsText(names)
        try Self.verify(result, against: original, workloads, file: file)
        return result
    }

    private struct Name: Hashable {
        var namespace: String?
        var name: String
    }

    /// The ConfigMap of each workload.
    private func configMaps(_ workloads: [Workload]) throws(StartFailure) -> [Name] {
        var names: [Name] = []
        for workload in workloads {
            guard let name = settings.configMap ?? workload.name.map({ "\($0)-sluice" }) else {
                throw StartFailure("\(workload.title): metadata.name: is missing; name the ConfigMap with --configmap")
            }
            names.append(Name(namespace: workload.namespace, name: name))
        }
        return names
    }

    private func configMapsText(_ names: [Name]) -> String {
        guard settings.configMap == nil else { return "" }
        var written: Set<Name> = []
        let body = BlockLines(SidecarManifests(settings: settings).text).lines.map { "    \($0)\n" }.joined()
        return names.filter { written.insert($0).inserted }.map { name in
            """
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: \(name.name)

            """ + (name.namespace.map { "  namespace: \($0)\n" } ?? "") + """
                  labels: {app.kubernetes.io/managed-by: \(Self.managedBy)}
                data:
                  sluice.yaml: |

                """ + body
        }.joined()
    }

    private func insert(_ pod: SidecarPod, into workload: Workload, _ lines: inout BlockLines) {
        let column = workload.spec.value.column - 1
        var additions: [(text: String, line: Int, indentation: Int)] = []
        if let volumes = workload.entry("volumes") {
            let (ranges, indentation) = lines.elements(of: volumes)
            additions.append((pod.volumesText, ranges.last?.upperBound ?? volumes.line, indentation))
        } else {
            additions.append(("volumes:\n" + pod.volumesText, lines.extent(of: workload.spec).upperBound, column))
        }
        if let containers = workload.entry("initContainers") {
            additions.append((pod.containerText, containers.line, lines.elements(of: containers).indentation))
        } else if let containers = workload.entry("containers") {
            let line = lines.aboveComments(containers.line - 1)
            additions.append(("initContainers:\n" + pod.containerText, line, column))
        }
        // The later one first, so that the line of the other stays true.
        for addition in additions.sorted(by: { $0.line > $1.line }) {
            lines.insert(addition.text, at: addition.line, indentation: addition.indentation)
        }
    }
}

extension Injection {
    private static func parsed(_ text: String, file: String) throws(StartFailure) -> YAMLStream {
        let stream = YAMLStream(parsing: text.utf8, file: file)
        if let problem = stream.problem ?? stream.documents.flatMap(\.problems).first {
            throw StartFailure("\(problem)")
        }
        return stream
    }

    private static func workloads(_ stream: YAMLStream) throws(StartFailure) -> [Workload] {
        var found: [Workload] = []
        for document in stream.documents { found += try Workload.all(in: document.root) }
        return found
    }

    /// A ConfigMap that inject wrote.
    private static func isOurs(_ root: YAMLNode) -> Bool {
        root["kind"]?.string == "ConfigMap"
            && root["metadata"]?["labels"]?["app.kubernetes.io/managed-by"]?.string == managedBy
    }

    /// Takes out what was written before; lists that become empty go too.
    private static func remove(_ workload: Workload, from lines: inout BlockLines) {
        // Behind the init containers or before them: the later one first.
        let ours = [("volumes", SidecarPod.volumes), ("initContainers", [SidecarPod.container])]
        let entries = ours.compactMap { key, names in workload.entry(key).map { ($0, names) } }
        for (entry, names) in entries.sorted(by: { $0.0.line > $1.0.line }) {
            let elements = entry.value.elements ?? []
            let ranges = lines.elements(of: entry).ranges
            guard ranges.count == elements.count else { continue }
            let doomed = elements.indices.filter { elements[$0]["name"]?.string.map(names.contains) ?? false }
            guard !doomed.isEmpty else { continue }
            if doomed.count == elements.count {
                lines.remove(lines.extent(of: entry))
            } else {
                for index in doomed.reversed() { lines.remove(ranges[index]) }
            }
        }
    }

    /// The result says what the original says, and the sidecar once in each workload. Lines were moved: this looks at the objects.
    private static func verify(
        _ text: String, against original: YAMLStream, _ workloads: [Workload], file: String
    ) throws(StartFailure) {
        guard let first = workloads.first else { return }
        guard let result = try? parsed(text, file: file) else { throw first.cannotBeEdited }
        let injected = try Self.workloads(result)
        let isWhole =
            result.documents.filter { !isOurs($0.root) }.map { bare($0.root) }
            == original.documents.filter { !isOurs($0.root) }.map { bare($0.root) }
        for (index, workload) in workloads.enumerated() {
            let count =
                injected.indices.contains(index) && injected[index].isInjected
                ? injected[index].elements("initContainers").count { $0["name"]?.string == SidecarPod.container } : 0
            guard isWhole, injected.count == workloads.count, count == 1 else {
                throw workload.cannotBeEdited
            }
        }
    }

    /// Without places, and without what inject writes.
    private static func bare(_ node: YAMLNode) -> YAMLNode {
        switch node.content {
        case .scalar: return YAMLNode(node.content, tag: node.tag)
        case .sequence(let elements): return YAMLNode(.sequence(elements.map(bare)), tag: node.tag)
        case .mapping(let entries):
            let kept = entries.compactMap { entry -> YAMLEntry? in
                var value = bare(entry.value)
                let names = ["initContainers": [SidecarPod.container], "volumes": SidecarPod.volumes][entry.key]
                if let names {
                    let others = (value.elements ?? []).filter { !($0["name"]?.string.map(names.contains) ?? false) }
                    guard !others.isEmpty else { return nil }
                    value = YAMLNode(.sequence(others), tag: value.tag)
                }
                return YAMLEntry(key: entry.key, value: value)
            }
            return YAMLNode(.mapping(kept), tag: node.tag)
        }
    }
}
