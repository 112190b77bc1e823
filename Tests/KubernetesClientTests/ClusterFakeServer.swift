import FoundationEssentials
import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform

/// An API server in memory, without HTTP: lists in pages, watches with bookmarks and streaming lists, discovery, field
/// selectors, compaction; and faults on demand. Safe to use from any thread.
final class FakeAPIServer: APIServer {
    enum Fault: Sendable {
        case status(Int, reason: String = "", message: String = "on demand", retryAfter: Int? = nil)
        case transport(TransportError.Kind)
        /// Never an answer.
        case silence
    }

    struct Event {
        var revision: Int
        var collection: String
        var type: String
        var key: ObjectKey
        var object: JSONValue
    }

    struct State {
        var revision = 100
        var compacted = 0
        /// By `plural.group`, such as `tcproutes.gateway.networking.k8s.io` or `secrets.`.
        var objects: [String: [ObjectKey: JSONValue]] = [:]
        var served: [String: [String]] = [:]
        var events: [Event] = []
        var watches: [ObjectIdentifier: FakeWatch] = [:]
        var requests: [APIRequest] = []
        var freshStreams = 0
        var hasStreamingLists = true
        var hasAggregatedDiscovery = true
        var pageSize: Int?
        var fault: (@Sendable (APIRequest) -> Fault?)?
    }

    let state = Locked(State())

    init(served: [String: [String]] = FakeAPIServer.standard) { state.withLock { $0.served = served } }

    /// What a cluster with Gateway API v1.6 and our CRDs has.
    static let standard: [String: [String]] = {
        var served: [String: [String]] = [:]
        for plural in ["gatewayclasses", "gateways", "referencegrants"] {
            served["\(plural).gateway.networking.k8s.io"] = ["v1", "v1beta1"]
        }
        for plural in ["listenersets", "tcproutes", "tlsroutes", "backendtlspolicies"] {
            served["\(plural).gateway.networking.k8s.io"] = ["v1"]
        }
        for plural in ["backends", "backendpolicies", "clientpolicies", "gatewayparameters"] {
            served["\(plural).sluice.dev"] = ["v1alpha1"]
        }
        for plural in ["namespaces", "services", "secrets", "configmaps", "nodes"] { served["\(plural)."] = ["v1"] }
        served["endpointslices.discovery.k8s.io"] = ["v1"]
        served["customresourcedefinitions.apiextensions.k8s.io"] = ["v1"]
        return served
    }()

    // MARK: Content

    /// Creates or replaces an object given as JSON; its resourceVersion is set.
    func put(_ collection: String, _ json: String) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)) else { return }
        let key = FakeAPIServer.key(of: value)
        let wakes = state.withLock { state in
            let type = state.objects[collection]?[key] == nil ? "ADDED" : "MODIFIED"
            return state.record(collection, type, key, value)
        }
        for wake in wakes { wake() }
    }

    func delete(_ collection: String, _ namespace: String, _ name: String) {
        let key = ObjectKey(namespace: namespace, name: name)
        let wakes = state.withLock { state in
            guard let old = state.objects[collection]?[key] else { return [@Sendable () -> Void]() }
            return state.record(collection, "DELETED", key, old)
        }
        for wake in wakes { wake() }
    }

    /// Forgets the past: older versions are answered with 410.
    func compact() {
        state.withLock { state in
            state.revision += 1
            state.compacted = state.revision
            state.events = []
        }
    }

    /// Ends every watch.
    func closeWatches(_ end: HTTPStreamEnd = .finished) {
        let watches = state.withLock { state in
            defer { state.watches = [:] }
            return Array(state.watches.values)
        }
        for watch in watches { watch.finish(end) }
    }

    /// Sends a line to every watch of a collection.
    func say(_ line: String, to collection: String) {
        let watches = state.withLock { state in
            state.watches.values.filter { $0.target.collection == collection }
        }
        for watch in watches { watch.append(line) }
    }

    func requests(_ collection: String) -> [APIRequest] {
        state.withLock { $0.requests }.filter { FakeTarget($0)?.collection == collection }
    }

    func setFault(_ fault: (@Sendable (APIRequest) -> Fault?)?) { state.withLock { $0.fault = fault } }

    static func key(of value: JSONValue) -> ObjectKey {
        ObjectKey(
            namespace: value["metadata"]?["namespace"]?.text ?? "", name: value["metadata"]?["name"]?.text ?? "")
    }

    // MARK: APIServer

    func send(
        _ request: APIRequest, lane: Lane, completion: @escaping @Sendable (Result<APIResponse, APIError>) -> Void
    ) {
        let fault = state.withLock { state in
            state.requests.append(request)
            return state.fault?(request)
        }
        switch fault {
        case .status(let code, let reason, let message, let retryAfter):
            completion(.failure(.status(Self.status(code, reason, message, retryAfter))))
        case .transport(let kind): completion(.failure(.transport(TransportError(kind, "on demand"))))
        case .silence: break
        case nil: completion(state.withLock { $0.answer(request) })
        }
    }

    func stream(_ request: APIRequest, isFresh: Bool, onActivity: @escaping @Sendable () -> Void) -> any HTTPStream {
        let watch = FakeWatch(FakeTarget(request) ?? FakeTarget(), onActivity)
        let fault = state.withLock { state in
            state.requests.append(request)
            if isFresh { state.freshStreams += 1 }
            return state.fault?(request)
        }
        switch fault {
        case .status(let code, let reason, let message, let retryAfter):
            watch.refuse(code, reason, message, retryAfter)
        case .transport(let kind): watch.finish(.failed(TransportError(kind, "on demand")))
        case .silence: break
        case nil: state.withLock { $0.begin(watch, request) }
        }
        return watch
    }

    static func status(_ code: Int, _ reason: String, _ message: String, _ retryAfter: Int? = nil) -> APIStatus {
        APIStatus(code: code, reason: reason, message: message, retryAfter: retryAfter.map { .seconds($0) })
    }
}

/// What a request is about.
struct FakeTarget {
    var group = ""
    var version = ""
    var plural = ""
    var namespace: String?
    var name: String?
    var collection: String { "\(plural).\(group)" }

    init() {}

    init?(_ request: APIRequest) {
        var parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 3 else { return nil }
        if parts.removeFirst() == "apis" { group = parts.removeFirst() }
        version = parts.removeFirst()
        if parts.count == 3, parts[0] == "namespaces" { (namespace, parts) = (parts[1], [parts[2]]) }
        guard parts.count == 1 else { return nil }
        plural = parts[0]
        let selector = request.query.first { $0.name == "fieldSelector" }?.value
        name = selector.map { String($0.dropFirst("metadata.name=".count)) }
    }

    func contains(_ key: ObjectKey) -> Bool {
        (namespace.map { $0 == key.namespace } ?? true) && (name.map { $0 == key.name } ?? true)
    }
}
