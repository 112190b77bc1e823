internal import KubernetesAPI

extension GatewayState {
    /// Ports that the gateway's Service has to lead to: those of listeners that keep them, whether or not they can be
    /// served just now, so that a missing certificate or CA changes no port.
    var exposedPorts: [UInt16] {
        Set(listeners.lazy.filter(\.keepsPort).compactMap { UInt16(exactly: $0.spec.port) }).sorted()
    }
}

/// Gives the ports of gateways that Services expose their bound ports: recorded ones stay; each other gets the lowest that no
/// Service names. What is given but not yet recorded is in the result alone, and bound by nobody. Gateways are in order of
/// precedence.
func allocatePorts(_ gateways: inout [GatewayState], _ ledger: ServiceLedger) -> [ObjectKey: [UInt16: UInt16]] {
    var taken = ledger.taken
    var candidates = ledger.range.makeIterator()
    func next() -> UInt16? {
        while let candidate = candidates.next() {
            if taken.insert(candidate).inserted { return candidate }
        }
        return nil
    }
    var given: [ObjectKey: [UInt16: UInt16]] = [:]
    for index in gateways.indices where gateways[index].rejection == nil {
        guard case .service(var exposure) = gateways[index].exposure else { continue }
        let key = gateways[index].key
        let recorded = exposure.living == nil ? [:] : ledger.recorded(exposure.key.name)
        for port in gateways[index].exposedPorts {
            if let bound = recorded[port] {
                exposure.bound[port] = bound
                given[key, default: [:]][port] = bound
            } else if let free = next() {
                given[key, default: [:]][port] = free
            } else {
                gateways[index].refuse(port, ledger.range)
            }
        }
        gateways[index].exposure = .service(exposure)
    }
    return given
}

extension GatewayState {
    fileprivate mutating func refuse(_ port: UInt16, _ range: ClosedRange<UInt16>) {
        let verdict = Verdict(
            .portUnavailable,
            "no port of \(range.lowerBound)-\(range.upperBound) is free to be bound for port \(port)")
        for index in listeners.indices where listeners[index].spec.port == Int(port) {
            listeners[index].rejections.append(verdict)
        }
    }
}
