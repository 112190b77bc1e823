internal import KubernetesAPI
internal import Primitives
internal import YAML

/// What the schema of a kind says of an object: fields it does not know, and what it refuses. By the models and the rules
/// that Sluice itself reads manifests with, so that no schema has to be copied; kinds without a model are taken as they are.
struct Validation: Sendable {
    var unknownFields: [String] = []
    var problems: [InvalidField] = []

    init(_ object: JSONValue, kind: ServedKind, allowsLoopback: Bool) {
        switch kind.qualifiedKind {
        case "GatewayClass.\(GatewayKinds.group)": read(GatewayClass.self, object)
        case "Gateway.\(GatewayKinds.group)": read(Gateway.self, object)
        case "TCPRoute.\(GatewayKinds.group)": read(TCPRoute.self, object)
        case "TLSRoute.\(GatewayKinds.group)": read(TLSRoute.self, object)
        case "ReferenceGrant.\(GatewayKinds.group)": read(ReferenceGrant.self, object)
        case "BackendTLSPolicy.\(GatewayKinds.group)": read(BackendTLSPolicy.self, object)
        case "ListenerSet.\(GatewayKinds.group)": read(ListenerSet.self, object)
        case "GatewayParameters.sluice.dev": read(GatewayParameters.self, object)
        case "ClientPolicy.sluice.dev": read(ClientPolicy.self, object)
        case "BackendPolicy.sluice.dev": read(BackendPolicy.self, object)
        case "Backend.sluice.dev": read(Backend.self, object)
        case "Service": read(Service.self, object)
        case "EndpointSlice.discovery.k8s.io":
            read(EndpointSlice.self, object)
            if !allowsLoopback { refuseLoopback(object) }
        default: readMetadata(object, kind: kind)
        }
        if kind.isCustom, let status = object["status"] { StatusRules.check(status, kind: kind, &problems) }
    }

    private mutating func read<Resource: ValidatedResource>(_ type: Resource.Type, _ object: JSONValue) {
        let decoder = YAMLDecoder { ($0 as? any FieldListing.Type)?.unreadFields ?? [] }
        do {
            let decoded = try decoder.decode(type, from: object.node)
            unknownFields = decoded.unknownFields.map(\.field)
            problems = decoded.value.fieldProblems().map { Self.cause($0, in: object) }
        } catch {
            let isMissing = error.message.contains("required")
            problems = [
                InvalidField(
                    field: error.field, message: isMissing ? "Required value" : "Invalid value: \(error.message)",
                    reason: isMissing ? "FieldValueRequired" : "FieldValueTypeInvalid")
            ]
        }
    }

    private mutating func readMetadata(_ object: JSONValue, kind: ServedKind) {
        guard let metadata = object["metadata"] else { return }
        do {
            let decoded = try YAMLDecoder(unreadFields: { _ in [] }).decode(ObjectMeta.self, from: metadata.node)
            let resource = ResourceKind(
                group: kind.group, version: kind.versions[0], kind: kind.kind, plural: kind.plural,
                namespaced: kind.namespaced)
            problems = decoded.value.problems(of: resource).map { Self.cause($0, in: object) }
        } catch {
            problems = [InvalidField(field: "metadata.\(error.field)", message: "Invalid value: \(error.message)")]
        }
    }

    /// In the words of the API server as far as they can be told from the problem.
    private static func cause(_ problem: FieldProblem, in object: JSONValue) -> InvalidField {
        let field = problem.field
        if problem.message.hasPrefix("is required") {
            return InvalidField(field: field, message: "Required value", reason: "FieldValueRequired")
        }
        let node = object.node.nearestNode(atField: field)
        let value = JSONValue(node)
        if problem.message.hasPrefix("must be"), problem.message.contains(" or "), value.text != nil,
            problem.message.contains(", found")
        {
            let allowed = problem.message.split(separator: ", found")[0].dropFirst("must be ".count)
            let list = String(allowed).replacing(" or ", with: "\", \"")
            return InvalidField(
                field: field, message: "Unsupported value: \(JSONText.string(value)): supported values: \"\(list)\"",
                reason: "FieldValueNotSupported")
        }
        var message = "\(field) in body \(problem.message)"
        if let bounds = numbers(problem.message), let found = value.integer {
            message =
                found > bounds.1
                ? "\(field) in body should be less than or equal to \(bounds.1)"
                : "\(field) in body should be greater than or equal to \(bounds.0)"
        } else if !problem.message.hasPrefix("must") {
            message = problem.message
        }
        let shown = value.fields == nil && value.elements == nil ? JSONText.string(value) : "{...}"
        return InvalidField(field: field, message: "Invalid value: \(shown): \(message)")
    }

    /// The bounds in "must be between 1 and 65535, found 70000".
    private static func numbers(_ message: String) -> (Int64, Int64)? {
        guard message.hasPrefix("must be between ") else { return nil }
        let words = message.split(whereSeparator: { " ,".contains($0) })
        guard words.count > 5, let low = Int64(words[3]), let high = Int64(words[5]) else { return nil }
        return (low, high)
    }

    private mutating func refuseLoopback(_ slice: JSONValue) {
        for (index, endpoint) in (slice["endpoints"]?.elements ?? []).enumerated() {
            for (place, address) in (endpoint["addresses"]?.elements ?? []).enumerated() {
                guard let text = address.text, IPAddress(text)?.isLoopback == true else { continue }
                problems.append(
                    InvalidField(
                        field: "endpoints[\(index)].addresses[\(place)]",
                        message: "Invalid value: \"\(text)\": may not be in the loopback range (127.0.0.0/8, ::1/128)"))
            }
        }
    }
}
