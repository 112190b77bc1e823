internal import KubernetesAPI
internal import Platform

extension ClusterState {
    /// Serves the kind that a CustomResourceDefinition declares, and says so in its status.
    mutating func serveDefinition(_ definition: JSONValue) throws {
        try declare(definition)
        accept(definition)
    }

    /// Serves the kind that a CustomResourceDefinition declares.
    mutating func declare(_ definition: JSONValue) throws {
        let spec = definition["spec"]
        guard let group = spec?["group"]?.text, let names = spec?["names"], let kindName = names["kind"]?.text,
            let plural = names["plural"]?.text, let versions = spec?["versions"]?.elements
        else { return }
        let served = versions.filter { $0["served"]?.flag != false }.compactMap { $0["name"]?.text }
        guard !served.isEmpty else { return }
        let known = (GatewayKinds.all).first { $0.group == group && $0.plural == plural }
        var kind =
            known
            ?? ServedKind(
                group: group, versions: served, kind: kindName, plural: plural,
                namespaced: spec?["scope"]?.text != "Cluster")
        kind.versions = served
        kind.isCustom = true
        kind.hasGeneration = true
        kind.singular = names["singular"]?.text ?? kindName.lowercased()
        kind.shortNames = names["shortNames"]?.elements?.compactMap(\.text) ?? []
        kind.categories = names["categories"]?.elements?.compactMap(\.text) ?? []
        let latest = versions.first { $0["name"]?.text == served[0] }
        kind.subresources = Set((latest?["subresources"]?.fields ?? [:]).keys)
        let annotation = definition.at("metadata", "annotations")?["gateway.networking.k8s.io/bundle-version"]
        kind.bundleVersion = annotation?.text
        if known == nil, let schema = latest?.at("schema", "openAPIV3Schema") {
            DefinitionSchema.read(schema, into: &kind)
            let columns = latest?["additionalPrinterColumns"]?.elements ?? []
            kind.columns = columns.compactMap(DefinitionSchema.column)
            if !columns.contains(where: { $0["name"]?.text == "Age" }) { kind.columns.append(.age) }
        }
        serve(kind)
    }

    /// Stops serving a kind; its objects go with it.
    mutating func withdraw(_ qualifiedPlural: String) {
        guard let store = stores[qualifiedPlural], store.kind.isCustom else { return }
        for path in store.objects.keys.sorted() { commit(store.kind, path, nil) }
        stores[qualifiedPlural] = nil
        wake()
    }

    private mutating func accept(_ definition: JSONValue) {
        let definitions = kind("customresourcedefinitions.apiextensions.k8s.io")
        guard let name = definition.at("metadata", "name")?.text, definition["status"]?["conditions"] == nil else {
            return
        }
        var object = definition
        let conditions = ["NamesAccepted", "Established"].map { type in
            JSONValue.object([
                "type": .string(type), "status": .string("True"), "reason": .string("InitialNamesAccepted"),
                "message": .string(""), "lastTransitionTime": .string(Self.now()),
            ])
        }
        object.set("status", "conditions", to: .array(conditions))
        object.set("status", "acceptedNames", to: definition.at("spec", "names"))
        commit(definitions, ObjectPath(namespace: "", name: name), object)
    }

    /// The CustomResourceDefinition object of a kind that is served from the start.
    func definition(of kind: ServedKind) -> JSONValue {
        var object = JSONValue.object([:])
        object.set("metadata", "name", to: .string(kind.qualifiedPlural))
        if let version = kind.bundleVersion {
            object.set(
                "metadata", "annotations",
                to: .object([
                    "gateway.networking.k8s.io/bundle-version": .string(version),
                    "gateway.networking.k8s.io/channel": .string("standard"),
                ]))
        }
        var names: [String: JSONValue] = [
            "kind": .string(kind.kind), "listKind": .string("\(kind.kind)List"), "plural": .string(kind.plural),
            "singular": .string(kind.singular), "categories": .strings(kind.categories),
        ]
        if !kind.shortNames.isEmpty { names["shortNames"] = .strings(kind.shortNames) }
        let versions = kind.versions.enumerated().map { index, version in
            var json: [String: JSONValue] = [
                "name": .string(version), "served": .bool(true), "storage": .bool(index == 0),
                "schema": .object(["openAPIV3Schema": .object(["type": .string("object")])]),
            ]
            if !kind.subresources.isEmpty { json["subresources"] = .object(["status": .object([:])]) }
            return JSONValue.object(json)
        }
        object.set(
            "spec",
            to: .object([
                "group": .string(kind.group), "scope": .string(kind.namespaced ? "Namespaced" : "Cluster"),
                "names": .object(names), "versions": .array(versions),
            ]))
        return object
    }
}

