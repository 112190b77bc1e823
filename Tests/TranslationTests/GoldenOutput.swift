import EngineModel
import KubernetesAPI
import Primitives
import Translation
import YAML

/// A result as text for people: what is served, what is said about each object.
func goldenText(_ result: TranslationResult, _ statuses: StatusReport) throws -> String {
    try YAMLEncoder().text(Golden(result, statuses))
}

private struct Golden: Encodable {
    let listeners: [Listener]
    let backends: [BackendShape]
    let services: [ServiceShape]?
    let staleServices: [String]?
    let reconsiderAt: Int64?
    let statuses: Statuses
    let notices: [String]?

    init(_ result: TranslationResult, _ statuses: StatusReport) {
        listeners = result.configuration.listeners.map(Listener.init)
        backends = result.configuration.backends.map(BackendShape.init)
        let infrastructure = result.infrastructure
        services = infrastructure.services.isEmpty ? nil : infrastructure.services.map(ServiceShape.init)
        staleServices = infrastructure.staleServices.isEmpty ? nil : infrastructure.staleServices.map(\.description)
        reconsiderAt = result.reconsiderAt
        self.statuses = Statuses(statuses)
        notices = result.notices.isEmpty ? nil : result.notices.map(\.description)
    }
}

private struct Listener: Encodable {
    let id: String
    /// Where it is not the bound one.
    let port: UInt16?
    let drain: String?
    /// Of those without a route, where it is not a JSON line at each end.
    let accessLog: String?
    let endpointMetrics: Bool?
    let bind: [String]
    let mode: String
    let hostname: String?
    let certificates: [String]?
    let alpn: [String]?
    let clients: String?
    /// Levels of limits, the widest first.
    let limits: [String]?
    let routes: [String: Route]?
    let otherwise: Route?

    init(_ listener: ListenerConfiguration) {
        id = listener.id.description
        port = listener.bindings.allSatisfy { $0.port == listener.port } ? nil : listener.port
        drain = listener.settings.routeDrainTimeout?.description
        bind = listener.bindings.map(\.description)
        accessLog = describe(listener.settings.accessLog, listener.settings.accessLogFormat)
        endpointMetrics = listener.settings.hasEndpointMetrics ? true : nil
        limits = describe(listener.limits)
        switch listener.traffic {
        case .tcp(let route):
            (mode, hostname, certificates, alpn, clients, routes) = ("TCP", nil, nil, nil, nil, nil)
            otherwise = route.map(Route.init)
        case .tls(let tls):
            hostname = tls.hostname?.description
            routes = Dictionary(uniqueKeysWithValues: tls.routes.map { ($0.hostname.description, Route($0.route)) })
            otherwise = tls.fallback.map(Route.init)
            switch tls.mode {
            case .passthrough: (mode, certificates, alpn, clients) = ("Passthrough", nil, nil, nil)
            case .terminate(let termination):
                mode = "Terminate"
                certificates = termination.certificates.map(\.material.fingerprint)
                alpn = termination.alpnProtocols
                clients = termination.clientValidation.map { validation in
                    let trust = validation.trust.map(\.material.fingerprint).joined(separator: ", ")
                    return "\(validation.mode) of \(trust)"
                }
            }
        }
    }
}

private struct Route: Encodable {
    let route: String
    let backends: [String]
    let alpn: [String]?
    let limits: [String]?
    let accessLog: String?

    init(_ route: RouteConfiguration) {
        self.route = route.id.description + (route.id.rule == 0 ? "" : " rule \(route.id.rule)")
        backends = route.backends.map { backend in
            switch backend.target {
            case .backend(let id): "\(backend.weight) to \(describe(id))" + (backend.isFallback ? ", fallback" : "")
            case .invalid: "\(backend.weight) refused"
            }
        }
        alpn = route.alpnProtocols.isEmpty ? nil : route.alpnProtocols
        limits = describe(route.limits)
        accessLog = describe(route.settings.accessLog, .json)
    }
}

/// Whose they are, and what they speak of.
private func describe(_ limits: [ClientLimits]) -> [String]? {
    guard !limits.isEmpty else { return nil }
    return limits.map { limit in
        let isClosed = limit.authorization == Authorization(rules: [], allowsByDefault: false)
        let parts = [
            isClosed ? "nobody" : limit.authorization.map { "\($0.rules.count) rules, else \($0.allowsByDefault)" },
            limit.connections.map { "\($0.value.map(String.init) ?? "any number of") connections" },
            limit.connectionRate.map { _ in "a rate" }, limit.bandwidth.map { _ in "a bandwidth" },
        ].compactMap { $0 }
        return "\(limit.id): \(parts.joined(separator: ", "))"
    }
}

