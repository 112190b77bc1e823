internal import KubernetesAPI

/// How a write is made, beside what it writes.
struct WriteOptions: Sendable {
    var manager: String
    var isDryRun = false
    /// `Ignore`, `Warn` or `Strict`.
    var fieldValidation = "Warn"
    var force = false
    /// By the server's own controllers and by the test itself: endpoints may be loopback addresses.
    var isInternal = false
    /// Given by the request where it names another version than the stored one.
    var version: String?

    /// The server itself.
    static let server = WriteOptions(manager: "kube-controller-manager", isInternal: true)
    /// The test, in process.
    static let test = WriteOptions(manager: "test", isInternal: true)

    init(manager: String, isInternal: Bool = false) { (self.manager, self.isInternal) = (manager, isInternal) }

    init(_ request: ServedRequest, version: String) throws {
        let agent = request.headers["user-agent"] ?? "unknown"
        manager = request.query["fieldManager"] ?? String(agent.prefix { $0 != "/" })
        isDryRun = request.query["dryRun"] == "All"
        fieldValidation = request.query["fieldValidation"] ?? "Warn"
        force = request.flag("force")
        self.version = version
        guard ["Ignore", "Warn", "Strict"].contains(fieldValidation) else {
            throw APIStatus.badRequest("fieldValidation: Unsupported value: \"\(fieldValidation)\"")
        }
    }
}

/// What a write led to.
struct WriteResult: Sendable {
    var object: StoredObject
    var isNew = false
    var warnings: [String] = []
}

extension JSONValue {
    /// Without the value at a path such as `spec.rules[0].colour` or `metadata.labels[a.b/c]`.
    func removing(field path: String) -> JSONValue {
        var steps: [String] = []
        var step = ""
        var isBracketed = false
        for character in path {
            switch (character, isBracketed) {
            case (".", false), ("[", false):
                if !step.isEmpty { steps.append(step) }
                (step, isBracketed) = ("", character == "[")
            case ("]", true):
                steps.append(step)
                (step, isBracketed) = ("", false)
            default: step.append(character)
            }
        }
        if !step.isEmpty { steps.append(step) }
        return removing(steps[...])
    }

    private func removing(_ steps: ArraySlice<String>) -> JSONValue {
        guard let step = steps.first else { return self }
        if case .array(var elements) = self, let index = Int(step), elements.indices.contains(index) {
            elements[index] = elements[index].removing(steps.dropFirst())
            return .array(elements)
        }
        guard case .object(var fields) = self else { return self }
        fields[step] = steps.count == 1 ? nil : fields[step]?.removing(steps.dropFirst())
        return .object(fields)
    }
}
