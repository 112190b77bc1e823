internal import KubernetesAPI
internal import Primitives

/// Marks the listeners of a gateway that cannot be told apart. Within the gateway, and within one ListenerSet, that is all
/// of them, each naming the others. Among these the gateway goes before its sets, and an earlier set before a later one: then
/// only the later listener is marked.
func markConflicts(_ gateway: inout GatewayState) {
    let own = 0..<gateway.ownListeners.count
    markEqual(own, in: &gateway)
    guard !gateway.sets.isEmpty else { return }
    var holders = ListenerHolders()
    for index in own { holders.add(index, gateway.listeners[index]) }
    for set in gateway.sets.indices {
        let indices = gateway.sets[set].listeners
        var staying: [Int] = []
        for index in indices {
            gateway.listeners[index].conflict = holders.conflict(of: gateway.listeners[index], gateway.listeners)
            if gateway.listeners[index].conflict == nil { staying.append(index) }
        }
        markEqual(staying, in: &gateway)
        for index in staying where gateway.listeners[index].mayBeServed { holders.add(index, gateway.listeners[index]) }
    }
}

/// Listeners that go before others, by what they claim. One that conflicts with its like in the same object claims its place
/// all the same, so that mending it takes nothing away from others. What a ListenerSet asks for and is refused, such as a port
/// that it may not open, claims nothing: it would keep out the listeners of others, who may.
private struct ListenerHolders {
    private var byPort: [Int: [ListenerState.Family: Int]] = [:]
    private var byName: [Name: Int] = [:]

    private struct Name: Hashable {
        let port: Int
        let hostname: HostnamePattern?
    }

    mutating func add(_ index: Int, _ listener: ListenerState) {
        guard let family = listener.family else { return }
        let port = listener.spec.port
        if byPort[port]?[family] == nil { byPort[port, default: [:]][family] = index }
        guard family == .tls else { return }
        let name = Name(port: port, hostname: listener.hostname)
        if byName[name] == nil { byName[name] = index }
    }

    func conflict(of listener: ListenerState, _ all: [ListenerState]) -> Verdict? {
        let port = listener.spec.port
        guard let family = listener.family, let holders = byPort[port] else { return nil }
        if let other = holders.filter({ $0.key != family }).values.min() {
            return Verdict(
                .protocolConflict,
                "port \(port) is taken with another protocol by \(all[other].title(for: listener.owner))")
        }
        if family == .tcp, let other = holders[.tcp] {
            return Verdict(
                .protocolConflict,
                "port \(port) is taken by \(all[other].title(for: listener.owner)), and TCP has no host names")
        }
        guard family == .tls, let other = byName[Name(port: port, hostname: listener.hostname)] else { return nil }
        let name = listener.hostname.map { "hostname \($0)" } ?? "no hostname"
        return Verdict(
            .hostnameConflict, "port \(port) with \(name) is taken by \(all[other].title(for: listener.owner))")
    }
}

/// Marks listeners of equal rank.
private func markEqual(_ ranked: some Sequence<Int>, in gateway: inout GatewayState) {
    let onPort = Dictionary(grouping: ranked, by: { gateway.listeners[$0].spec.port })
    for (port, indices) in onPort where indices.count > 1 {
        let streams = indices.filter { gateway.listeners[$0].family != nil }
        if Set(streams.compactMap { gateway.listeners[$0].family }).count > 1 {
            mark(streams, in: &gateway, .protocolConflict) { "port \(port) is wanted with another protocol by \($0)" }
            continue
        }
        let plain = streams.filter { gateway.listeners[$0].family == .tcp }
        if plain.count > 1 {
            mark(plain, in: &gateway, .protocolConflict) {
                "port \(port) is wanted by \($0) too, and TCP has no host names"
            }
        }
        let named = streams.filter { gateway.listeners[$0].family == .tls }
        for (hostname, same) in Dictionary(grouping: named, by: { gateway.listeners[$0].hostname }) where same.count > 1
        {
            let name = hostname.map { "hostname \($0)" } ?? "no hostname"
            mark(same, in: &gateway, .hostnameConflict) { "port \(port) with \(name) is wanted by \($0) too" }
        }
    }
}

private func mark(
    _ indices: [Int], in gateway: inout GatewayState, _ reason: Condition.Reason, _ text: (String) -> String
) {
    for index in indices {
        let others = indices.filter { $0 != index }.map { gateway.listeners[$0] }
        let names = others.map { "\($0.spec.name) (\($0.spec.protocol))" }.joined(separator: ", ")
        gateway.listeners[index].conflict = Verdict(reason, text("listener \(names)"))
    }
}

extension ListenerState {
    /// What shares a port only with its like.
    enum Family { case tcp, tls, http }

    /// Nil: no stream over TCP, a protocol that nobody knows, or a host name that cannot be compared.
    var family: Family? {
        if hostname == nil, let text = spec.hostname, !text.isEmpty, spec.protocol != .tcp { return nil }
        return switch spec.protocol {
        case .tcp: .tcp
        case .tls, .https: .tls
        case .http: .http
        default: nil
        }
    }
}