/// What is read of the schema in a CustomResourceDefinition: defaults, keyed lists, columns.
enum DefinitionSchema {
    static func read(_ schema: JSONValue, into kind: inout ServedKind, at path: String = "", keyPath: String = "") {
        if let value = schema["default"], !path.isEmpty { kind.schemaDefaults.append((path, value)) }
        if schema["x-kubernetes-list-type"]?.text == "map" {
            kind.shape.listKeys[keyPath] = schema["x-kubernetes-list-map-keys"]?.elements?.compactMap(\.text) ?? []
        }
        if schema["x-kubernetes-list-type"]?.text == "set" { kind.shape.sets.insert(keyPath) }
        if schema["x-kubernetes-map-type"]?.text == "atomic" { kind.shape.atomicMaps.insert(keyPath) }
        for (name, child) in (schema["properties"]?.fields ?? [:]).sorted(by: { $0.key < $1.key }) {
            read(
                child, into: &kind, at: path.isEmpty ? name : "\(path).\(name)",
                keyPath: keyPath.isEmpty ? name : "\(keyPath).\(name)")
        }
        if let items = schema["items"] { read(items, into: &kind, at: "\(path)[]", keyPath: keyPath) }
    }

    /// A printer column. Of JSONPath what such columns use: names, `[*]`, and `[?(@.type=="X")]`.
    static func column(_ json: JSONValue) -> ServedKind.Column? {
        guard let name = json["name"]?.text, let path = json["jsonPath"]?.text else { return nil }
        if json["type"]?.text == "date" { return .age }
        let steps = steps(path)
        return ServedKind.Column(
            name: name, format: json["type"]?.text ?? "string", priority: json["priority"]?.integer ?? 0
        ) { object in
            let found = values(object, steps[...])
            if found.count < 2 { return found.first ?? .null }
            return .string(found.map { $0.text ?? JSONText.string($0) }.joined(separator: ","))
        }
    }

    private static func steps(_ path: String) -> [String] {
        var steps: [String] = []
        var step = ""
        var depth = 0
        for character in path {
            if character == "[" { depth += 1 }
            if depth == 0, character == "." || character == "[" {
                if !step.isEmpty { steps.append(step) }
                step = ""
            } else {
                if character == "[", depth == 1, !step.isEmpty {
                    steps.append(step)
                    step = ""
                }
                step.append(character)
            }
            if character == "]" { depth -= 1 }
        }
        return step.isEmpty ? steps : steps + [step]
    }

    private static func values(_ value: JSONValue, _ steps: ArraySlice<String>) -> [JSONValue] {
        guard let step = steps.first else { return [value] }
        let rest = steps.dropFirst()
        if step == "[*]" { return (value.elements ?? []).flatMap { values($0, rest) } }
        if step.hasPrefix("[?") {
            let parts = step.split(separator: "\"")
            let key = step.drop { $0 != "." }.dropFirst().prefix { $0.isLetter }
            guard parts.count >= 2 else { return [] }
            return (value.elements ?? []).filter { $0[String(key)]?.text == String(parts[1]) }
                .flatMap { values($0, rest) }
        }
        if step.hasPrefix("["), let index = Int(step.dropFirst().dropLast()) {
            guard let elements = value.elements, elements.indices.contains(index) else { return [] }
            return values(elements[index], rest)
        }
        return value[step].map { values($0, rest) } ?? []
    }
}
