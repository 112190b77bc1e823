import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform
import TestSupport
import Testing

@Suite("Requests with retries")
struct ClientRetryTests {
    let route = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "TCPRoute", plural: "tcproutes", namespaced: true)
    let key = ObjectKey(namespace: "a", name: "r")

    @Test("429 and 5xx are asked again, never before the server's word, longer each time")
    func delays() throws {
        let server = ScriptedServer([
            .failure(.status(APIStatus(code: 429, reason: "TooManyRequests", message: "", retryAfter: .seconds(3)))),
            .failure(.status(APIStatus(code: 503, reason: "", message: ""))),
            .failure(.transport(TransportError(.unreachable, "down"))),
            .success(#"{"metadata":{"name":"r","uid":"u","resourceVersion":"9","generation":2}}"#),
        ])
        let clock = ManualClock()
        let object = try server.get(route, key, retry: clock.policy(random: 0.5))
        #expect(object.resourceVersion == "9")
        #expect(object.uid == "u")
        #expect(object.generation == 2)
        // 3 s and half of the first delay; three quarters of 150 and of 225 ms.
        #expect(clock.slept == [.milliseconds(3050), .microseconds(112_500), .microseconds(168_750)])
    }

    @Test("no attempt begins after the total; the last error is told")
    func total() throws {
        let down = APIError.status(APIStatus(code: 500, reason: "InternalError", message: "no"))
        let server = ScriptedServer(Array(repeating: .failure(down), count: 100))
        let clock = ManualClock()
        var policy = clock.policy(random: 1)
        (policy.total, policy.attempts) = (.seconds(2), 100)
        let error = try #require(throws: APIError.self) { try server.get(route, key, retry: policy) }
        #expect(error == down)
        #expect(clock.slept.reduce(.zero, +) <= .seconds(2))
        #expect(server.requests.count == clock.slept.count + 1)
    }

    @Test(
        "what the server has decided is not asked again",
        arguments: [400, 401, 403, 404, 405, 409, 410, 413, 415, 422])
    func decided(code: Int) throws {
        let server = ScriptedServer([.failure(.status(APIStatus(code: code, reason: "", message: "")))])
        #expect(throws: APIError.self) { try server.get(route, key, retry: ManualClock().policy(random: 0)) }
        #expect(server.requests.count == 1)
    }

    @Test("an object is not created twice: only what the server has surely not done is repeated")
    func create() throws {
        let once: [APIError] = [
            .status(APIStatus(code: 500, reason: "", message: "")), .transport(TransportError(.timeout, "")),
            .transport(TransportError(.interrupted, "")),
        ]
        for error in once {
            let server = ScriptedServer([.failure(error)])
            #expect(throws: error) {
                try server.create(
                    route, namespace: "a", JSONValue.object([:]), retry: ManualClock().policy(random: 0))
            }
            #expect(server.requests.count == 1)
        }
        let server = ScriptedServer([
            .failure(.transport(TransportError(.unreachable, ""))),
            .failure(.status(APIStatus(code: 429, reason: "", message: ""))), .success(#"{"metadata":{}}"#),
        ])
        _ = try server.create(
            route, namespace: "a", JSONValue.object([:]), fieldManager: "sluice",
            retry: ManualClock().policy(random: 0))
        #expect(server.requests.count == 3)
        #expect(server.requests[2].path == "/apis/gateway.networking.k8s.io/v1/namespaces/a/tcproutes")
        #expect(server.requests[2].query.map(\.value) == ["sluice"])
    }

    @Test("patches: merge and server-side apply, of the object and of its status")
    func patches() throws {
        let server = ScriptedServer(Array(repeating: .success(#"{"metadata":{"resourceVersion":"5"}}"#), count: 2))
        let body = JSONValue.object(["b": .integer(1), "a": .string("x/y")])
        _ = try server.patch(route, key, .merge, body, subresource: "status")
        _ = try server.patch(route, key, .apply(fieldManager: "sluice", force: true), body)
        #expect(server.requests[0].path == "/apis/gateway.networking.k8s.io/v1/namespaces/a/tcproutes/r/status")
        #expect(server.requests[0].contentType == "application/merge-patch+json")
        #expect(server.requests[0].resource == "tcproutes/status")
        #expect(server.requests[0].body == Array(#"{"a":"x/y","b":1}"#.utf8))
        #expect(server.requests[1].contentType == "application/apply-patch+yaml")
        #expect(server.requests[1].query.map { "\($0.name)=\($0.value)" } == ["fieldManager=sluice", "force=true"])
    }

    @Test("deleting what is not there, or is another of the name, is said and no error")
    func delete() throws {
        let answers: [Result<String, APIError>] = [
            .success("{}"), .failure(.status(APIStatus(code: 404, reason: "NotFound", message: ""))),
            .failure(.status(APIStatus(code: 409, reason: "Conflict", message: ""))),
        ]
        let server = ScriptedServer(answers)
        #expect(try server.delete(route, key, uid: "u1"))
        #expect(try !server.delete(route, key, uid: "u1"))
        #expect(try !server.delete(route, key, uid: "u1"))
        #expect(
            server.requests[0].body
                == Array(#"{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u1"}}"#.utf8))
    }

    struct Item: Decodable, Sendable, Equatable { var id: Int }

    @Test("a list comes page by page; the first page's version is the last one's")
    func pages() throws {
        let server = ScriptedServer([
            .success(#"{"metadata":{"resourceVersion":"7","continue":"t=1"},"items":[{"id":1},{"id":2}]}"#),
            .success(#"{"metadata":{"resourceVersion":"7","continue":""},"items":[{"id":3}]}"#),
        ])
        let selection = ListSelection(namespace: "a", labelSelector: "x=y")
        let list = try server.list(route, selection, as: Item.self, pageSize: 2)
        #expect(list.items == [Item(id: 1), Item(id: 2), Item(id: 3)])
        #expect(list.resourceVersion == "7")
        let queries = server.requests.map { $0.query.map { "\($0.name)=\($0.value)" } }
        #expect(queries == [["labelSelector=x=y", "limit=2"], ["labelSelector=x=y", "limit=2", "continue=t=1"]])
    }

    @Test("a list that the server forgets between two pages begins again, whole")
    func forgottenPages() throws {
        let server = ScriptedServer([
            .success(#"{"metadata":{"continue":"t"},"items":[{"id":1}]}"#),
            .failure(.status(APIStatus(code: 410, reason: "Expired", message: ""))),
            .success(#"{"metadata":{"resourceVersion":"9"},"items":[{"id":2}]}"#),
        ])
        #expect(try server.list(route, as: Item.self).items == [Item(id: 2)])
        #expect(server.requests[2].query.isEmpty)
    }

    @Test("an answer that is not what was asked for names the place, never the value")
    func malformed() throws {
        let server = ScriptedServer([.success(#"{"metadata":{"resourceVersion":12345}}"#), .success("<html>")])
        let wrong = try #require(throws: APIError.self) { try server.get(route, key) }
        #expect(
            wrong
                == .malformed("the answer to get tcproutes: metadata.resourceVersion is of another type than expected"))
        let noJSON = try #require(throws: APIError.self) { try server.get(route, key) }
        #expect(noJSON == .malformed("the answer to get tcproutes: the whole cannot be read"))
    }
}

/// Answers in the order given, from a thread of its own.
final class ScriptedServer: APIServer {
    private struct State {
        var answers: [Result<String, APIError>]
        var requests: [APIRequest] = []
    }

    private let state: Locked<State>

    init(_ answers: [Result<String, APIError>]) { state = Locked(State(answers: answers)) }

    var requests: [APIRequest] { state.withLock { $0.requests } }

    func send(
        _ request: APIRequest, lane: Lane, completion: @escaping @Sendable (Result<APIResponse, APIError>) -> Void
    ) {
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers.isEmpty ? .failure(.malformed("no answer is left")) : state.answers.removeFirst()
        }
        completion(answer.map { APIResponse(head: HTTPHead(status: 200), body: Array($0.utf8)) })
    }

    func stream(_ request: APIRequest, isFresh: Bool, onActivity: @escaping @Sendable () -> Void) -> any HTTPStream {
        EmptyStream()
    }
}

private struct EmptyStream: HTTPStream {
    func take() -> HTTPStreamPart { HTTPStreamPart(end: .finished) }
    func cancel() {}
}

/// Time that passes only by being slept.
final class ManualClock: Sendable {
    private let state = Locked<[Duration]>([])

    var slept: [Duration] { state.withLock { $0 } }

    func policy(random: Double) -> RetryPolicy {
        var policy = RetryPolicy.standard
        policy.now = { [state] in
            MonotonicTime(nanoseconds: 0) + state.withLock { $0 }.reduce(.zero, +)
        }
        policy.sleep = { [state] duration in state.withLock { $0.append(duration) } }
        policy.random = { random }
        return policy
    }
}
