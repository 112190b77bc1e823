internal import EngineCore
internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension TraceAnswer {
    /// What a connection would meet, step by step, up to the endpoints it would be sent to or what it would be refused with.
    /// Pure: what only a real connection shows (certificates, counts in the meantime) is said to be open.
    public static func of(_ question: TraceQuestion, in inspected: Inspected) -> TraceAnswer {
        var tracer = Tracer(question, inspected)
        tracer.run()
        return tracer.answer
    }
}

/// Goes the way of a connection through the configuration.
struct Tracer {
    let question: TraceQuestion
    let inspected: Inspected
    var answer = TraceAnswer()

    init(_ question: TraceQuestion, _ inspected: Inspected) { (self.question, self.inspected) = (question, inspected) }

    mutating func run() {
        guard let listener = listen() else { return }
        answer.listener = listener.id.description
        guard proxyHeader(listener), passes(listener.limits, "listener \(listener.id)", listener, depth: 1) else {
            return
        }
        guard let route = route(listener) else { return }
        answer.route = route.id.description
        guard passes(route.limits, "\(route.id)", listener, depth: 2), handshake(listener, route) else { return }
        backends(route)
    }

    // MARK: Notes

    mutating func good(_ object: String, _ message: String, depth: Int) {
        answer.links.append(.init(.good, object: object, message: message, depth: depth))
    }

    mutating func open(_ object: String, _ message: String, advice: String? = nil, depth: Int) {
        answer.links.append(.init(.warning, object: object, message: message, advice: advice, depth: depth))
    }

    mutating func refuse(_ object: String, _ reason: CloseReason, _ detail: String = "", depth: Int) {
        answer.refusal = answer.refusal ?? reason.rawValue
        let cause = Cause.of(reason)
        let message = [cause?.meaning ?? reason.rawValue, detail].filter { !$0.isEmpty }.joined(separator: ": ")
        answer.links.append(
            .init(
                .broken, object: object, cause: reason.rawValue, message: message, advice: cause?.advice, depth: depth))
    }

    // MARK: Listeners

    /// The listener that takes the connection; nil: nobody does.
    private mutating func listen() -> ListenerConfiguration? {
        let found = inspected.configuration.listeners.filter { listener in
            listener.port == question.port
                && listener.bindings.contains { binding in
                    guard let own = binding.address, !own.isUnspecified, let wanted = question.address else {
                        return true
                    }
                    return own == wanted
                }
        }
        let title = "port \(question.port)"
        guard let first = found.first else {
            let ports = Set(inspected.configuration.listeners.map(\.port)).sorted().prefix(10).map { "\($0)" }
            answer.links.append(
                .init(
                    .broken, object: title, message: "no listener is served there: the kernel refuses the connection",
                    advice: ports.isEmpty
                        ? "look at the conditions of the Gateway (sluice explain)"
                        : "ports that are served: \(ports.joined(separator: ", "))"))
            return nil
        }
        for listener in found {
            for binding in listener.bindings {
                guard case .failed(let failure)? = inspected.acknowledgement?.bindings[binding] else { continue }
                answer.links.append(.init(.broken, object: "listener \(listener.id)", message: failure.message))
            }
        }
        guard case .tls = first.traffic else {
            good("listener \(first.id)", "TCP at \(title)", depth: 0)
            return first
        }
        return byName(found, title)
    }

