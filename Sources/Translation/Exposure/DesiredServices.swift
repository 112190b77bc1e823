internal import KubernetesAPI
internal import Primitives

/// What has to stand in the installation's namespace. A gateway that is not accepted, or that has no port just now, keeps
/// the Service it has: its address would be lost with it.
func desiredInfrastructure(
    _ gateways: [GatewayState], _ given: [ObjectKey: [UInt16: UInt16]], _ ledger: ServiceLedger,
    _ options: TranslationOptions
) -> Infrastructure {
    var infrastructure = Infrastructure()
    var stale = ledger.names
    for gateway in gateways {
        if gateway.rejection != nil { stale.remove(ServiceNames.service(of: gateway.key)) }
        guard case .service(let exposure) = gateway.exposure else { continue }
        stale.remove(exposure.key.name)
        guard gateway.rejection == nil, !exposure.isNameTaken, let ports = given[gateway.key] else { continue }
        infrastructure.services.append(desiredService(of: gateway, exposure, ports, ledger, options))
    }
    infrastructure.services.sort { $0.key < $1.key }
    infrastructure.staleServices = stale.sorted().map { ObjectKey(namespace: ledger.namespace, name: $0) }
    return infrastructure
}

private func desiredService(
    of gateway: GatewayState, _ exposure: ServiceExposure, _ ports: [UInt16: UInt16], _ ledger: ServiceLedger,
    _ options: TranslationOptions
) -> DesiredService {
    let parameters = gateway.parameters
    let infrastructure = gateway.gateway.spec.infrastructure
    let nodePorts = Dictionary(
        (parameters.service.nodePorts ?? []).map { ($0.listenerPort, $0.nodePort) },
        uniquingKeysWith: { first, _ in first })
    let type = parameters.service.type ?? "LoadBalancer"
    var service = DesiredService(
        key: exposure.key, gateway: gateway.key,
        // Nobody may claim another gateway's Service by a label.
        labels: (infrastructure?.labels ?? [:]).merging(
            ServiceNames.labels(of: gateway.key, gateway.gateway, controller: ledger.controller)
        ) { $1 },
        annotations: (parameters.service.annotations ?? [:]).merging(infrastructure?.annotations ?? [:]) { $1 },
        type: type,
        ports: ports.keys.sorted().map { port in
            DesiredService.Port(
                name: "tcp-\(port)", port: port, targetPort: ports[port] ?? 0,
                nodePort: type == "ClusterIP" ? nil : nodePorts[Int(port)].flatMap { UInt16(exactly: $0) })
        },
        selector: options.installation?.podLabels ?? [:])
    switch type {
    case "LoadBalancer":
        // The client's address stays what it is, and no connection goes by way of a second node.
        service.externalTrafficPolicy = parameters.service.externalTrafficPolicy ?? "Local"
        service.loadBalancerClass = parameters.service.loadBalancerClass.flatMap { $0.isEmpty ? nil : $0 }
        service.loadBalancerIP = gateway.requested.first { $0.type == "IPAddress" && !$0.value.isEmpty }?.value
    case "NodePort": service.externalTrafficPolicy = parameters.service.externalTrafficPolicy
    default: break
    }
    setFamilies(&service, parameters.ipFamily)
    remember(&service)
    service.mustRecreate = exposure.living.map { differsForGood(service, $0) } ?? false
    return service
}

private func setFamilies(_ service: inout DesiredService, _ family: EffectiveParameters.IPFamily?) {
    switch family {
    case .ipv4, .ipv6:
        service.ipFamilyPolicy = "SingleStack"
        service.ipFamilies = family.map { [$0.rawValue] }
    case .dualStack: service.ipFamilyPolicy = "PreferDualStack"
    case nil: break
    }
}

/// Names the class that was asked for: a cluster may fill in one of its own where none was, and that one is not ours to
/// change.
private let requestedClass = "sluice.dev/load-balancer-class"

private func remember(_ service: inout DesiredService) {
    service.annotations[requestedClass] = service.loadBalancerClass
}

/// Whether the living Service has to make way: what differs cannot be changed on it.
private func differsForGood(_ desired: DesiredService, _ living: Service) -> Bool {
    if let first = desired.ipFamilies?.first, let has = living.spec.ipFamilies?.first, first != has { return true }
    guard desired.type == "LoadBalancer", living.spec.type == "LoadBalancer" else { return false }
    if let wanted = desired.loadBalancerClass { return living.spec.loadBalancerClass != wanted }
    return living.spec.loadBalancerClass != nil && living.metadata.annotations?[requestedClass] != nil
}
