internal import Certificates
internal import KubernetesAPI
internal import Primitives
internal import YAML

/// One object that a file defines, or tries to.
struct Claim {
    var identity: ObjectIdentity
    /// Which document of the file, and which item of its list.
    var place: String
    var line: Int
    /// Nil when the object cannot be used as the file has it.
    var object: ManifestObject?
    /// Of a kind that guards something: the object as the file has it, refused as it is. Without a good version what depends on it
    /// has to be refused too, rather than left unguarded.
    var refused: ManifestObject?
}

/// What a file says.
struct ParsedFile {
    var claims: [Claim] = []
    var problems: [ManifestProblem] = []
    /// Places of objects that do not tell who they are.
    var anonymous: Set<String> = []
    var unknownKinds: Set<UnknownKind> = []
    /// The file cannot be read to its end: what it defined before is what counts.
    var isBroken = false
}

/// Makes objects of the documents of a file.
struct ManifestParser {
    let file: String
    let unknownFields: ManifestProblem.Severity
    let facts: FactsCache<ObjectIdentity>
    private var parsed = ParsedFile()
    private var document = 0

    init(file: String, unknownFields: ManifestProblem.Severity, facts: FactsCache<ObjectIdentity>) {
        self.file = file
        self.unknownFields = unknownFields
        self.facts = facts
    }

    mutating func parse(_ bytes: [UInt8]) -> ParsedFile {
        let stream = YAMLStream(parsing: bytes, file: file)
        if let problem = stream.problem {
            add(problem)
            parsed.isBroken = true
            return parsed
        }
        for (index, content) in stream.documents.enumerated() where !content.root.isNull {
            document = index
            parse(content.root, faults: content.problems, prefix: "")
        }
        return parsed
    }

    private mutating func parse(_ node: YAMLNode, faults: [YAMLProblem], prefix: String) {
        guard node.entries != nil else {
            parsed.anonymous.insert(place(prefix))
            return add(YAMLProblem(line: node.line, field: prefix, message: "expected an object, found \(node.shown)"))
        }
        guard let apiVersion = text(node, "apiVersion", faults, prefix), let kind = text(node, "kind", faults, prefix)
        else {
            parsed.anonymous.insert(place(prefix))
            return
        }
        if kind.hasSuffix("List"), node["items"] != nil { return parseItems(node, faults: faults, prefix: prefix) }
        let parts = apiVersion.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (group, version) = parts.count == 2 ? (parts[0], parts[1]) : ("", apiVersion)
        guard let reader = KindReader.find(group: group, kind: kind) else {
            parsed.unknownKinds.insert(UnknownKind(apiVersion: printable(apiVersion), kind: printable(kind)))
            return
        }
        guard let identity = identity(node, reader, faults, prefix) else {
            parsed.anonymous.insert(place(prefix))
            return
        }
        var reading = ObjectReading(
            file: file, identity: identity, prefix: prefix, unknownFields: unknownFields, facts: facts)
        for fault in faults { reading.refuse(fault) }
        var object: ManifestObject?
        if !reader.versions.contains(version) {
            let versions = reader.versions.map { group.isEmpty ? $0 : "\(group)/\($0)" }.joined(separator: " or ")
            let message = "\(printable(apiVersion)) is not served for \(kind); use \(versions)"
            reading.refuse(YAMLProblem(line: node.line, field: path("apiVersion", prefix), message: message))
        } else if !reading.isRefused {
            do throws(YAMLProblem) { object = try reader.read(node, &reading) } catch { reading.refuse(error) }
        }
        parsed.problems += reading.problems
        parsed.claims.append(
            Claim(
                identity: identity, place: place(prefix), line: node.line, object: reading.isRefused ? nil : object,
                refused: reading.isRefused && object?.guardsOthers == true ? object : nil))
    }

    private mutating func parseItems(_ node: YAMLNode, faults: [YAMLProblem], prefix: String) {
        guard let items = node["items"], !items.isNull else { return }
        guard let elements = items.elements else {
            let message = "expected a list, found \(items.shown)"
            return add(YAMLProblem(line: items.line, field: path("items", prefix), message: message))
        }
        for (index, element) in elements.enumerated() {
            let end = index + 1 < elements.count ? elements[index + 1].line : Int.max
            let own = faults.filter { $0.line >= element.line && $0.line < max(end, element.line + 1) }
            parse(element, faults: own, prefix: path("items[\(index)]", prefix))
        }
        if elements.isEmpty { for fault in faults { add(fault) } }
    }

    /// Who the object is; what is missing for that is reported.
    private mutating func identity(
        _ node: YAMLNode, _ reader: KindReader, _ faults: [YAMLProblem], _ prefix: String
    ) -> ObjectIdentity? {
        guard let metadata = node["metadata"], metadata.entries != nil else {
            let found = node["metadata"] ?? node
            for fault in faults { add(fault) }
            let message = node["metadata"].map { "expected an object, found \($0.shown)" } ?? "is required"
            add(YAMLProblem(line: found.line, field: path("metadata", prefix), message: message))
            return nil
        }
        guard let name = text(metadata, "name", faults, path("metadata", prefix)) else { return nil }
        let namespace = metadata["namespace"]?.string ?? ""
        let key = ObjectKey(
            namespace: reader.resource.namespaced ? (namespace.isEmpty ? "default" : namespace) : "", name: name)
        return ObjectIdentity(kind: reader.resource.kind, key: key)
    }

    private mutating func text(_ node: YAMLNode, _ key: String, _ faults: [YAMLProblem], _ prefix: String) -> String? {
        if let text = node[key]?.string, !text.isEmpty { return text }
        for fault in faults { add(fault) }
        let value = node[key].flatMap { $0.isNull || $0.string == "" ? nil : $0 }
        let message = value.map { "expected a string, found \($0.shown)" } ?? "is required"
        add(YAMLProblem(line: (value ?? node).line, field: path(key, prefix), message: message))
        return nil
    }

    private func place(_ prefix: String) -> String { "\(document) \(prefix)" }
    private func path(_ field: String, _ prefix: String) -> String { prefix.isEmpty ? field : "\(prefix).\(field)" }

    private mutating func add(_ problem: YAMLProblem) {
        parsed.problems.append(
            ManifestProblem(
                .error, file: file, line: problem.line, field: problem.field, message: problem.message))
    }
}
