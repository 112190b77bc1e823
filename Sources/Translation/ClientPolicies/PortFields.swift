internal import EngineModel
internal import KubernetesAPI

/// Fields that act before a connection's name is known, and therefore hold for a port as a whole: listeners that share one
/// must agree in them, or the later policy is not accepted (ClientPolicy, pre-route fields). TLS parameters are not among them: the
/// ClientHello is read before they matter, and each listener has its own.
struct PortFields: Sendable {
    private let name: String
    /// What holds in the end, defaults included.
    private let value: @Sendable (ListenerSettings) -> AnyHashable
    private let policy: @Sendable (ClientSettings) -> Int?

    private static let all = [
        PortFields(name: "proxyProtocol") {
            AnyHashable($0.proxyProtocol)
        } policy: {
            $0.proxyProtocol?.policy
        },
        PortFields(name: "startTLS") {
            AnyHashable($0.startTLS)
        } policy: {
            $0.startTLS?.policy
        },
        PortFields(name: "tcpKeepalive") {
            AnyHashable($0.keepalive)
        } policy: {
            $0.keepalive?.policy
        },
        PortFields(name: "connectionInspectionTimeout") {
            AnyHashable($0.inspectionTimeout)
        } policy: {
            $0.inspectionTimeout?.policy
        },
    ]

    private init(
        name: String, value: @escaping @Sendable (ListenerSettings) -> AnyHashable,
        policy: @escaping @Sendable (ClientSettings) -> Int?
    ) {
        (self.name, self.value, self.policy) = (name, value, policy)
    }

    /// The policies that are not accepted because of others, or of a listener without one, at the port of the listeners;
    /// `settings` stand beside `listeners`. A lower index goes before a higher one.
    static func conflicts(
        _ listeners: [ListenerState], _ settings: [ClientSettings], key: (Int) -> ObjectKey
    ) -> [(policy: Int, verdict: Verdict)] {
        let effective = settings.map { own in
            var settings = ListenerSettings()
            settings.apply(own)
            return settings
        }
        return all.flatMap { $0.conflicts(listeners, settings, effective, key) }
    }

    private func conflicts(
        _ listeners: [ListenerState], _ settings: [ClientSettings], _ effective: [ListenerSettings],
        _ key: (Int) -> ObjectKey
    ) -> [(policy: Int, verdict: Verdict)] {
        guard let first = settings.compactMap(policy).min(),
            let leader = settings.firstIndex(where: { policy($0) == first })
        else { return [] }
        let wanted = value(effective[leader])
        var found: [(policy: Int, verdict: Verdict)] = []
        for index in settings.indices where value(effective[index]) != wanted {
            let port = listeners[index].spec.port
            if let later = policy(settings[index]), later != first {
                let message =
                    "\(name): port \(port) is shared with listener \(listeners[leader].spec.name), for which the older "
                    + "ClientPolicy \(key(first)) says otherwise"
                found.append((later, Verdict(.conflicted, message)))
            } else {
                let message =
                    "\(name): port \(port) is shared with listener \(listeners[index].spec.name), for which it does not "
                    + "hold; target the Gateway, or every listener of the port"
                found.append((first, Verdict(.conflicted, message)))
            }
        }
        return found
    }
}