private func describe(_ settings: AccessLogSettings, _ format: AccessLogFormat) -> String? {
    guard settings != AccessLogSettings() || format != .json else { return nil }
    let events = [
        settings.opens ? "opens" : nil, settings.interval.map { "each \($0)" }, settings.closes.map { "\($0) closes" },
    ].compactMap { $0 }
    let name =
        switch format {
        case .json: "JSON"
        case .haproxyTCP: "HAProxyTCP"
        case .text(let template): "Text of \(template.pieces.count) pieces"
        }
    return (events.isEmpty ? "nothing" : events.joined(separator: ", ")) + ", " + name
}

func describe(_ id: BackendID) -> String {
    id.variant.isEmpty ? id.description : "\(id.description) (\(id.variant))"
}

private struct Statuses: Encodable {
    let gatewayClasses: [String: GatewayClassShape]?
    let gateways: [String: GatewayShape]?
    let listenerSets: [String: GatewayShape]?
    let tcpRoutes: [String: [Parent]]?
    let tlsRoutes: [String: [Parent]]?
    let backendTLSPolicies: [String: [Parent]]?
    let clientPolicies: [String: [Parent]]?
    let backendPolicies: [String: [Parent]]?
    let backends: [String: [String]]?
    let gatewayParameters: [String: [String]]?

    init(_ report: StatusReport) {
        func shaped<Value, Shape>(_ table: [ObjectKey: Value], _ shape: (Value) -> Shape) -> [String: Shape]? {
            table.isEmpty ? nil : Dictionary(uniqueKeysWithValues: table.map { ($0.key.description, shape($0.value)) })
        }
        gatewayClasses = shaped(report.gatewayClasses) { GatewayClassShape($0) }
        gateways = shaped(report.gateways, GatewayShape.init)
        listenerSets = shaped(report.listenerSets, GatewayShape.init)
        tcpRoutes = shaped(report.tcpRoutes) { $0.parents.map { Parent($0.parentRef, $0.conditions) } }
        tlsRoutes = shaped(report.tlsRoutes) { $0.parents.map { Parent($0.parentRef, $0.conditions) } }
        backendPolicies = shaped(report.backendPolicies) { $0.ancestors.map { Parent($0.ancestorRef, $0.conditions) } }
        backendTLSPolicies = shaped(report.backendTLSPolicies) {
            $0.ancestors.map { Parent($0.ancestorRef, $0.conditions) }
        }
        clientPolicies = shaped(report.clientPolicies) { $0.ancestors.map { Parent($0.ancestorRef, $0.conditions) } }
        backends = shaped(report.backends) { $0.conditions.map(describe) }
        gatewayParameters = shaped(report.gatewayParameters) { $0.conditions.map(describe) }
    }
}

private struct GatewayClassShape: Encodable {
    let conditions: [String]
    let features: [String]?

    init(_ status: GatewayClassStatus) {
        conditions = status.conditions.map(describe)
        features = status.supportedFeatures?.map(\.name)
    }
}

private struct GatewayShape: Encodable {
    let addresses: [String]?
    let listenerSets: Int?
    let conditions: [String]
    let listeners: [ListenerShape]

    struct ListenerShape: Encodable {
        let name: String
        let kinds: [String]
        let routes: Int
        let conditions: [String]

        init(_ status: ListenerStatus) {
            name = status.name
            kinds = (status.supportedKinds ?? []).map(\.kind)
            routes = status.attachedRoutes
            conditions = status.conditions.map(describe)
        }
    }

    init(_ status: GatewayStatus) {
        addresses = status.addresses.map { $0.map { "\($0.type ?? "none") \($0.value)" } }
        listenerSets = status.attachedListenerSets
        conditions = status.conditions.map(describe)
        listeners = status.listeners.map(ListenerShape.init)
    }

    init(_ status: ListenerSetStatus) {
        (addresses, listenerSets) = (nil, nil)
        conditions = status.conditions.map(describe)
        listeners = status.listeners.map(ListenerShape.init)
    }
}

private struct Parent: Encodable {
    let parent: String
    let conditions: [String]

    init(_ reference: ParentReference, _ conditions: [Condition]) {
        parent = parentText(reference)
        self.conditions = conditions.map(describe)
    }
}

private func describe(_ condition: Condition) -> String {
    let generation = condition.observedGeneration.map { " @\($0)" } ?? ""
    let message = condition.message.isEmpty ? "" : " - \(condition.message)"
    return "\(condition.type.rawValue)=\(condition.status.rawValue) \(condition.reason.rawValue)\(generation)\(message)"
}
