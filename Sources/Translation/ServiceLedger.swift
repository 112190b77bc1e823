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
    private let controller: String

    init?(_ snapshot: ClusterSnapshot, _ options: TranslationOptions) {
        guard let installation = options.installation else { return nil }
        namespace = installation.namespace
        range = installation.ports
        controller = options.controllerName
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

    /// The Service that exposes a gateway; nil: there is none yet.
    func service(of gateway: ObjectKey) -> Service? {
        guard let service = own[ServiceNames.service(of: gateway)],
            service.metadata.labels?[ServiceNames.gatewayNamespace] == ServiceNames.labelValue(gateway.namespace),
            service.metadata.labels?[ServiceNames.gatewayName] == ServiceNames.labelValue(gateway.name)
        else { return nil }
        return service
    }

    /// Whether the name that a gateway's Service would have belongs to something else.
    func isNameTaken(_ gateway: ObjectKey) -> Bool {
        let name = ServiceNames.service(of: gateway)
        return foreign.contains(name) || (own[name] != nil && service(of: gateway) == nil)
    }

    /// The bound port of a gateway's port; nil: none is recorded, or an older Service has it.
    func bound(_ gateway: ObjectKey, _ port: UInt16) -> UInt16? {
        service(of: gateway) == nil ? nil : ports[ServiceNames.service(of: gateway)]?[port]
    }

    private func isOwn(_ service: Service, _ key: ObjectKey) -> Bool {
        let labels = service.metadata.labels ?? [:]
        guard ServiceNames.identity.allSatisfy({ labels[$0] != nil }) else { return false }
        return labels[ServiceNames.controller] == ServiceNames.labelValue(controller) && key.name.hasPrefix("sluice-")
    }
}
