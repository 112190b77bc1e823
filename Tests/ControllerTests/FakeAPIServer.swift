import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform

@testable import Controller

/// As much of an API server as the writers speak to: objects by path, resource versions, merge patches with optimistic
/// locking, status subresources, server-side apply of whole objects, deletion with preconditions, and faults on command.
/// Answers come from a thread of its own.
final class FakeAPIServer: APIServer {
    struct Fault: Sendable {
        var matches: @Sendable (APIRequest) -> Bool
        var remaining: Int
        var error: APIError
        /// The request is carried out all the same, only its answer is lost.
        var isLate = false
    }

    private struct State {
        var objects: [String: JSONValue] = [:]
        var version: Int64 = 100
        var requests: [APIRequest] = []
        var faults: [Fault] = []
        var inFlight = 0
        var mostInFlight = 0
        /// Called before a request is carried out, without the lock: somebody else's write may come first.
        var intrusion: (@Sendable (APIRequest) -> Void)?
        var queue: [@Sendable () -> Void] = []
        var stopped = false
        /// Fields of a status that the schema does not have.
        var pruned: Set<String> = []
    }

    private let state = Monitored(State())

    init() throws {
        let state = state
        try Thread(named: "fake-api") {
            while true {
                let work: [@Sendable () -> Void]? = state.wait { state in
                    if state.stopped { return [] }
                    guard !state.queue.isEmpty else { return nil }
                    defer { state.queue = [] }
                    return state.queue
                }
                guard let work, !work.isEmpty else { return }
                for item in work { item() }
            }
        }.detach()
    }

    deinit { state.update { $0.stopped = true } }

    // MARK: For tests

    var requests: [APIRequest] { read { $0.requests } }
    var mostInFlight: Int { read { $0.mostInFlight } }
    func requests(_ method: APIRequest.Method, _ part: String) -> [APIRequest] {
        requests.filter { $0.method == method && $0.path.contains(part) }
    }
    func forgetRequests() { state.update { $0.requests = [] } }
    func object(_ path: String) -> JSONValue? { read { $0.objects[path] } }
    func paths(_ part: String) -> [String] { read { $0.objects.keys.filter { $0.contains(part) }.sorted() } }
    func fail(_ error: APIError, times: Int, isLate: Bool = false, _ matches: @escaping @Sendable (APIRequest) -> Bool)
    {
        state.update { $0.faults.append(Fault(matches: matches, remaining: times, error: error, isLate: isLate)) }
    }
    func prune(_ field: String) { state.update { _ = $0.pruned.insert(field) } }
    /// Nothing is on its way.
    var isQuiet: Bool { read { $0.inFlight == 0 } }
    func beforeEach(_ body: (@Sendable (APIRequest) -> Void)?) { state.update { $0.intrusion = body } }

    /// Puts an object, as another client would; a new one gets a uid.
    func put(_ path: String, _ change: (inout [String: JSONValue]) -> Void) {
        state.update { state in
            var object = state.objects[path]?.fields ?? [:]
            change(&object)
            state.objects[path] = FakeAPIServer.stored(.object(object), path, &state)
        }
    }
    func remove(_ path: String) { state.update { state in state.objects[path] = nil } }

    private func read<Value>(_ body: (State) -> Value) -> Value {
        guard let value = state.wait({ body($0) as Value? }) else { preconditionFailure("a wait without end ended") }
        return value
    }

    // MARK: APIServer

    func stream(_ request: APIRequest, isFresh: Bool, onActivity: @escaping @Sendable () -> Void) -> any HTTPStream {
        preconditionFailure("the writers watch nothing")
    }

    func send(
        _ request: APIRequest, lane: Lane, completion: @escaping @Sendable (Result<APIResponse, APIError>) -> Void
    ) {
        let work: @Sendable () -> Void = { [weak self] in
            guard let self else { return }
            let answer = answer(request)
            state.update { $0.inFlight -= 1 }
            completion(answer)
        }
        state.update { state in
            state.requests.append(request)
            state.inFlight += 1
            state.mostInFlight = max(state.mostInFlight, state.inFlight)
            state.queue.append(work)
        }
    }

