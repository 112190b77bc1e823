internal import EngineModel
internal import KubernetesAPI

/// Fields that act before a connection's name is known, and therefore hold for a port as a whole: listeners that share one
/// must agree in them, or the later policy is not accepted (ClientPolicy, pre-route fields). TLS parameters are not among them: the
/// ClientHello is read before they matter, and each listener has its own.
///
/// Where listeners of several owners share a port, it is the first one's: the Gateway's, else that of the ListenerSet that goes before
/// the others. Those who come later have what holds there already. Neither they nor what they say takes a policy from it.
struct PortFields: Sendable {
    private let name: String
    /// What holds in the end, defaults included.
    private let value: @Sendable (ListenerSettings) -> AnyHashable
    private let policy: @Sendable (ClientSettings) -> Int?
    /// Takes the field over from other settings.
    private let take: @Sendable (inout ClientSettings, ClientSettings) -> Void

    private static let all = [
        PortFields(
            name: "proxyProtocol", value: { AnyHashable($0.proxyProtocol) }, policy: { $0.proxyProtocol?.policy },
            take: { $0.proxyProtocol = $1.proxyProtocol }),
        PortFields(
            name: "startTLS", value: { AnyHashable($0.startTLS) }, policy: { $0.startTLS?.policy },
            take: { $0.startTLS = $1.startTLS }),
        PortFields(
            name: "tcpKeepalive", value: { AnyHashable($0.keepalive) }, policy: { $0.keepalive?.policy },
            take: { $0.keepalive = $1.keepalive }),
        PortFields(
            name: "connectionInspectionTimeout", value: { AnyHashable($0.inspectionTimeout) },
            policy: { $0.inspectionTimeout?.policy }, take: { $0.inspectionTimeout = $1.inspectionTimeout }),
    ]

    /// A policy that is not accepted at some listeners of a port.
    struct Conflict {
        let policy: Int
        /// Nil: at all of them.
        let listener: Int?
        let verdict: Verdict
    }

    /// The listeners of one port in their order, which is that of precedence, with what policies say of them.
    struct Port {
        let listeners: [ListenerState]
        /// Beside ``listeners``.
        var settings: [ClientSettings]
        /// Whether a policy, a lower index going before a higher one, is for the ListenerSet of a listener, or for the listener alone.
        let isOfSet: (Int, ListenerState) -> Bool
        /// A policy as the owner of a listener may know it.
        let title: (Int, ListenerOwner) -> String
    }

    /// Lets the port's later owners have what the first one has, and returns the policies that are not accepted because of others,
    /// or of a listener without one.
    static func settle(_ port: inout Port) -> [Conflict] {
        var found: [Conflict] = []
        for field in all {
            let first = port.listeners.prefix { $0.owner == port.listeners[0].owner }.count
            let conflicts = field.conflicts(first, port)
            found += conflicts
            // The others are judged by what is left.
            if conflicts.isEmpty { found += field.follow(first, &port) }
        }
        return found
    }

    private func effective(_ settings: ClientSettings) -> AnyHashable {
        var listener = ListenerSettings()
        listener.apply(settings)
        return value(listener)
    }

    /// What the first `count` listeners, all of one owner, do not agree in.
    private func conflicts(_ count: Int, _ port: Port) -> [Conflict] {
        let settings = port.settings.prefix(count)
        guard let first = settings.compactMap(policy).min(),
            let leader = settings.firstIndex(where: { policy($0) == first })
        else { return [] }
        let wanted = effective(settings[leader])
        return settings.indices.filter { effective(settings[$0]) != wanted }.map { index in
            let listener = port.listeners[index]
            let shared = "\(name): port \(listener.spec.port) is shared with listener"
            if let later = policy(settings[index]), later != first {
                let message =
                    "\(shared) \(port.listeners[leader].spec.name), for which the older "
                    + "\(port.title(first, listener.owner)) says otherwise"
                return Conflict(policy: later, listener: nil, verdict: Verdict(.conflicted, message))
            }
            let message =
                "\(shared) \(listener.spec.name), for which it does not hold; target the Gateway, or every listener of the port"
            return Conflict(policy: first, listener: nil, verdict: Verdict(.conflicted, message))
        }
    }

    /// Gives the listeners after the first `count`, which agree, what holds for these.
    private func follow(_ count: Int, _ port: inout Port) -> [Conflict] {
        let leader = port.settings[0]
        let wanted = effective(leader)
        var found: [Conflict] = []
        for index in port.listeners.indices.dropFirst(count) where effective(port.settings[index]) != wanted {
            let listener = port.listeners[index]
            guard let own = policy(port.settings[index]), port.isOfSet(own, listener) else {
                take(&port.settings[index], leader)
                continue
            }
            let holder = port.listeners[0].title(for: listener.owner)
            let why =
                policy(leader).map { "the \(port.title($0, listener.owner)) says otherwise" } ?? "it does not hold"
            let message = "\(name): port \(listener.spec.port) is shared with \(holder), for which \(why)"
            found.append(Conflict(policy: own, listener: index, verdict: Verdict(.conflicted, message)))
        }
        return found
    }
}