    /// Of several TLS listeners at one place the one whose host name fits best.
    private mutating func byName(_ found: [ListenerConfiguration], _ title: String) -> ListenerConfiguration? {
        var entries: [(HostnamePattern, Int32)] = []
        var fallback: Int32?
        for (index, listener) in found.enumerated() {
            guard case .tls(let tls) = listener.traffic else { continue }
            if let name = tls.hostname {
                entries.append((name, Int32(index)))
            } else {
                fallback = fallback ?? Int32(index)
            }
        }
        let table = ServerNameTable(entries, fallback: fallback)
        let asked = question.name.map { "server name \($0)" } ?? "without a server name"
        guard let index = table.lookup(question.name) else {
            let names = entries.map { "\($0.0)" }.sorted().joined(separator: ", ")
            answer.listener = found.first?.id.description
            refuse(title, .tlsNoSNIMatch, "\(asked); the listeners there have \(names)", depth: 0)
            return nil
        }
        let listener = found[Int(index)]
        let mode = listener.termination == nil ? "Passthrough" : "Terminate"
        good("listener \(listener.id)", "TLS \(mode) at \(title), \(asked)", depth: 0)
        return listener
    }

    /// What a listener expects before everything else; false: the connection is refused.
    private mutating func proxyHeader(_ listener: ListenerConfiguration) -> Bool {
        guard let proxy = listener.settings.proxyProtocol else { return true }
        let peers = proxy.trusted == nil ? "any peer" : "peers of trustedCIDRs"
        switch proxy.mode {
        case .required:
            good(
                "listener \(listener.id)",
                "a PROXY header is required, of \(peers): without one the connection is refused (proxy_protocol_missing)",
                depth: 1)
        case .optional: good("listener \(listener.id)", "a PROXY header of \(peers) is believed", depth: 1)
        }
        return true
    }

    /// The route of the name, or the only one.
    private mutating func route(_ listener: ListenerConfiguration) -> RouteConfiguration? {
        switch listener.traffic {
        case .tcp(let route?):
            good("\(route.id)", "the listener's route", depth: 1)
            return route
        case .tcp(nil):
            refuse("listener \(listener.id)", .noRoute, depth: 1)
            return nil
        case .tls(let tls):
            let table = ServerNameTable(
                tls.routes.enumerated().map { ($1.hostname, Int32($0)) }, fallback: tls.fallback == nil ? nil : -1)
            guard let index = table.lookup(question.name) else {
                let names = tls.routes.prefix(10).map { "\($0.hostname)" }.joined(separator: ", ")
                refuse(
                    "listener \(listener.id)", .tlsNoSNIMatch,
                    names.isEmpty ? "it has no route" : "its routes take \(names)",
                    depth: 1)
                return nil
            }
            guard index >= 0 else {
                let route = tls.fallback
                if let route { good("\(route.id)", "takes what no host name takes", depth: 1) }
                return route
            }
            let found = tls.routes[Int(index)]
            good("\(found.route.id)", "takes \(found.hostname)", depth: 1)
            return found.route
        }
    }

    /// What is agreed in a handshake that is terminated; false: it fails.
    private mutating func handshake(_ listener: ListenerConfiguration, _ route: RouteConfiguration) -> Bool {
        guard let tls = listener.termination else { return true }
        let title = "listener \(listener.id)"
        if let validation = tls.clientValidation, validation.mode == .validOnly {
            open(title, "a client certificate is demanded that verifies: whether there is one is open", depth: 2)
        }
        let offered = tls.alpnProtocols ?? route.alpnProtocols
        if !question.alpn.isEmpty, !offered.isEmpty {
            if let agreed = offered.first(where: question.alpn.contains) {
                good(title, "application protocol \(agreed)", depth: 2)
            } else if tls.alpnRequired {
                let words = Cause.of(.tlsError, detail: "no_application_protocol")
                answer.refusal = CloseReason.tlsError.rawValue
                answer.links.append(
                    .init(
                        .broken, object: title, cause: CloseReason.tlsError.rawValue, message: words?.meaning ?? "",
                        advice: words?.advice, depth: 2))
                return false
            }
        }
        let now = inspected.snapshot.asOf
        if let expired = tls.certificates.first(where: { now >= $0.notAfter || now < $0.notBefore }) {
            let names = expired.dnsNames.map(\.description).joined(separator: ", ")
            open(title, "the certificate of \(names) is not valid now: clients that verify it refuse it", depth: 2)
        }
        return true
    }
}
