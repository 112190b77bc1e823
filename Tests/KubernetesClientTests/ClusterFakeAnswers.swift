import FoundationEssentials
import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform

extension FakeAPIServer.State {
    /// The watches that are to be woken.
    mutating func record(_ collection: String, _ type: String, _ key: ObjectKey, _ value: JSONValue)
        -> [@Sendable () -> Void]
    {
        revision += 1
        let object = value.withResourceVersion(revision)
        objects[collection, default: [:]][key] = type == "DELETED" ? nil : object
        let event = FakeAPIServer.Event(
            revision: revision, collection: collection, type: type, key: key, object: object)
        events.append(event)
        return watches.values.filter { $0.target.collection == collection && $0.target.contains(key) }
            .map { watch in { watch.append(event.line) } }
    }

    func answer(_ request: APIRequest) -> Result<APIResponse, APIError> {
        if request.path == "/apis" { return discovery(request) }
        let parts = request.path.split(separator: "/").map(String.init)
        if parts.count == 3, parts[0] == "apis" { return resources(group: parts[1], version: parts[2]) }
        guard let target = FakeTarget(request), served[target.collection]?.contains(target.version) == true else {
            return .failure(.status(FakeAPIServer.status(404, "", "404 page not found")))
        }
        return list(target, request)
    }

    private func list(_ target: FakeTarget, _ request: APIRequest) -> Result<APIResponse, APIError> {
        let query = Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first }
        var version = revision
        var last: ObjectKey?
        if let token = query["continue"] {
            let parts = token.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3, let began = Int(parts[0]), began >= compacted else {
                return .failure(.status(FakeAPIServer.status(410, "Expired", "the token is too old")))
            }
            (version, last) = (began, ObjectKey(namespace: parts[1], name: parts[2]))
        }
        // By name, so that what came or went on earlier pages moves nothing: a real server's pages are of one version.
        let rest = (objects[target.collection] ?? [:]).filter { entry in
            target.contains(entry.key) && last.map { $0 < entry.key } ?? true
        }.sorted { $0.key < $1.key }
        let limit = query["limit"].flatMap { Int($0) }.map { min($0, pageSize ?? $0) } ?? .max
        let page = rest.prefix(limit)
        var metadata: [String: JSONValue] = ["resourceVersion": .string(String(version))]
        if page.count < rest.count, let end = page.last?.key {
            metadata["continue"] = .string("\(version)/\(end.namespace)/\(end.name)")
        }
        return .body(.object(["metadata": .object(metadata), "items": .array(page.map(\.value))]))
    }

    private func discovery(_ request: APIRequest) -> Result<APIResponse, APIError> {
        var groups: [String: Set<String>] = [:]
        for (collection, versions) in served {
            let group = collection.drop { $0 != "." }.dropFirst()
            if !group.isEmpty { groups[String(group), default: []].formUnion(versions) }
        }
        guard hasAggregatedDiscovery, request.accept?.contains("as=APIGroupDiscoveryList") == true else {
            return .body(
                .object([
                    "kind": .string("APIGroupList"),
                    "groups": .array(
                        groups.map { group, versions in
                            .object([
                                "name": .string(group),
                                "versions": .array(versions.map { .object(["version": .string($0)]) }),
                            ])
                        }),
                ]))
        }
        let items = groups.map { group, versions in
            JSONValue.object([
                "metadata": .object(["name": .string(group)]),
                "versions": .array(
                    versions.map { version in
                        .object([
                            "version": .string(version),
                            "resources": .array(plurals(group, version).map { resource("resource", $0) }),
                        ])
                    }),
            ])
        }
        return .body(.object(["kind": .string("APIGroupDiscoveryList"), "items": .array(items)]))
    }

    private func resources(group: String, version: String) -> Result<APIResponse, APIError> {
        .body(.object(["resources": .array(plurals(group, version).map { resource("name", $0) })]))
    }

    private func plurals(_ group: String, _ version: String) -> [String] {
        served.filter { $0.key.hasSuffix(".\(group)") && $0.value.contains(version) }
            .map { String($0.key.dropLast(group.count + 1)) }
    }

    private func resource(_ field: String, _ plural: String) -> JSONValue {
        .object([field: .string(plural), "verbs": .array([.string("list"), .string("watch")])])
    }

    /// Answers a watch and keeps it.
    mutating func begin(_ watch: FakeWatch, _ request: APIRequest) {
        let target = watch.target
        guard served[target.collection]?.contains(target.version) == true else {
            return watch.refuse(404, "", "404 page not found", nil)
        }
        let query = Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first }
        if query["sendInitialEvents"] == "true" {
            guard hasStreamingLists else {
                let message = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch"
                return watch.refuse(422, "Invalid", message, nil)
            }
            watch.accept()
            for (_, object) in (objects[target.collection] ?? [:]).filter({ target.contains($0.key) }) {
                watch.append(FakeAPIServer.line("ADDED", object))
            }
            watch.append(bookmark(ending: true))
        } else {
            let version = query["resourceVersion"].flatMap { Int($0) } ?? 0
            watch.accept()
            guard version >= compacted else {
                watch.append(FakeAPIServer.expired)
                return watch.finish(.finished)
            }
            for event in events
            where event.revision > version && event.collection == target.collection && target.contains(event.key) {
                watch.append(event.line)
            }
        }
        watches[ObjectIdentifier(watch)] = watch
    }

    func bookmark(ending: Bool = false) -> String {
        let annotations = ending ? #","annotations":{"k8s.io/initial-events-end":"true"}"# : ""
        return #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"\#(revision)"\#(annotations)}}}"#
    }
}

