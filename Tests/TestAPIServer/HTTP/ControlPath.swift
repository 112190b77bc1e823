internal import KubernetesAPI
internal import Platform

/// `/_control/COMMAND`: what the methods of ``TestAPIServer`` do, for a server in another process. No fault and no right
/// concerns it. POST with a JSON or YAML body changes, GET shows.
struct ControlPath: Sendable {
    let state: Locked<ClusterState>
    let listener: HTTPListener

    func answer(_ request: ServedRequest) -> ServedResponse {
        do {
            return try run(request.path.dropFirst().first ?? "", request) ?? .text(404, "no such command\n")
        } catch {
            return .text(400, "\(error)\n")
        }
    }

    private func run(_ command: String, _ request: ServedRequest) throws -> ServedResponse? {
        let text = String(decoding: request.body, as: UTF8.self)
        if request.method == "GET" {
            switch command {
            case "statistics": return show(statistics)
            case "version": return .text(200, "\(state.withLock { $0.version })\n")
            default: return nil
            }
        }
        switch command {
        case "objects":
            let documents = try JSONValue.documents(text)
            try state.withLock { state in
                for document in documents { _ = try state.put(document) }
            }
            return .text(200, "\(documents.count)\n")
        case "faults":
            let faults = try Faults(json: try JSONValue.documents(text).first ?? .object([:]))
            state.withLock { $0.set(faults) }
        case "compact": state.withLock { $0.compact() }
        case "close-watches": state.withLock { $0.closeWatches() }
        case "drop-connections": listener.dropConnections()
        case "pods": try changePods(try JSONValue.documents(text))
        case "remove-kind": state.withLock { $0.remove(kindNamed: request.query["kind"] ?? "") }
        case "add-kind": try state.withLock { try $0.addGatewayKind(request.query["kind"] ?? "") }
        case "tokens":
            let tokens = try JSONValue.documents(text).first?.fields ?? [:]
            state.withLock { $0.tokens = tokens.mapValues { access($0.text ?? "") } }
        default: return nil
        }
        return .text(200, "ok\n")
    }

    /// A service account (`system:serviceaccount:NAMESPACE:NAME`) has the rights that are bound to it, anybody else all of them.
    private func access(_ user: String) -> AccessToken {
        let parts = user.split(separator: ":").map(String.init)
        guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount" else {
            return AccessToken(user: user, rules: [.all])
        }
        return .serviceAccount(parts[2], parts[3])
    }

    private func show(_ json: JSONValue) -> ServedResponse { ServedResponse(status: 200, body: JSONText.bytes(json)) }

    private var statistics: JSONValue {
        let statistics = state.withLock { $0.statistics }
        return .object([
            "total": .integer(Int64(statistics.total)),
            "unchangedWrites": .integer(Int64(statistics.unchangedWrites)),
            "counts": .object(statistics.counts.mapValues { .integer(Int64($0)) }),
        ])
    }

    /// Each document is a pod (`namespace`, `name`, `labels`, `ip`, `port`, `ports`, `ready`, `terminating`); one with
    /// `deleted: true` goes.
    private func changePods(_ documents: [JSONValue]) throws {
        let pods = try documents.flatMap { $0.elements ?? [$0] }.map { json in
            guard let name = json["name"]?.text else { throw APIStatus.badRequest("a pod needs a name") }
            var pod = TestPod(
                namespace: json["namespace"]?.text ?? "default", name: name,
                labels: (json["labels"]?.fields ?? [:]).compactMapValues(\.text), ip: json["ip"]?.text ?? "127.0.0.1",
                port: json["port"]?.integer.map { Int($0) },
                ports: (json["ports"]?.fields ?? [:]).compactMapValues { $0.integer.map { Int($0) } })
            pod.ready = json["ready"]?.flag ?? true
            pod.terminating = json["terminating"]?.flag ?? false
            return (pod, json["deleted"]?.flag ?? false)
        }
        state.withLock { state in
            state.changePods { known in
                for (pod, isDeleted) in pods {
                    known[ObjectPath(namespace: pod.namespace, name: pod.name)] = isDeleted ? nil : pod
                }
            }
        }
    }
}

extension Faults {
    /// As `{answersWith: 429, retryAfter: 1, latencyMilliseconds: 50, …}`: the names of the properties; durations end in
    /// `Milliseconds`.
    init(json: JSONValue) throws {
        self.init()
        let known: Set<String> = [
            "latencyMilliseconds", "answersWith", "retryAfter", "remaining", "methods", "pathContains",
            "dropsConnections", "closesWatchesAfterMilliseconds", "silencesWatches", "garbage", "trickle",
            "refusesTokens",
        ]
        if let stranger = json.fields?.keys.first(where: { !known.contains($0) }) {
            throw APIStatus.badRequest("no fault is called \(stranger)")
        }
        if let value = json["latencyMilliseconds"]?.integer { latency = .milliseconds(value) }
        answersWith = json["answersWith"]?.integer.map { Int($0) }
        retryAfter = json["retryAfter"]?.integer.map { Int($0) }
        remaining = json["remaining"]?.integer.map { Int($0) }
        methods = Set((json["methods"]?.elements ?? []).compactMap(\.text))
        pathContains = json["pathContains"]?.text ?? ""
        dropsConnections = json["dropsConnections"]?.flag ?? false
        closesWatchesAfter = json["closesWatchesAfterMilliseconds"]?.integer.map { .milliseconds($0) }
        silencesWatches = json["silencesWatches"]?.flag ?? false
        garbage = json["garbage"]?.text
        trickle = json["trickle"]?.integer.map { Int($0) }
        refusesTokens = json["refusesTokens"]?.flag ?? false
    }
}
