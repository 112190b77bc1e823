internal import EngineModel
internal import Primitives
internal import Translation

extension Tracer {
    /// What a connection would find at a backend.
    private struct Prospect {
        /// Nil: an endpoint that can be used, or one that is waited for.
        var refusal: CloseReason?
        var detail = ""
        var endpoints: [EndpointNode] = []
    }

    /// The rule's backends with their shares, and the endpoints behind them.
    mutating func backends(_ route: RouteConfiguration) {
        let known = Dictionary(inspected.configuration.backends.map { ($0.id, $0) }) { first, _ in first }
        let prospects = route.backends.map { weighted -> Prospect in
            guard case .backend(let id) = weighted.target, let backend = known[id] else {
                return Prospect(refusal: .invalidBackend)
            }
            return prospect(backend)
        }
        let tier = tier(route.backends, prospects)
        let sum = tier.reduce(0) { $0 + route.backends[$1].weight }
        guard sum > 0 else { return refuse("\(route.id)", .invalidBackend, "no backend has a weight", depth: 2) }
        var refusals: [CloseReason] = []
        for index in tier where route.backends[index].weight > 0 {
            let weighted = route.backends[index]
            let percent = Double(weighted.weight) * 100 / Double(sum)
            let name =
                if case .backend(let id) = weighted.target { "\(id)" } else { "a backendRef that does not resolve" }
            answer.backends.append(.init(backend: name, percent: percent))
            let share = percent == 100 ? "" : "\(Int(percent.rounded())) % of connections"
            if let refusal = prospects[index].refusal {
                refusals.append(refusal)
                note(name, refusal, [share, prospects[index].detail].filter { !$0.isEmpty }.joined(separator: ", "))
            } else {
                let count = prospects[index].endpoints.count { $0.isUsable }
                good(
                    name,
                    [share, "\(count) endpoint\(count == 1 ? "" : "s") can be used"].filter { !$0.isEmpty }
                        .joined(separator: ", "), depth: 2)
            }
            for endpoint in prospects[index].endpoints where !answer.endpoints.contains(endpoint) {
                answer.endpoints.append(endpoint)
            }
        }
        // Refused for certain only where every share is.
        answer.refusal = refusals.count == answer.backends.count ? refusals.first?.rawValue : nil
    }

    private mutating func note(_ object: String, _ reason: CloseReason, _ detail: String) {
        refuse(object, reason, detail, depth: 2)
    }

    /// Fallbacks serve while nobody else can, and they can.
    private func tier(_ backends: [RouteConfiguration.WeightedBackend], _ prospects: [Prospect]) -> [Int] {
        let all = Array(backends.indices)
        guard backends.contains(where: \.isFallback), !backends.allSatisfy(\.isFallback) else { return all }
        func serves(_ index: Int) -> Bool { backends[index].weight > 0 && prospects[index].refusal == nil }
        let first = all.filter { !backends[$0].isFallback }
        let second = all.filter { backends[$0].isFallback }
        return !first.contains(where: serves) && second.contains(where: serves) ? second : first
    }

    private func prospect(_ backend: BackendConfiguration) -> Prospect {
        var id = backend.id
        id.variant = ""
        let report = inspected.health[id]
        let states = Dictionary((report?.endpoints ?? []).map { ($0.address, $0) }) { first, _ in first }
        let active = backend.settings.health.active
        let named = backend.endpoints.contains { $0.address.isName }
        var nodes = backend.endpoints.filter { $0.weight > 0 }.map { endpoint in
            node("\(endpoint.address)", zone: endpoint.zone, states["\(endpoint.address)"], active)
        }
        if named, !states.isEmpty {
            nodes = states.keys.sorted().map { node($0, zone: nil, states[$0], active) }
        }
        var prospect = Prospect(endpoints: nodes)
        if named, let problem = inspected.acknowledgement?.unresolved[id],
            !nodes.contains(where: \.isUsable) || states.isEmpty
        {
            (prospect.refusal, prospect.detail) = (.dnsError, problem)
        } else if nodes.isEmpty {
            prospect.refusal = .noEndpoints
        } else if backend.tls?.trust == .unusable {
            (prospect.refusal, prospect.detail) = (.backendTLSError, "its policies cannot be used")
        } else if backend.settings.health.panicThreshold == 0,
            !nodes.contains(where: { $0.isUsable || $0.state == "unchecked" })
        {
            prospect.refusal = .noHealthyEndpoint
            prospect.detail = Set(nodes.compactMap(\.failure)).sorted().prefix(3).joined(separator: "; ")
        }
        return prospect
    }

    private func node(
        _ address: String, zone: String?, _ report: EndpointHealthReport?, _ active: ActiveHealthCheck?
    ) -> EndpointNode {
        var state = report?.state.rawValue ?? (active == nil ? "serving" : "unchecked")
        if state == "unchecked", active == nil { state = "serving" }
        var node = EndpointNode(address: address, zone: zone, state: state)
        node.failure = report?.lastCheck?.failure
        node.checkedAt = report?.lastCheck?.time
        return node
    }
}

extension EndpointNode {
    /// Whether connections are sent to it now.
    fileprivate var isUsable: Bool { state == "healthy" || state == "serving" }
}
