internal import KubernetesAPI
internal import YAML

/// What a request is answered with.
enum Outcome: Sendable {
    case response(ServedResponse)
    case watch(WatchPlan)
}

extension ClusterState {
    /// Answers a request. Everything that takes time (latency, streaming) is the caller's.
    mutating func answer(_ request: ServedRequest) -> Outcome {
        statistics.total += 1
        let path = String(request.target.prefix { $0 != "?" })
        statistics.counts["\(request.flag("watch") ? "WATCH" : request.method) \(path)", default: 0] += 1
        do {
            let user = try authenticate(request)
            if let page = try unprotectedPage(request) { return .response(page) }
            guard let target = ResourceTarget(path: request.path) else {
                if request.method == "GET", let page = discovery(request) { return .response(page) }
                throw APIStatus.pageNotFound
            }
            try authorize(user, target, request)
            if target.plural == "selfsubjectaccessreviews" { return .response(try review(user, request)) }
            guard let kind = stores[target.qualifiedPlural]?.kind, kind.versions.contains(target.version) else {
                throw APIStatus.pageNotFound
            }
            return try answer(request, target: target, kind: kind)
        } catch let status as APIStatus {
            return .response(status.response)
        } catch {
            return .response(APIStatus.badRequest("\(error)").response)
        }
    }

    private func authenticate(_ request: ServedRequest) throws -> AccessToken {
        guard let field = request.headers["authorization"] else {
            return tokens.isEmpty ? .admin : (tokens[""] ?? options.anonymous)
        }
        let token = field.hasPrefix("Bearer ") ? String(field.dropFirst("Bearer ".count)) : ""
        if !faults.refusesTokens {
            if let known = tokens[token] { return known }
            if tokens.isEmpty { return .admin }
        }
        throw APIStatus(code: 401, reason: "Unauthorized", message: "Unauthorized")
    }

    private func authorize(_ user: AccessToken, _ target: ResourceTarget, _ request: ServedRequest) throws {
        let attempt = target.attempt(request)
        if target.plural.hasPrefix("selfsubject") { return }
        guard rules(of: user).contains(where: { $0.permits(attempt) }) else {
            throw attempt.refusal(user: user.user)
        }
    }

    private func unprotectedPage(_ request: ServedRequest) throws -> ServedResponse? {
        guard ["healthz", "livez", "readyz"].contains(request.path.first ?? "") else { return nil }
        return .text(200, "ok")
    }

    private func review(_ user: AccessToken, _ request: ServedRequest) throws -> ServedResponse {
        var review = try body(request)
        let wanted = review.at("spec", "resourceAttributes")
        let subresource = wanted?["subresource"]?.text.map { "/\($0)" } ?? ""
        let attempt = AccessAttempt(
            verb: wanted?["verb"]?.text ?? "", group: wanted?["group"]?.text ?? "",
            resource: (wanted?["resource"]?.text ?? "") + subresource, namespace: wanted?["namespace"]?.text,
            name: wanted?["name"]?.text)
        review.set("status", to: .object(["allowed": .bool(rules(of: user).contains { $0.permits(attempt) })]))
        return ServedResponse(status: 201, body: JSONText.bytes(review))
    }

    private mutating func answer(_ request: ServedRequest, target: ResourceTarget, kind shown: ServedKind) throws
        -> Outcome
    {
        var request = request
        var kind = shown
        if let stored = shown.storedAs {
            kind = self.kind(stored)
            request.query["fieldSelector"] = request.query["fieldSelector"].map(EventConversion.selector)
        }
        if let subresource = target.subresource, !kind.subresources.contains(subresource) {
            throw APIStatus.pageNotFound
        }
        let rendering = Rendering(kind: shown, version: target.version, request: request)
        let namespace = kind.namespaced ? target.namespace : nil
        if let name = target.name {
            let path = ObjectPath(namespace: namespace ?? "", name: name)
            return .response(try single(request, target, kind, path, rendering))
        }
        let filter = try ObjectFilter(namespace: namespace, query: request.query, kind: kind)
        switch request.method {
        case "GET" where request.flag("watch"):
            return .watch(try watch(kind, filter: filter, request: request, rendering: rendering))
        case "GET":
            return .response(try list(kind, filter: filter, request: request, rendering: rendering))
        case "POST":
            let result = try create(
                kind, namespace: namespace, object: stored(try body(request), as: shown),
                by: try WriteOptions(request, version: shown.storedAs == nil ? target.version : "v1"))
            return .response(response(result, rendering))
        case "DELETE": return .response(try deleteAll(kind, filter, rendering))
        default:
            throw APIStatus(code: 405, reason: "MethodNotAllowed", message: "the server does not allow this method")
        }
    }

