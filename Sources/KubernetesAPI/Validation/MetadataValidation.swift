internal import Primitives

extension ObjectMeta {
    /// What the API server would refuse in the metadata of an object of that kind.
    public func problems(of kind: ResourceKind) -> [FieldProblem] {
        var checks = FieldChecks()
        let isLabel = kind.group.isEmpty && (kind.kind == "Namespace" || kind.kind == "Service")
        checks.text("metadata.name", name, isLabel ? 1...63 : 1...253, isLabel ? .label : .subdomain)
        if kind.namespaced, namespace?.isEmpty == false {
            checks.text("metadata.namespace", namespace, 1...63, .label)
        }
        for (key, value) in (labels ?? [:]).sorted(by: { $0.key < $1.key }) {
            Self.check(key: key, in: "metadata.labels", &checks)
            checks.text("metadata.labels[\(printable(key, limit: 400))]", value, 0...63, .labelValue)
        }
        var size = 0
        for (key, value) in (annotations ?? [:]).sorted(by: { $0.key < $1.key }) {
            Self.check(key: key.lowercased(), in: "metadata.annotations", &checks)
            size += key.utf8.count + value.utf8.count
        }
        if size > 256 << 10 { checks.add("metadata.annotations", "must have at most 262144 bytes, have \(size)") }
        return checks.problems
    }

    private static func check(key: String, in field: String, _ checks: inout FieldChecks) {
        guard !isQualifiedName(key) else { return }
        checks.add(
            "\(field)[\(printable(key, limit: 400))]",
            "the key must be a name of at most 63 letters, digits, '-', '_' and '.', with or without a domain and '/' "
                + "before it")
    }
}
