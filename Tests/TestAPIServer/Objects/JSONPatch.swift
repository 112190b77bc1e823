internal import KubernetesAPI

/// RFC 6902, as kubectl sends it (`patch --type=json`, and when it moves ownership to server-side apply).
enum JSONPatch {
    static func apply(_ patch: JSONValue, to value: JSONValue) throws -> JSONValue {
        guard let operations = patch.elements else { throw APIStatus.badRequest("a JSON patch is a list") }
        var result = value
        for operation in operations {
            let path = try pointer(operation["path"])
            switch operation["op"]?.text {
            case "add": result = try result.setting(path[...], to: operation["value"] ?? .null, adds: true)
            case "replace":
                _ = try found(result, path)
                result = try result.setting(path[...], to: operation["value"] ?? .null, adds: false)
            case "remove":
                _ = try found(result, path)
                result = try result.setting(path[...], to: nil, adds: false)
            case "test":
                guard try found(result, path) == operation["value"] ?? .null else {
                    throw unprocessable("testing value \(operation["path"]?.text ?? "") failed")
                }
            case "copy", "move":
                let source = try pointer(operation["from"])
                let moved = try found(result, source)
                if operation["op"]?.text == "move" { result = try result.setting(source[...], to: nil, adds: false) }
                result = try result.setting(path[...], to: moved, adds: true)
            default: throw unprocessable("unknown operation")
            }
        }
        return result
    }

    private static func unprocessable(_ why: String) -> APIStatus {
        APIStatus(
            code: 422, reason: "Invalid",
            message: "the server rejected our request due to an error in our request: \(why)")
    }

    private static func pointer(_ path: JSONValue?) throws -> [String] {
        guard let text = path?.text, text.isEmpty || text.hasPrefix("/") else { throw unprocessable("no path") }
        return text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            String($0).replacing("~1", with: "/").replacing("~0", with: "~")
        }
    }

    private static func found(_ value: JSONValue, _ path: [String]) throws -> JSONValue {
        var value = value
        for step in path {
            let next =
                value[step]
                ?? Int(step).flatMap { index in
                    value.elements.flatMap { $0.indices.contains(index) ? $0[index] : nil }
                }
            guard let next else { throw unprocessable("the path /\(path.joined(separator: "/")) does not exist") }
            value = next
        }
        return value
    }
}

extension JSONValue {
    fileprivate func setting(_ path: ArraySlice<String>, to value: JSONValue?, adds: Bool) throws -> JSONValue {
        guard let step = path.first else { return value ?? .null }
        let rest = path.dropFirst()
        switch self {
        case .object(var fields):
            if rest.isEmpty {
                fields[step] = value
            } else if let child = fields[step] {
                fields[step] = try child.setting(rest, to: value, adds: adds)
            } else {
                throw APIStatus.badRequest("the path \(step) does not exist")
            }
            return .object(fields)
        case .array(var elements):
            let index = step == "-" ? elements.count : Int(step) ?? -1
            guard index >= 0, index <= elements.count, index < elements.count || (adds && rest.isEmpty) else {
                throw APIStatus.badRequest("no element \(step)")
            }
            if !rest.isEmpty {
                elements[index] = try elements[index].setting(rest, to: value, adds: adds)
            } else if let value {
                if adds { elements.insert(value, at: index) } else { elements[index] = value }
            } else {
                elements.remove(at: index)
            }
            return .array(elements)
        default: throw APIStatus.badRequest("the path \(step) leads into a scalar")
        }
    }
}
