internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension Explainer {
    /// How many routes of a listener are told one by one where nothing is wrong with them.
    private static let mostRoutes = 50

    /// From a Gateway to the endpoints, as far as they are in focus.
    mutating func chain(_ key: ObjectKey, _ focus: Focus, field: String? = nil) {
        guard gateway(key, field: field) else { return }
        for listener in listeners(of: key) where focus.listeners?.contains(listener.id) ?? true {
            let isServed = self.listener(listener)
            policies(of: listener)
            let served = listener.served
            var good = 0
            for route in routes(naming: listener) where focus.routes?.contains(route.title) ?? true {
                let parents = route.parents(listener)
                guard !parents.isEmpty else { continue }
                let before = links.count
                self.route(route, parents, at: listener, served[route.title] ?? [], focus, isServed: isServed)
                guard focus.routes == nil, links[before...].allSatisfy({ $0.verdict == .good }) else { continue }
                good += 1
                if good > Explainer.mostRoutes { links.removeSubrange(before...) }
            }
            if good > Explainer.mostRoutes {
                let more = good - Explainer.mostRoutes
                self.good(listener.title, "and \(more) more routes with which nothing is wrong", depth: 2)
            }
            if isServed, !listener.hasRoute, focus.routes == nil {
                note(.broken, listener.title, listener.refusal, "nothing is attached", depth: 2)
            }
        }
    }

    /// One route at one listener, with all that follows.
    private mutating func route(
        _ route: RouteFacts, _ parents: [(index: Int, conditions: [Condition])], at listener: ListenerFacts,
        _ served: [ListenerFacts.Served], _ focus: Focus, isServed: Bool
    ) {
        let before = links.count
        for (index, conditions) in parents {
            for condition in conditions where condition.type != .resolvedRefs {
                attachment(condition, route, index, listener, isServing: !served.isEmpty)
            }
        }
        if links.count == before, !served.isEmpty {
            let names = served.compactMap(\.hostname)
            good(
                route.title, names.isEmpty ? "attached" : "attached, takes \(names.joined(separator: ", "))", depth: 2)
        } else if links.count == before, isServed {
            note(.broken, route.title, listener.refusal, "the route is not attached", depth: 2)
        }
        guard let configuration = served.first?.configuration else {
            if isServed || focus.backends != nil { unresolved(route, focus) }
            return
        }
        policies(of: route, at: listener, configuration)
        refusals(route, at: listener)
        backends(of: route, configuration, focus)
    }

    private mutating func attachment(
        _ condition: Condition, _ route: RouteFacts, _ index: Int, _ listener: ListenerFacts, isServing: Bool
    ) {
        let field = "spec.parentRefs[\(index)]"
        switch condition.type {
        case .accepted where condition.status == .false:
            let (part, advice) = mending(condition)
            note(
                .broken, route.title, condition, listener.hasRoute && !listener.isTLS ? nil : listener.refusal,
                field: part ?? field, advice: advice, depth: 2)
        case .superseded where condition.status == .true:
            note(
                isServing ? .warning : .broken, route.title, condition, field: field,
                advice: "attach the route to another listener, or delete the other route", depth: 2)
        case .accepted where !condition.message.isEmpty:
            links.append(Link(.warning, object: route.title, field: field, message: condition.message, depth: 2))
        default:
            guard let verdict = condition.trouble else { return }
            note(verdict, route.title, condition, field: field, depth: 2)
        }
    }

    /// The field that decides, where it is not the parentRef, and what to do.
    private func mending(_ condition: Condition) -> (field: String?, advice: String?) {
        switch condition.reason {
        case .noMatchingListenerHostname:
            ("spec.hostnames", "give the route a hostname that falls under the listener's, or widen the listener's")
        case .notAllowedByListeners:
            (nil, "let allowedRoutes of the listener admit the route's kind and namespace")
        case .noMatchingParent: (nil, "compare sectionName and port of the parentRef with the Gateway's listeners")
        case .unsupportedValue: ("spec.rules", nil)
        default: (nil, nil)
        }
    }

    /// What became of connections that the route could not serve.
    private mutating func refusals(_ route: RouteFacts, at listener: ListenerFacts) {
        let id = RouteID(kind: route.kind, namespace: route.key.namespace, name: route.key.name)
        let use = TrafficReport.RouteUse(listener: listener.id, route: id)
        refusals(routeTraffic[use]?.closed ?? [:], .route(use), route.title, depth: 3)
    }
}
