internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension Explainer {
    /// A Gateway with its class; false: it is not there, or not ours.
    mutating func gateway(_ key: ObjectKey, field: String? = nil) -> Bool {
        guard let gateway = snapshot.gateways[key] else {
            missing("Gateway", key, among: snapshot.gateways.keys, field: field, depth: 0)
            return false
        }
        let title = "Gateway \(key)"
        guard let status = inspected.statuses.gateways[key] else {
            notOurs(title, gateway.spec.gatewayClassName)
            return false
        }
        let before = links.count
        for condition in status.conditions {
            guard let verdict = condition.trouble else { continue }
            // What is wrong with single listeners is said of these.
            let isPartial = condition.type == .resolvedRefs || condition.reason == .listenersNotValid
            note(isPartial ? .warning : verdict, title, condition, depth: 0)
        }
        if links.count == before {
            let addresses = (status.addresses ?? []).map(\.value).joined(separator: ", ")
            let isWaiting = status.conditions[.programmed]?.status == .unknown && inspected.acknowledgement != nil
            good(
                title,
                "of GatewayClass \(gateway.spec.gatewayClassName), accepted"
                    + (isWaiting ? "; \(status.conditions[.programmed]?.message ?? "")" : "")
                    + (addresses.isEmpty ? "" : ", at \(addresses)"), depth: 0)
        }
        return true
    }

    /// Of another class, or of none.
    private mutating func notOurs(_ title: String, _ className: String) {
        let known = snapshot.gatewayClasses[ObjectKey(namespace: "", name: className)]
        let why =
            known.map { "its controllerName is \($0.spec.controllerName)" } ?? "there is no GatewayClass of that name"
        let ours = inspected.statuses.gatewayClasses.keys.map(\.name).sorted().prefix(3)
        links.append(
            Link(
                .broken, object: title, field: "spec.gatewayClassName",
                message: "ignored: GatewayClass \(className) is not ours; \(why)",
                advice: ours.isEmpty
                    ? "set gatewayClassName to a class with the controllerName that sluice runs with"
                    : "set gatewayClassName to \(ours.joined(separator: " or "))", depth: 0))
    }

    /// The listeners of a Gateway: its own, then those of its ListenerSets.
    func listeners(of key: ObjectKey) -> [ListenerFacts] {
        guard let gateway = snapshot.gateways[key] else { return [] }
        let statuses = inspected.statuses
        func facts(_ specs: [Gateway.Listener], _ set: ObjectKey?, _ known: [ListenerStatus]) -> [ListenerFacts] {
            specs.enumerated().map { index, spec in
                let id = ListenerID(
                    gatewayNamespace: key.namespace, gateway: key.name,
                    listener: set.map { "\($0)/\(spec.name)" } ?? spec.name)
                return ListenerFacts(
                    id: id, gateway: key, set: set, spec: spec, field: "spec.listeners[\(index)]",
                    status: known.first { $0.name == spec.name }, configuration: configurations[id])
            }
        }
        let own = facts(gateway.spec.listeners, nil, statuses.gateways[key]?.listeners ?? [])
        let sets = snapshot.listenerSets.filter { set, object in
            statuses.listenerSetParents[set] == key
                || ObjectKey(
                    namespace: object.spec.parentRef.namespace ?? set.namespace, name: object.spec.parentRef.name)
                    == key
        }
        return own
            + sets.sorted { $0.key < $1.key }.flatMap { set, object in
                facts(object.spec.listeners, set, statuses.listenerSets[set]?.listeners ?? [])
            }
    }

    /// A listener with its certificates and what it refused; false: nothing listens.
    mutating func listener(_ listener: ListenerFacts) -> Bool {
        let conditions = listener.status?.conditions ?? []
        let before = links.count
        if let set = listener.set { refused(set) }
        // A conflict says why the listener is neither accepted nor programmed: once is enough.
        let conflict = conditions.first { $0.type == .conflicted && $0.status == .true }
        for condition in conditions where conflict == nil || condition.type == .conflicted {
            guard let verdict = condition.trouble, condition.type != .clientPolicyAffected else { continue }
            let isSaid = links[before...].contains { $0.message.hasSuffix(condition.message) }
            if isSaid, !condition.message.isEmpty { continue }
            note(
                condition.type == .resolvedRefs && listener.configuration == nil ? .broken : verdict, listener.title,
                condition, field: listener.field + field(of: condition), advice: listenerAdvice(condition), depth: 1)
        }
        guard let configuration = listener.configuration else {
            if links.count == before {
                links.append(
                    Link(.broken, object: listener.title, field: listener.field, message: "is not served", depth: 1))
            }
            return false
        }
        if links.count == before { bound(listener, configuration) }
        certificates(listener)
        rejections(listener)
        return true
    }

    /// A ListenerSet that adds nothing.
    private mutating func refused(_ set: ObjectKey) {
        let title = "ListenerSet \(set)"
        guard !links.contains(where: { $0.object == title }) else { return }
        for condition in inspected.statuses.listenerSets[set]?.conditions ?? [] {
            if let verdict = condition.trouble { note(verdict, title, condition, depth: 1) }
        }
    }

    private mutating func bound(_ listener: ListenerFacts, _ configuration: ListenerConfiguration) {
        let states = configuration.bindings.map { inspected.acknowledgement?.bindings[$0] }
        let places = configuration.bindings.map(\.description).joined(separator: ", ")
        let mode =
            switch configuration.traffic {
            case .tcp: "TCP"
            case .tls(let tls): tls.mode == .passthrough ? "TLS Passthrough" : "TLS Terminate"
            }
        let name = listener.spec.hostname.map { $0.isEmpty ? "" : ", hostname \($0)" } ?? ""
        let verb = states.allSatisfy { $0 == .bound } ? "bound" : "to be bound"
        good(listener.title, "\(mode)\(name), \(verb) at \(places)", depth: 1)
    }

    private func field(of condition: Condition) -> String {
        switch condition.reason {
        case .hostnameConflict: ".hostname"
        case .protocolConflict, .portUnavailable: ".port"
        case .unsupportedProtocol: ".protocol"
        case .invalidCertificateRef, .refNotPermitted: ".tls.certificateRefs"
        case .invalidRouteKinds: ".allowedRoutes.kinds"
        default: ""
        }
    }

    private func listenerAdvice(_ condition: Condition) -> String? {
        switch condition.reason {
        case .hostnameConflict, .protocolConflict: "give one of the listeners another port, or another hostname"
        case .portUnavailable, .pending: "end what holds the port, or give the listener another one"
        case .unsupportedProtocol: "use protocol TCP or TLS"
        case .invalidCertificateRef: "name a Secret of type kubernetes.io/tls whose tls.crt and tls.key belong together"
        case .refNotPermitted: "add a ReferenceGrant in the Secret's namespace, or move the Secret"
        default: nil
        }
    }

    /// What the listener turned away before a route was chosen.
    private mutating func rejections(_ listener: ListenerFacts) {
        let rejected = inspected.traffic.listeners[listener.id]?.rejected ?? [:]
        refusals(rejected, .listener(listener.id), listener.title, depth: 2)
    }

    /// Why connections were turned away, `counts` since the start: what happens now comes first.
    mutating func refusals(
        _ counts: [CloseReason: UInt64], _ place: TrafficSample.Place, _ title: String, depth: Int
    ) {
        let recent = inspected.refusals.map { $0[place] ?? [:] }
        let order = { (reason: CloseReason) in (.max - (recent?[reason] ?? 0), reason.index) }
        for (reason, count) in counts.sorted(by: { order($0.key) < order($1.key) })
        where count > 0 && reason.isRefusal {
            note(.warning, title, reason, times(count, recent: recent.map { $0[reason] ?? 0 }), depth: depth)
        }
    }
}

/// Such as `3 connections in the last ten minutes, 12 since the start`. `recent`: nil where it is not known; read after
/// `count`, it may be ahead of it.
private func times(_ count: UInt64, recent: UInt64?) -> String {
    let connections = { (count: UInt64) in "\(count) connection\(count == 1 ? "" : "s")" }
    return switch recent {
    case nil: "\(connections(count)) since the start"
    case 0?: "\(connections(count)) since the start, none in the last ten minutes"
    case let recent?: "\(connections(recent)) in the last ten minutes, \(max(count, recent)) since the start"
    }
}

extension CloseReason {
    /// Whether it turns a connection away, rather than ends one that was served.
    var isRefusal: Bool {
        switch self {
        case .clientClosed, .backendClosed, .clientReset, .backendReset, .tlsTruncated, .idleTimeout,
            .clientIdleTimeout,
            .serverIdleTimeout, .firstByteTimeout, .halfCloseTimeout, .maxDuration, .drain, .routeDeleted,
            .listenerRemoved, .endpointUnhealthy, .endpointRemoved, .primaryRecovered, .adminClosed:
            false
        default: true
        }
    }
}
