internal import KubernetesAPI

/// A refusal: what becomes a Status object.
public struct APIStatus: Error, Sendable {
    /// HTTP status code.
    public var code: Int
    var reason: String
    var message: String
    var details: JSONValue?
    var headers: [(name: String, value: String)] = []
    /// Sent instead of a Status object: what is not routed gets plain text.
    var plainText: String?
    var `continue`: String?

    var object: JSONValue {
        var status: [String: JSONValue] = [
            "kind": .string("Status"), "apiVersion": .string("v1"),
            "metadata": .object(`continue`.map { ["continue": .string($0)] } ?? [:]), "status": .string("Failure"),
            "message": .string(message), "code": .integer(Int64(code)),
        ]
        if !reason.isEmpty { status["reason"] = .string(reason) }
        if let details { status["details"] = details }
        return .object(status)
    }

    var response: ServedResponse {
        if let plainText { return .text(code, plainText) }
        return ServedResponse(status: code, headers: headers, body: JSONText.bytes(object))
    }

    static let pageNotFound = APIStatus(code: 404, reason: "", message: "", plainText: "404 page not found\n")

    static func badRequest(_ message: String) -> APIStatus {
        APIStatus(code: 400, reason: "BadRequest", message: message)
    }

    static func notFound(_ kind: ServedKind, _ name: String) -> APIStatus {
        APIStatus(
            code: 404, reason: "NotFound", message: "\(kind.qualifiedPlural) \"\(name)\" not found",
            details: details(kind, name: name))
    }

    static func alreadyExists(_ kind: ServedKind, _ name: String) -> APIStatus {
        APIStatus(
            code: 409, reason: "AlreadyExists", message: "\(kind.qualifiedPlural) \"\(name)\" already exists",
            details: details(kind, name: name))
    }

    static func conflict(_ kind: ServedKind, _ name: String, _ why: String? = nil) -> APIStatus {
        let modified =
            "the object has been modified; please apply your changes to the latest version and try again"
        return APIStatus(
            code: 409, reason: "Conflict",
            message: "Operation cannot be fulfilled on \(kind.qualifiedPlural) \"\(name)\": \(why ?? modified)",
            details: details(kind, name: name))
    }

    static func namespaceTerminating(_ kind: ServedKind, _ name: String, _ namespace: String) -> APIStatus {
        var details = details(kind, name: name)
        details.set(
            "causes",
            to: .array([
                cause("NamespaceTerminating", "namespace \(namespace) is being terminated", "metadata.namespace")
            ]))
        return APIStatus(
            code: 403, reason: "Forbidden",
            message: "\(kind.qualifiedPlural) \"\(name)\" is forbidden: unable to create new content in namespace "
                + "\(namespace) because it is being terminated", details: details)
    }

    static func expired(_ message: String, continue: String? = nil) -> APIStatus {
        APIStatus(code: 410, reason: "Expired", message: message, continue: `continue`)
    }

    static func invalid(_ kind: ServedKind, _ name: String, _ problems: [InvalidField]) -> APIStatus {
        let lines = problems.map { "\($0.field): \($0.message)" }
        let list = lines.count == 1 ? lines[0] : "[\(lines.joined(separator: ", "))]"
        var details = details(kind, name: name)
        details.set("kind", to: .string(kind.kind))
        details.set("causes", to: .array(problems.map { cause($0.reason, $0.message, $0.field) }))
        return APIStatus(
            code: 422, reason: "Invalid", message: "\(kind.qualifiedKind) \"\(name)\" is invalid: \(list)",
            details: details)
    }

    static func applyConflict(_ conflicts: [(manager: String, field: String)]) -> APIStatus {
        let count = "\(conflicts.count) conflict\(conflicts.count == 1 ? "" : "s")"
        let single = conflicts.count == 1 ? " \(conflicts[0].manager): \(conflicts[0].field)" : nil
        let listed = conflicts.map { "\n- \($0.field) (\($0.manager))" }.joined()
        return APIStatus(
            code: 409, reason: "Conflict",
            message: "Apply failed with \(count): " + (single.map { "conflict with\($0)" } ?? "conflicts:\(listed)"),
            details: .object([
                "causes": .array(
                    conflicts.map { cause("FieldManagerConflict", "conflict with \($0.manager)", $0.field) })
            ]))
    }

    private static func details(_ kind: ServedKind, name: String) -> JSONValue {
        var fields: [String: JSONValue] = ["kind": .string(kind.plural)]
        if !name.isEmpty { fields["name"] = .string(name) }
        if !kind.group.isEmpty { fields["group"] = .string(kind.group) }
        return .object(fields)
    }

    private static func cause(_ reason: String, _ message: String, _ field: String) -> JSONValue {
        .object(["reason": .string(reason), "message": .string(message), "field": .string(field)])
    }
}

/// One cause of a 422.
struct InvalidField: Hashable, Sendable {
    var field: String
    var message: String
    var reason = "FieldValueInvalid"
}
