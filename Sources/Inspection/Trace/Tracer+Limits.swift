internal import EngineCore
internal import EngineModel
internal import Primitives
internal import Translation

extension Tracer {
    /// Who may connect, and how many; false: a rule turns the connection away.
    mutating func passes(
        _ limits: [ClientLimits], _ place: String, _ listener: ListenerConfiguration, depth: Int
    ) -> Bool {
        for level in limits {
            if let authorization = level.authorization, !authorize(authorization, level, place, listener, depth) {
                return false
            }
            counts(level, depth)
        }
        return true
    }

    private func inputs(_ listener: ListenerConfiguration) -> AuthorizationInputs {
        var inputs = AuthorizationInputs()
        if let client = question.client { inputs.client = .known(client) }
        // Behind a proxy the peer is that, and not the client.
        if listener.settings.proxyProtocol == nil { inputs.peer = inputs.client }
        if case .tls = listener.traffic {
            inputs.serverName = question.name.map { .known($0) } ?? .absent
        } else {
            inputs.serverName = .absent
        }
        if listener.termination?.clientValidation == nil { inputs.identity = .absent }
        return inputs
    }

    private mutating func authorize(
        _ authorization: Authorization, _ level: ClientLimits, _ place: String, _ listener: ListenerConfiguration,
        _ depth: Int
    ) -> Bool {
        let object = "ClientPolicy \(level.id.policy)"
        let who = question.client.map { "client \($0)" } ?? "the client"
        func name(_ rule: Int?) -> String {
            rule.map { "rule \(authorization.rules[$0].name)" } ?? "the default action"
        }
        guard let rules = AuthorizationRules(authorization) else {
            refuse(object, .authorizationDenied, "it has too many rules", depth: depth)
            return false
        }
        var progress = AuthorizationProgress()
        switch rules.step(&progress, inputs(listener)) {
        case .allow(let rule): good(object, "\(name(rule)) lets \(who) in at \(level.id.target)", depth: depth)
        case .deny(let rule):
            refuse(object, .authorizationDenied, "\(name(rule)) at \(level.id.target) denies \(who)", depth: depth)
            return false
        case .undecided:
            let asks = question.client == nil ? "the client's address" : "the client's certificate, or its peer"
            open(
                object, "whether it lets \(who) in depends on \(asks)",
                advice: question.client == nil ? "say who connects: --from IP" : nil, depth: depth)
        }
        return true
    }

    private mutating func counts(_ level: ClientLimits, _ depth: Int) {
        var parts: [String] = []
        if let limit = level.connections {
            if let value = limit.value { parts.append("at most \(value) connections") }
            if let source = limit.perSource { parts.append("at most \(source.value) connections of one source") }
        }
        if let rate = level.connectionRate {
            if let total = rate.total { parts.append("at most \(total.connections) in \(total.interval.seconds) s") }
            if let own = rate.perSource {
                parts.append("at most \(own.connections) of one source in \(own.interval.seconds) s")
            }
        }
        if let bandwidth = level.bandwidth {
            parts += [bandwidth.request.map { "\($0.bytesPerSecond) bytes/s from the client" }].compactMap { $0 }
            parts += [bandwidth.response.map { "\($0.bytesPerSecond) bytes/s to the client" }].compactMap { $0 }
        }
        guard !parts.isEmpty else { return }
        good("ClientPolicy \(level.id.policy)", "\(parts.joined(separator: ", ")) at \(level.id.target)", depth: depth)
    }
}
