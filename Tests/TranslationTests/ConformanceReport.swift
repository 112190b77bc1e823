import EngineModel
import KubernetesAPI
import Primitives
import Translation

/// Statuses and traffic of a translation, to be asked by text.
struct ConformanceReport {
    private var facts: [String: [String]] = [:]
    private let configuration: EngineConfiguration

    init(_ result: TranslationResult, _ report: StatusReport) {
        configuration = result.configuration
        for (key, status) in report.gatewayClasses { facts["GatewayClass \(key)"] = status.conditions.map(text) }
        for (key, status) in report.gateways { add(status, "Gateway \(key)") }
        for (key, status) in report.listenerSets {
            facts["ListenerSet \(key)"] = status.conditions.map(text)
            add(status.listeners, "ListenerSet \(key)")
        }
        for (kind, routes) in [("TCPRoute", report.tcpRoutes), ("TLSRoute", report.tlsRoutes)] {
            for (key, status) in routes {
                facts["\(kind) \(key)"] = ["parents=\(status.parents.count)"]
                for parent in status.parents {
                    facts["\(kind) \(key) parent \(parentText(parent.parentRef))"] = parent.conditions.map(text)
                }
            }
        }
        for (key, status) in report.backendTLSPolicies {
            for ancestor in status.ancestors {
                let name = "BackendTLSPolicy \(key) ancestor \(parentText(ancestor.ancestorRef))"
                facts[name] = ancestor.conditions.map(text)
            }
        }
    }

    /// What is known of a subject: conditions and counts of an object, or `Traffic to GATEWAY:PORT [for NAME]`.
    subscript(_ subject: String) -> [String]? {
        let words = subject.split(separator: " ").map(String.init)
        guard words.count >= 3, words[0] == "Traffic" else { return facts[subject] }
        return [traffic(to: words[2], for: words.count == 5 ? words[4] : nil)]
    }

    private mutating func add(_ status: GatewayStatus, _ name: String) {
        facts[name] =
            status.conditions.map(text) + [
                "listenerSets=\(status.attachedListenerSets ?? 0)",
                "addresses=\((status.addresses ?? []).map(\.value).joined(separator: ","))",
            ]
        add(status.listeners, name)
    }

    private mutating func add(_ listeners: [ListenerStatus], _ owner: String) {
        for listener in listeners {
            let kinds = (listener.supportedKinds ?? []).map(\.kind).joined(separator: ",")
            facts["\(owner) listener \(listener.name)"] =
                listener.conditions.map(text) + ["routes=\(listener.attachedRoutes)", "kinds=\(kinds)"]
        }
    }

    private func text(_ condition: Condition) -> String {
        let generation = condition.observedGeneration.map { " @\($0)" } ?? ""
        return "\(condition.type.rawValue)=\(condition.status.rawValue) \(condition.reason.rawValue)\(generation)"
    }
}

func parentText(_ reference: ParentReference) -> String {
    var text = reference.namespace.map { "\($0)/\(reference.name)" } ?? reference.name
    if reference.kind == "ListenerSet" { text = "ListenerSet \(text)" }
    if let section = reference.sectionName { text += " section \(section)" }
    if let port = reference.port { text += " port \(port)" }
    return text
}

extension ConformanceReport {
    /// Where the engine takes a connection, by the rules that EngineModel writes down.
    private func traffic(to place: String, for name: String?) -> String {
        let listeners = configuration.listeners.filter {
            "\($0.id.gatewayNamespace)/\($0.id.gateway):\($0.port)" == place
        }
        guard let first = listeners.first else { return "not bound" }
        if case .tcp(let route) = first.traffic { return describe(route) }
        let tls = listeners.compactMap { listener -> TLSListener? in
            if case .tls(let tls) = listener.traffic { tls } else { nil }
        }
        guard let listener = best(tls, for: name, { $0.hostname }) else { return "refused" }
        let route = best(listener.routes, for: name, { $0.hostname })?.route ?? listener.fallback
        var text = describe(route)
        if case .terminate(let termination) = listener.mode, let clients = termination.clientValidation {
            let trust = clients.trust.flatMap(\.subjects).joined(separator: ", ")
            text += clients.mode == .validOnly ? ", demanding a certificate of " : ", asking for a certificate of "
            text += trust
        }
        return text
    }

    /// Exact before the longest wildcard before none.
    private func best<Value>(_ values: [Value], for name: String?, _ hostname: (Value) -> HostnamePattern?) -> Value? {
        func rank(_ value: Value) -> Int? {
            guard let pattern = hostname(value) else { return 0 }
            guard let name, let own = HostnamePattern(name), pattern.intersection(own) == own else { return nil }
            return pattern == own ? .max : pattern.description.utf8.count
        }
        return values.compactMap { value in rank(value).map { (value, $0) } }.max { $0.1 < $1.1 }?.0
    }

    private func describe(_ route: RouteConfiguration?) -> String {
        guard let route else { return "refused" }
        let parts = route.backends.map { backend in
            let target: String =
                switch backend.target {
                case .invalid: "refused"
                case .backend(let id): describe(id)
                }
            return route.backends.count == 1 ? target : "\(backend.weight) \(target)"
        }
        return parts.joined(separator: ", ")
    }

    private func describe(_ id: BackendID) -> String {
        guard let backend = configuration.backends.first(where: { $0.id == id }) else { return "\(id) unknown" }
        guard let tls = backend.tls else { return "\(id)" }
        if tls.trust == .unusable { return "\(id) with TLS that always fails" }
        let names = tls.subjectAltNames.map { name in
            switch name {
            case .hostname(let hostname): "DNS \(hostname)"
            case .uri(let uri): "URI \(uri)"
            }
        }
        let verifying = names.isEmpty ? "" : ", verifying " + names.joined(separator: " or ")
        let showing = tls.clientCertificate.map { ", showing \($0.material.fingerprint.dropFirst("FAKE:".count))" }
        return "\(id) with TLS as \(tls.hostname)\(verifying)\(showing ?? "")"
    }
}
