internal import KubernetesAPI

/// The Services of ours as they are in the cluster, and the bound ports they record: the one source of truth of which
/// port a gateway's port has.
struct ServiceLedger {
    private var own: [String: Service] = [:]
    /// Names that others hold in our namespace.
    private var foreign: Set<String> = []
    private var ports: [String: [UInt16: UInt16]] = [:]
    /// Every bound port that a Service of ours names, also one that another has.
    private(set) var taken: Set<UInt16>
    let namespace: String
    let range: ClosedRange<UInt16>
    /// The value of the label that says whose Services these are.
    let controller: String

    init?(_ snapshot: ClusterSnapshot, _ options: TranslationOptions) {
        guard let installation = options.installation else { return nil }
        namespace = installation.namespace
        range = installation.ports
        controller = ServiceNames.labelValue(options.controllerName)
        taken = options.reservedPorts
        var claimed = options.reservedPorts
        var ours: [ObjectKey: Service] = [:]
        for (key, service) in snapshot.services where key.namespace == namespace {
            if isOwn(service, key) { ours[key] = service } else { foreign.insert(key.name) }
        }
        // Of two that record one port the older keeps it.
        for (key, service) in ours.byPrecedence {
            own[key.name] = service
            for port in (service.spec.ports ?? []).sorted(by: { $0.port < $1.port }) {
                guard let number = UInt16(exactly: port.port), port.effectiveProtocol == "TCP",
                    let target = port.targetPort?.number.flatMap({ UInt16(exactly: $0) }), range.contains(target)
                else { continue }
                taken.insert(target)
                if claimed.insert(target).inserted { ports[key.name, default: [:]][number] = target }
            }
        }
    }

    /// Every Service of ours.
    var names: Set<String> { Set(own.keys) }

    /// The Service of that name, if it is the gateway's; nil: there is none yet.
    func service(_ name: String, of gateway: ObjectKey) -> Service? {
        guard let service = own[name],
            service.metadata.labels?[ServiceNames.gatewayNamespace] == ServiceNames.labelValue(gateway.namespace),
            service.metadata.labels?[ServiceNames.gatewayName] == ServiceNames.labelValue(gateway.name)
        else { return nil }
        return service
    }

    /// Whether a Service of that name is not the gateway's.
    func isTaken(_ name: String, for gateway: ObjectKey) -> Bool {
        foreign.contains(name) || (own[name] != nil && service(name, of: gateway) == nil)
    }

    /// Bound ports by the gateway's port, as a Service of ours records them, without those that an older one has.
    func recorded(_ name: String) -> [UInt16: UInt16] { ports[name] ?? [:] }

    private func isOwn(_ service: Service, _ key: ObjectKey) -> Bool {
        let labels = service.metadata.labels ?? [:]
        guard ServiceNames.identity.allSatisfy({ labels[$0] != nil }) else { return false }
        return labels[ServiceNames.controller] == controller && key.name.hasPrefix("sluice-")
    }
}