    private mutating func single(
        _ request: ServedRequest, _ target: ResourceTarget, _ kind: ServedKind, _ path: ObjectPath,
        _ rendering: Rendering
    ) throws -> ServedResponse {
        if target.subresource == "scale" { return try scale(request, kind, path) }
        let subresource = target.subresource == "status" ? "status" : nil
        switch request.method {
        case "GET":
            guard let object = object(kind, path) else { throw APIStatus.notFound(kind, path.name) }
            return ServedResponse(status: 200, body: rendering.bytes(object))
        case "PUT":
            let options = try WriteOptions(request, version: target.version)
            let result = try replace(
                kind, path, subresource: subresource, with: stored(try body(request), as: rendering.kind), by: options)
            return response(result, rendering)
        case "PATCH": return response(try patched(request, target, kind, path, subresource), rendering)
        case "DELETE":
            let body = request.body.isEmpty ? nil : try body(request)
            let isDryRun = request.query["dryRun"] == "All" || body?["dryRun"]?.elements?.isEmpty == false
            return ServedResponse(
                status: 200, body: JSONText.bytes(try delete(kind, path, options: body, isDryRun: isDryRun)))
        default:
            throw APIStatus(code: 405, reason: "MethodNotAllowed", message: "the server does not allow this method")
        }
    }

    private mutating func patched(
        _ request: ServedRequest, _ target: ResourceTarget, _ kind: ServedKind, _ path: ObjectPath,
        _ subresource: String?
    ) throws -> WriteResult {
        let options = try WriteOptions(request, version: target.version)
        let type = (request.headers["content-type"] ?? "").split(separator: ";").first.map(String.init) ?? ""
        switch type {
        case "application/apply-patch+yaml":
            return try apply(
                kind, path, subresource: subresource, configuration: try body(request), by: options,
                isNamed: request.query["fieldManager"] != nil)
        case "application/merge-patch+json":
            return try patch(
                kind, path, subresource: subresource, with: try body(request), by: options)
        case "application/json-patch+json":
            return try patch(kind, path, subresource: subresource, with: try body(request), form: .json, by: options)
        case "application/strategic-merge-patch+json" where !kind.isCustom:
            return try patch(
                kind, path, subresource: subresource, with: try body(request), form: .strategic, by: options)
        default:
            throw APIStatus(
                code: 415, reason: "UnsupportedMediaType",
                message: "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")
        }
    }

    private mutating func deleteAll(_ kind: ServedKind, _ filter: ObjectFilter, _ rendering: Rendering) throws
        -> ServedResponse
    {
        let found = (stores[kind.qualifiedPlural]?.objects ?? [:]).filter { filter.matches($0.key, $0.value.value) }
        let paths = found.keys.sorted()
        for path in paths { _ = try delete(kind, path, options: nil) }
        let metadata: [String: JSONValue] = ["resourceVersion": .string(String(version))]
        return ServedResponse(status: 200, body: rendering.list(paths.compactMap { found[$0] }, metadata: metadata))
    }

    private func stored(_ object: JSONValue, as shown: ServedKind) -> JSONValue {
        shown.storedAs == nil ? object : EventConversion.new(object)
    }

    private func body(_ request: ServedRequest) throws -> JSONValue {
        let type = request.headers["content-type"] ?? "application/json"
        if type.contains("protobuf") {
            if let json = ProtobufBody.json(request.body) { return json }
            throw APIStatus(
                code: 415, reason: "UnsupportedMediaType",
                message: "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json, application/yaml")
        }
        if !type.contains("yaml") {
            do { return try JSONText.parse(request.body) } catch {
                throw APIStatus.badRequest("the object provided is unrecognized: \(error)")
            }
        }
        let documents = try JSONValue.documents(String(decoding: request.body, as: UTF8.self))
        guard let first = documents.first else { throw APIStatus.badRequest("the body is empty") }
        return first
    }

    private func response(_ result: WriteResult, _ rendering: Rendering) -> ServedResponse {
        let warnings = result.warnings.map { warning in
            ("Warning", "299 - \"\(warning.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"")
        }
        return ServedResponse(
            status: result.isNew ? 201 : 200, headers: warnings, body: rendering.bytes(result.object))
    }
}
