internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

/// Walks from Gateways to endpoints and notes what it finds. A value of one use.
struct Explainer {
    typealias Link = Explanation.Link

    let inspected: Inspected
    let routes: [RouteFacts]
    var links: [Link] = []
    var values: [Explanation.EffectiveValue] = []
    /// Backends that were explained: the next time one line is enough.
    var explained: Set<BackendID> = []
    /// Where policies of the route in hand can be attached.
    var routePoints: [PolicyPoint] = []
    let allPolicies: [PolicyFacts]
    /// Indices of ``allPolicies`` by what they are attached to.
    private let policiesAt: [PolicyPoint: [Int]]
    /// Indices of ``routes`` by what a parentRef names, kind and key.
    private let routesAt: [PolicyPoint: [Int]]
    let backends: [BackendID: BackendConfiguration]
    /// EndpointSlices by their Service.
    lazy var slices: [ObjectKey: [EndpointSlice]] = Dictionary(
        grouping: inspected.snapshot.endpointSlices.sorted { $0.key < $1.key }.map(\.value)
    ) { slice in
        let name = slice.metadata.labels?[EndpointSlice.serviceNameLabel] ?? ""
        return ObjectKey(namespace: slice.metadata.effectiveNamespace, name: name)
    }
    /// Without the route's rule.
    let routeTraffic: [TrafficReport.RouteUse: RouteTraffic]
    let configurations: [ListenerID: ListenerConfiguration]

    init(_ inspected: Inspected) {
        self.inspected = inspected
        routes = RouteFacts.all(inspected)
        allPolicies = PolicyFacts.all(inspected)
        configurations = Dictionary(inspected.configuration.listeners.map { ($0.id, $0) }) { first, _ in first }
        backends = Dictionary(inspected.configuration.backends.map { ($0.id, $0) }) { first, _ in first }
        policiesAt = allPolicies.enumerated().reduce(into: [:]) { places, policy in
            for point in Set(policy.element.targets) { places[point, default: []].append(policy.offset) }
        }
        routesAt = routes.enumerated().reduce(into: [:]) { places, route in
            let parents = route.element.parentRefs.map {
                PolicyPoint($0.effectiveKind, $0.key(from: route.element.key.namespace))
            }
            for point in Set(parents) { places[point, default: []].append(route.offset) }
        }
        routeTraffic = inspected.traffic.routes.reduce(into: [:]) { all, entry in
            var use = entry.key
            use.route.rule = 0
            all[use, default: RouteTraffic()].closed.merge(entry.value.closed) { $0 + $1 }
        }
    }

    /// The policies that are attached to one of the points, the older ones first.
    func policies(at points: [PolicyPoint]) -> [PolicyFacts] {
        Set(points.flatMap { policiesAt[$0] ?? [] }).sorted().map { allPolicies[$0] }
    }

    /// The routes that may name a listener, by kind and key.
    func routes(naming listener: ListenerFacts) -> [RouteFacts] {
        let owner = listener.set.map { PolicyPoint(ListenerSet.resourceKind.kind, $0) }
        return (routesAt[owner ?? PolicyPoint(Gateway.resourceKind.kind, listener.gateway)] ?? []).map { routes[$0] }
    }

    /// What of a Gateway's chain is of interest; nil: all.
    struct Focus {
        var listeners: Set<ListenerID>?
        /// Titles.
        var routes: Set<String>?
        /// Such as `Service infra/redis`.
        var backends: Set<String>?
    }

    var snapshot: ClusterSnapshot { inspected.snapshot }

    // MARK: Links

    mutating func good(_ object: String, _ message: String, field: String? = nil, depth: Int) {
        links.append(Link(.good, object: object, field: field, message: message, depth: depth))
    }

    /// What a reason says, with what is known besides.
    mutating func note(
        _ verdict: Link.Verdict, _ object: String, _ reason: CloseReason, _ detail: String = "", field: String? = nil,
        depth: Int
    ) {
        let cause = Cause.of(reason)
        let message = [cause?.meaning ?? reason.rawValue, detail].filter { !$0.isEmpty }.joined(separator: ": ")
        links.append(
            Link(
                verdict, object: object, field: field, cause: reason.rawValue, message: message, advice: cause?.advice,
                depth: depth))
    }

    /// What a condition says. `reason`: what connections are refused with on its account; nil: they do not come so far.
    mutating func note(
        _ verdict: Link.Verdict, _ object: String, _ condition: Condition, _ reason: CloseReason? = nil,
        field: String? = nil, advice: String? = nil, depth: Int
    ) {
        links.append(
            Link(
                verdict, object: object, field: field, cause: reason?.rawValue ?? condition.reason.rawValue,
                message: condition.sentence, advice: advice ?? reason.flatMap { Cause.of($0)?.advice }, depth: depth))
    }

    /// An object that there is not, with the nearest of those that there are.
    mutating func missing(
        _ kind: String, _ key: ObjectKey, among keys: some Sequence<ObjectKey>, field: String? = nil, depth: Int
    ) {
        let others = Array(keys)
        let same = others.filter { $0.namespace == key.namespace }.map(\.name)
        let elsewhere = others.filter { $0.name == key.name }.sorted().prefix(3).map(\.description)
        let near = nearestMatch(to: key.name, among: same.sorted()).map { name in
            ["\(ObjectKey(namespace: key.namespace, name: name))"]
        }
        let found = near ?? elsewhere
        let known = others.sorted().prefix(5).map(\.description)
        let advice =
            !found.isEmpty
            ? "did you mean \(found.joined(separator: ", "))?"
            : known.isEmpty ? "there is no \(kind) at all" : "there are: \(known.joined(separator: ", "))"
        links.append(
            Link(
                .broken, object: "\(kind) \(key)", field: field, message: "\(kind) \(key) does not exist",
                advice: advice, depth: depth))
    }
}

extension Condition {
    /// Such as `Accepted is False (ProtocolConflict): port 9000 is wanted by listener b (TCP) too`.
    var sentence: String {
        "\(type.rawValue) is \(status.rawValue) (\(reason.rawValue))" + (message.isEmpty ? "" : ": \(message)")
    }

    /// How bad it is for traffic; nil: it is as it should be.
    var trouble: Explanation.Link.Verdict? {
        switch (type, status) {
        case (.accepted, .false), (.programmed, .false), (.conflicted, .true): reason == .overridden ? nil : .broken
        case (.resolvedRefs, .false), (.warning, .true), (.partiallyInvalid, .true), (.overlappingTLSConfig, .true),
            (.supportedVersion, .false), (.clientPolicyAffected, .false), (.backendPolicyAffected, .false):
            .warning
        case (.accepted, .true): reason == .listenersNotValid ? .warning : nil
        case (.programmed, .unknown): nil
        default: nil
        }
    }
}

extension [Condition] {
    subscript(_ type: Condition.ConditionType) -> Condition? { first { $0.type == type } }
}
