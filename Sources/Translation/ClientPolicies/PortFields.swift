internal import EngineModel
internal import KubernetesAPI

/// Fields that act before a connection's name is known, and therefore hold for a port as a whole: listeners that share one
/// must agree in them, or the later policy is not accepted (ClientPolicy, pre-route fields).
struct PortFields: Sendable {
    private let name: String
    private let value: @Sendable (ClientSettings) -> AnyHashable?
    private let policy: @Sendable (ClientSettings) -> Int?

    private init<Value: Hashable & SendableMetatype>(
        _ name: String, _ field: @escaping @Sendable (ClientSettings) -> ClientSettings.Sourced<Value>?
    ) {
        self.name = name
        value = { field($0).map { AnyHashable($0.value) } }
        policy = { field($0)?.policy }
    }

    private static let all = [
        PortFields("proxyProtocol") { $0.proxyProtocol },
        PortFields("startTLS") { $0.startTLS },
        PortFields("tcpKeepalive") { $0.keepalive },
        PortFields("connectionInspectionTimeout") { $0.inspectionTimeout },
    ]

    /// The policies that are not accepted because of others, or of a listener without one, at the port of the listeners;
    /// `settings` stand beside `listeners`.
    static func conflicts(
        _ listeners: [ListenerState], _ settings: [ClientSettings], key: (Int) -> ObjectKey
    ) -> [(policy: Int, verdict: Verdict)] {
        var found: [(policy: Int, verdict: Verdict)] = []
        for field in all {
            // Lower indices go before: the first policy to have a say stays.
            let said = settings.indices.compactMap { field.policy(settings[$0]) }.min()
            guard let first = said, let leader = settings.indices.first(where: { field.policy(settings[$0]) == first })
            else { continue }
            let wanted = field.value(settings[leader])
            for (index, setting) in settings.enumerated() where field.value(setting) != wanted {
                let port = listeners[index].spec.port
                if let later = field.policy(setting), later != first {
                    let message =
                        "\(field.name): port \(port) is shared with listener \(listeners[leader].spec.name), "
                        + "for which the older ClientPolicy \(key(first)) says otherwise"
                    found.append((later, Verdict(.conflicted, message)))
                } else {
                    let message =
                        "\(field.name): port \(port) is shared with listener \(listeners[index].spec.name), "
                        + "for which it does not hold; target the Gateway, or every listener of the port"
                    found.append((first, Verdict(.conflicted, message)))
                }
            }
        }
        return found
    }
}