extension FakeAPIServer {
    static let expired =
        #"{"type":"ERROR","object":{"kind":"Status","message":"too old resource version","reason":"Expired","code":410}}"#

    static func line(_ type: String, _ object: JSONValue) -> String {
        let text = (try? JSONEncoder().encode(object)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        return #"{"type":"\#(type)","object":\#(text)}"#
    }
}

extension FakeAPIServer.Event {
    var line: String { FakeAPIServer.line(type, object) }
}

/// A watch whose lines the fake server appends.
final class FakeWatch: HTTPStream {
    private struct State {
        var head: HTTPHead?
        var headTaken = false
        var lines: [[UInt8]] = []
        var end: HTTPStreamEnd?
    }

    let target: FakeTarget
    private let onActivity: @Sendable () -> Void
    private let state = Locked(State())

    init(_ target: FakeTarget, _ onActivity: @escaping @Sendable () -> Void) {
        (self.target, self.onActivity) = (target, onActivity)
    }

    func accept() { change { $0.head = HTTPHead(status: 200) } }
    func append(_ line: String) { change { $0.lines.append(Array(line.utf8)) } }
    func finish(_ end: HTTPStreamEnd) { change { $0.end = $0.end ?? end } }

    func refuse(_ code: Int, _ reason: String, _ message: String, _ retryAfter: Int?) {
        let body = #"{"kind":"Status","code":\#(code),"reason":"\#(reason)","message":"\#(message)"}"#
        change { state in
            state.head = HTTPHead(status: code, headers: retryAfter.map { [HTTPHeader("Retry-After", "\($0)")] } ?? [])
            state.lines = [Array(body.utf8)]
            state.end = .finished
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock(body)
        onActivity()
    }

    func take() -> HTTPStreamPart {
        state.withLock { state in
            defer { (state.lines, state.headTaken) = ([], state.head != nil) }
            return HTTPStreamPart(head: state.headTaken ? nil : state.head, lines: state.lines, end: state.end)
        }
    }

    func cancel() { finish(.failed(TransportError(.cancelled, "cancelled"))) }
}

extension JSONValue {
    func withResourceVersion(_ revision: Int) -> JSONValue {
        guard case .object(var fields) = self, case .object(var metadata)? = fields["metadata"] else { return self }
        metadata["resourceVersion"] = .string(String(revision))
        if metadata["uid"] == nil { metadata["uid"] = .string("uid-\(metadata["name"]?.text ?? "")") }
        fields["metadata"] = .object(metadata)
        return .object(fields)
    }
}

extension Result<APIResponse, APIError> {
    static func body(_ value: JSONValue) -> Self {
        do {
            return .success(APIResponse(head: HTTPHead(status: 200), body: Array(try JSONEncoder().encode(value))))
        } catch {
            return .failure(.malformed("\(error)"))
        }
    }
}
