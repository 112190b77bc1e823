internal import KubernetesAPI

/// What the schemas of Gateway API v1.6 refuse in a status. Nobody but a controller writes one, so Sluice's models of what
/// users write do not say it.
enum StatusRules {
    static func check(_ status: JSONValue, kind: ServedKind, _ problems: inout [InvalidField]) {
        let before = problems.count
        conditions(status["conditions"], "status.conditions", &problems)
        list(status["addresses"], "status.addresses", atMost: 16, &problems) { address, field, problems in
            required(address, ["value"], field, &problems)
        }
        list(status["listeners"], "status.listeners", atMost: 64, &problems) { listener, field, problems in
            required(listener, ["name", "attachedRoutes", "conditions"], field, &problems)
            if let count = listener["attachedRoutes"], count.integer == nil {
                problems.append(typeProblem("\(field).attachedRoutes", "integer", count))
            }
            conditions(listener["conditions"], "\(field).conditions", &problems)
        }
        if kind.plural.hasSuffix("routes") { required(status, ["parents"], "status", &problems) }
        if kind.plural.hasSuffix("policies") { required(status, ["ancestors"], "status", &problems) }
        parents(status, &problems)
        list(status["supportedFeatures"], "status.supportedFeatures", atMost: 64, &problems) { item, field, problems in
            required(item, ["name"], field, &problems)
        }
        if problems.count > before {
            let rest = "some validation rules were not checked because the object was invalid; correct the existing "
            problems.append(
                InvalidField(field: "<nil>", message: "Invalid value: null: \(rest)errors to complete validation"))
        }
    }

    /// What a route says of its parents, or a policy of its ancestors.
    private static func parents(_ status: JSONValue, _ problems: inout [InvalidField]) {
        for (name, reference) in [("parents", "parentRef"), ("ancestors", "ancestorRef")] {
            let limit = name == "parents" ? 32 : 16
            list(status[name], "status.\(name)", atMost: limit, &problems) { entry, field, problems in
                required(entry, [reference, "controllerName", "conditions"], field, &problems)
                if let controller = entry["controllerName"]?.text, !controller.contains("/") {
                    problems.append(
                        InvalidField(
                            field: "\(field).controllerName",
                            message: "Invalid value: \"\(controller)\": must be a domain and a path"))
                }
                if entry["conditions"]?.elements?.isEmpty == true {
                    problems.append(
                        InvalidField(
                            field: "\(field).conditions",
                            message: "Invalid value: 0: \(field).conditions in body should have at least 1 items"))
                }
                if let target = entry[reference] { required(target, ["name"], "\(field).\(reference)", &problems) }
                conditions(entry["conditions"], "\(field).conditions", &problems)
            }
        }
    }

    private static func conditions(_ value: JSONValue?, _ field: String, _ problems: inout [InvalidField]) {
        var types: Set<String> = []
        list(value, field, atMost: 8, &problems) { condition, field, problems in
            required(condition, ["type", "status", "reason", "message", "lastTransitionTime"], field, &problems)
            if let status = condition["status"], !["True", "False", "Unknown"].contains(status.text) {
                let message = "Unsupported value: \(JSONText.string(status)): supported values: "
                problems.append(
                    InvalidField(
                        field: "\(field).status", message: "\(message)\"True\", \"False\", \"Unknown\"",
                        reason: "FieldValueNotSupported"))
            }
            text(condition["reason"], "\(field).reason", 1...1024, &problems)
            text(condition["message"], "\(field).message", 0...32768, &problems)
            text(condition["type"], "\(field).type", 1...316, &problems)
            if let reason = condition["reason"]?.text, !isReason(reason) {
                problems.append(
                    InvalidField(
                        field: "\(field).reason",
                        message:
                            "Invalid value: \"\(reason)\": must begin with a letter and hold letters, digits, ':', "
                            + "',' and '_'"))
            }
            if let time = condition["lastTransitionTime"], time.text.flatMap({ Timestamp($0) }) == nil {
                problems.append(
                    InvalidField(
                        field: "\(field).lastTransitionTime",
                        message: "Invalid value: \(JSONText.string(time)): must be of type date-time"))
            }
            if let type = condition["type"]?.text, !types.insert(type).inserted {
                problems.append(
                    InvalidField(
                        field: field, message: "Duplicate value: {\"type\":\"\(type)\"}", reason: "FieldValueDuplicate")
                )
            }
        }
    }

    private static func isReason(_ text: String) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter else { return text.isEmpty }
        return text.last?.isPunctuation == false || text.last == "_"
            ? text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_:,".contains($0)) } : false
    }

    private static func list(
        _ value: JSONValue?, _ field: String, atMost limit: Int, _ problems: inout [InvalidField],
        _ check: (JSONValue, String, inout [InvalidField]) -> Void
    ) {
        guard let value else { return }
        guard let elements = value.elements else {
            problems.append(typeProblem(field, "array", value))
            return
        }
        if elements.count > limit {
            problems.append(
                InvalidField(
                    field: field, message: "Too many: \(elements.count): must have at most \(limit) items",
                    reason: "FieldValueTooMany"))
        }
        for (index, element) in elements.enumerated() { check(element, "\(field)[\(index)]", &problems) }
    }

    private static func required(
        _ value: JSONValue, _ names: [String], _ field: String, _ problems: inout [InvalidField]
    ) {
        for name in names where value[name] == nil {
            problems.append(
                InvalidField(field: "\(field).\(name)", message: "Required value", reason: "FieldValueRequired"))
        }
    }

    private static func text(
        _ value: JSONValue?, _ field: String, _ length: ClosedRange<Int>, _ problems: inout [InvalidField]
    ) {
        guard let value else { return }
        guard let text = value.text else {
            problems.append(typeProblem(field, "string", value))
            return
        }
        let count = text.unicodeScalars.count
        if count > length.upperBound {
            problems.append(
                InvalidField(
                    field: field, message: "Too long: may not be more than \(length.upperBound) bytes",
                    reason: "FieldValueTooLong"))
        } else if count < length.lowerBound {
            problems.append(
                InvalidField(
                    field: field,
                    message: "Invalid value: \"\(text)\": \(field) in body should be at least \(length.lowerBound) "
                        + "chars long"))
        }
    }

    private static func typeProblem(_ field: String, _ type: String, _ value: JSONValue) -> InvalidField {
        InvalidField(
            field: field, message: "Invalid value: \(JSONText.string(value)): \(field) in body must be of type \(type)",
            reason: "FieldValueTypeInvalid")
    }
}
