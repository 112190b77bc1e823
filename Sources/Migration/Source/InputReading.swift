internal import YAML

/// Reads texts to objects, and finds out whose they are.
struct InputReading {
    let options: ConversionOptions
    private(set) var objects: [SourceFormat: [SourceObject]] = [:]
    private(set) var services: [ObjectName: [String: Int]] = [:]
    private(set) var helpers: [SourceObject] = []
    /// Objects that no format takes.
    private(set) var strangers: [SourceObject] = []
    private(set) var problems: [String] = []

    /// All objects of formats, in the order read.
    private(set) var all: [SourceObject] = []

    init(options: ConversionOptions) { self.options = options }

    mutating func read(_ input: ConversionInput) {
        let stream = YAMLStream(parsing: input.text, file: input.name)
        for document in stream.documents {
            problems += document.problems.map(\.description)
            read(document.root, file: input.name)
        }
        if let problem = stream.problem { problems.append(problem.description) }
    }

    /// After the last input.
    mutating func finish() {
        guard all.isEmpty, strangers.isEmpty, problems.isEmpty else { return }
        problems.append("nothing was found that could be converted")
    }

    private mutating func read(_ node: YAMLNode, file: String) {
        if node.isNull { return }
        if let elements = node.elements {
            for element in elements { read(element, file: file) }
            return
        }
        if node["kind"]?.string == "List" || node["kind"]?.string?.hasSuffix("List") == true, let items = node["items"]
        {
            for item in items.elements ?? [] { read(item, file: file) }
            return
        }
        add(node, file: file)
    }

    private mutating func add(_ node: YAMLNode, file: String) {
        guard node.entries != nil else {
            problems.append("\(file):\(node.line): expected an object, found \(node.shown)")
            return
        }
        let kind = node["kind"]?.string ?? ""
        let apiVersion = node["apiVersion"]?.string ?? ""
        if !kind.isEmpty, !apiVersion.isEmpty {
            let metadata = node["metadata"]
            let name = ObjectName(
                namespace: metadata?["namespace"]?.string ?? options.namespace,
                name: metadata?["name"]?.string ?? "unnamed")
            add(SourceObject(kind: kind, apiVersion: apiVersion, name: name, node: node, file: file))
        } else if let (format, words) = Detection.format(of: node, preferred: options.format) {
            let name = Detection.name(of: node, format, file: file)
            keep(
                SourceObject(
                    kind: words, apiVersion: "", name: ObjectName(namespace: options.namespace, name: name), node: node,
                    file: file), format)
        } else {
            strangers.append(
                SourceObject(
                    kind: "Document", apiVersion: "", name: ObjectName(namespace: options.namespace, name: "unnamed"),
                    node: node, file: file))
        }
    }

    private mutating func add(_ object: SourceObject) {
        if object.apiVersion == "v1", object.kind == "Service" {
            var ports: [String: Int] = [:]
            for port in object.root.at("spec", "ports")?.items ?? [] {
                if let name = port["name"]?.scalar, let number = port["port"]?.integer { ports[name] = number }
            }
            services[object.name] = ports
        } else if let format = Detection.format(of: object, preferred: options.format) {
            keep(object, format)
        } else if Detection.isHelper(object) {
            helpers.append(object)
        } else {
            strangers.append(object)
        }
    }

    private mutating func keep(_ object: SourceObject, _ format: SourceFormat) {
        var object = object
        object.format = format
        objects[format, default: []].append(object)
        all.append(object)
    }
}
