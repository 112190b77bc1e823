internal import FoundationEssentials
internal import KubernetesAPI

/// Where a paged list goes on.
struct ContinueToken {
    var version: Int64
    var after: ObjectPath

    init(version: Int64, after: ObjectPath) { (self.version, self.after) = (version, after) }

    var text: String {
        let start = JSONValue.string("/\(after.namespace)/\(after.name)\u{0}")
        let token = JSONValue.object(["v": .string("meta.k8s.io/v1"), "rv": .integer(version), "start": start])
        return Data(JSONText.bytes(token)).base64EncodedString().replacing("=", with: "").replacing("+", with: "-")
            .replacing("/", with: "_")
    }

    init(_ text: String) throws {
        var padded = text.replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let data = Data(base64Encoded: padded), let token = try? JSONText.parse(Array(data)),
            let version = token["rv"]?.integer, let start = token["start"]?.text
        else {
            let length = max(0, text.utf8.count / 4 * 4)
            throw APIStatus.badRequest(
                "invalid continue token: continue key is not valid: illegal base64 data at input byte \(length)")
        }
        let parts = start.dropLast().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else {
            throw APIStatus.badRequest("invalid continue token: continue key is not valid: incorrect start")
        }
        (self.version, after) = (version, ObjectPath(namespace: parts[1], name: parts[2]))
    }
}

extension ClusterState {
    /// GET of a collection.
    mutating func list(_ kind: ServedKind, filter: ObjectFilter, request: ServedRequest, rendering: Rendering) throws
        -> ServedResponse
    {
        var objects = stores[kind.qualifiedPlural]?.objects ?? [:]
        var shownVersion = version
        var after: ObjectPath?
        if let text = request.query["continue"], !text.isEmpty {
            let token = try ContinueToken(text)
            guard let snapshot = stores[kind.qualifiedPlural]?.snapshots[token.version] else {
                throw APIStatus.expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a new "
                        + "list without the continue parameter.",
                    continue: ContinueToken(version: version, after: token.after).text)
            }
            (objects, shownVersion, after) = (snapshot, token.version, token.after)
        } else {
            try checkVersion(kind, request)
        }
        var paths = objects.filter { filter.matches($0.key, $0.value.value) }.keys.sorted()
        if let after { paths.removeAll { $0 <= after } }
        var metadata: [String: JSONValue] = ["resourceVersion": .string(String(shownVersion))]
        if kind.isCustom, rendering.form == .whole { metadata["continue"] = .string("") }
        if let limit = request.query["limit"].flatMap({ Int($0) }), limit > 0, paths.count > limit,
            request.query["resourceVersion"] != "0"
        {
            let token = ContinueToken(version: shownVersion, after: paths[limit - 1])
            metadata["continue"] = .string(token.text)
            if request.query["labelSelector"] == nil, request.query["fieldSelector"] == nil {
                metadata["remainingItemCount"] = .integer(Int64(paths.count - limit))
            }
            paths = Array(paths[..<limit])
            keep(objects, of: kind, version: shownVersion)
        }
        return ServedResponse(
            status: 200, body: rendering.list(paths.compactMap { objects[$0] }, metadata: metadata))
    }

    /// At most eight lists are remembered while they are paged through.
    private mutating func keep(_ objects: [ObjectPath: StoredObject], of kind: ServedKind, version: Int64) {
        guard var snapshots = stores[kind.qualifiedPlural]?.snapshots else { return }
        snapshots[version] = objects
        while snapshots.count > 8, let oldest = snapshots.keys.min() { snapshots[oldest] = nil }
        stores[kind.qualifiedPlural]?.snapshots = snapshots
    }

    private func checkVersion(_ kind: ServedKind, _ request: ServedRequest) throws {
        guard let text = request.query["resourceVersion"], !text.isEmpty else { return }
        guard let wanted = Int64(text) else {
            throw APIStatus.badRequest("resourceVersion: Invalid value: \"\(text)\": strconv.ParseUint: invalid syntax")
        }
        if request.query["resourceVersionMatch"] == "Exact", wanted <= stores[kind.qualifiedPlural]?.compacted ?? 0 {
            throw APIStatus.expired("The resourceVersion for the provided list is too old.")
        }
        if wanted > version {
            throw APIStatus(
                code: 504, reason: "Timeout", message: "Too large resource version: \(wanted), current: \(version)",
                details: .object([
                    "causes": .array([
                        .object([
                            "reason": .string("ResourceVersionTooLarge"),
                            "message": .string("Too large resource version"),
                        ])
                    ]), "retryAfterSeconds": .integer(1),
                ]), headers: [("Retry-After", "1")])
        }
    }
}