    private func answer(_ request: APIRequest) -> Result<APIResponse, APIError> {
        read { $0.intrusion }?(request)
        return state.update { state in
            var lost: APIError?
            if let index = state.faults.firstIndex(where: { $0.remaining > 0 && $0.matches(request) }) {
                state.faults[index].remaining -= 1
                guard state.faults[index].isLate else { return .failure(state.faults[index].error) }
                lost = state.faults[index].error
            }
            let answer = FakeAPIServer.carryOut(request, &state)
            if let lost { return .failure(lost) }
            return answer.map { APIResponse(head: HTTPHead(status: 200), body: $0.bytes) }
        }
    }

    private static func carryOut(_ request: APIRequest, _ state: inout State) -> Result<JSONValue, APIError> {
        let body = request.body.flatMap { JSONValue(bytes: $0) } ?? .object([:])
        let isStatus = request.path.hasSuffix("/status")
        let path = isStatus ? String(request.path.dropLast(7)) : request.path
        if request.method == .post {
            let path = "\(path)/\(body["metadata"]?["name"]?.text ?? "")"
            guard state.objects[path] == nil else { return .failure(.fake(409, "AlreadyExists")) }
            return .success(store(body, path, &state))
        }
        if request.verb == "list" { return .success(list(request, state)) }
        let isApply = request.contentType == "application/apply-patch+yaml"
        guard let old = state.objects[path] else {
            return isApply ? .success(store(body, path, &state)) : .failure(.fake(404, "NotFound"))
        }
        if let asked = body["metadata"]?["resourceVersion"]?.text, asked != old["metadata"]?["resourceVersion"]?.text {
            return .failure(.fake(409, "Conflict"))
        }
        switch request.method {
        case .get, .post: return .success(old)
        case .put: return .success(store(body, path, &state))
        case .delete:
            if let uid = body["preconditions"]?["uid"]?.text, uid != old["metadata"]?["uid"]?.text {
                return .failure(.fake(409, "Conflict"))
            }
            state.objects[path] = nil
            return .success(old)
        case .patch:
            var merged = isStatus ? old.merging(.object(["status": body["status"] ?? .null])) : old.merging(body)
            if isApply { merged = old.merging(body) }
            return .success(merged == old ? old : store(merged, path, &state))
        }
    }

    /// Of one namespace or of all, with a label selector of one equality.
    private static func list(_ request: APIRequest, _ state: State) -> JSONValue {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false)
        let plural = parts.last.map(String.init) ?? ""
        let root = parts.prefix { $0 != "namespaces" }.dropLast(parts.contains("namespaces") ? 0 : 1)
            .joined(separator: "/")
        let namespace = parts.firstIndex(of: "namespaces").map { String(parts[$0 + 1]) }
        let selector = request.query.first { $0.name == "labelSelector" }?.value.split(separator: "=").map(String.init)
        let items = state.objects.filter { path, object in
            let own = path.split(separator: "/").map(String.init)
            guard path.hasPrefix(root + "/"), own.dropLast().last == plural else { return false }
            if let namespace, !path.contains("/namespaces/\(namespace)/") { return false }
            guard let selector, selector.count == 2 else { return true }
            return object["metadata"]?["labels"]?[selector[0]]?.text == selector[1]
        }
        .sorted { $0.key < $1.key }.map(\.value)
        return .object(["metadata": .object(["resourceVersion": .string("\(state.version)")]), "items": .array(items)])
    }

    @discardableResult
    private static func store(_ object: JSONValue, _ path: String, _ state: inout State) -> JSONValue {
        let object = stored(object, path, &state)
        state.objects[path] = object
        return object
    }

    private static func stored(_ object: JSONValue, _ path: String, _ state: inout State) -> JSONValue {
        state.version += 1
        var fields = object.fields ?? [:]
        var metadata = fields["metadata"]?.fields ?? [:]
        metadata["resourceVersion"] = .string("\(state.version)")
        if metadata["uid"] == nil { metadata["uid"] = .string("uid-\(state.version)") }
        fields["metadata"] = .object(metadata)
        if case .object(let status)? = fields["status"] {
            fields["status"] = .object(status.filter { !state.pruned.contains($0.key) })
        }
        return .object(fields)
    }
}

extension APIError {
    static func fake(_ code: Int, _ reason: String, retryAfter: Duration? = nil) -> APIError {
        .status(APIStatus(code: code, reason: reason, message: "\(reason) for a test", retryAfter: retryAfter))
    }
}

extension JSONValue {
    /// RFC 7396.
    func merging(_ patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = fields ?? [:]
        for (name, value) in changes {
            result[name] = value == .null ? nil : (result[name] ?? .object([:])).merging(value)
        }
        return .object(result)
    }
}
