public import EngineModel
internal import KubernetesAPI
public import Primitives

/// Closes the open `Programmed` conditions of a report with what the engine acknowledged. `addresses` are where gateways
/// that ask for no address are reachable. Pure; without an acknowledgement nothing is closed.
public func compose(
    _ report: StatusReport, _ acknowledgement: Acknowledgement?, addresses: [IPAddress]
) -> StatusReport {
    guard let acknowledgement else { return report }
    var report = report
    let attached = closeListenerSets(&report, acknowledgement)
    for (key, status) in report.gateways {
        var status = status
        var served: [ListenerOutcome] = []
        for index in status.listeners.indices {
            let id = ListenerID(
                gatewayNamespace: key.namespace, gateway: key.name, listener: status.listeners[index].name)
            guard let bindings = report.bindings[id] else { continue }
            let outcome = ListenerOutcome(status.listeners[index].name, bindings, acknowledgement)
            served.append(outcome)
            status.listeners[index].conditions.close { outcome.condition(observed: $0) }
        }
        let ofSets = attached[key] ?? []
        let reach = report.reaches[key] ?? hostReach(served + ofSets, addresses)
        if !served.isEmpty || !ofSets.isEmpty { status.addresses = reach.addresses }
        // The gateway speaks of its own listeners, unless it has none but those of its sets.
        let telling = served.isEmpty ? ofSets : served
        status.conditions.close { gatewayCondition(telling, reach, observed: $0) }
        report.gateways[key] = status
    }
    return report
}

/// Closes the conditions of ListenerSets; returns what became of their listeners, by gateway.
private func closeListenerSets(
    _ report: inout StatusReport, _ acknowledgement: Acknowledgement
) -> [ObjectKey: [ListenerOutcome]] {
    var attached: [ObjectKey: [ListenerOutcome]] = [:]
    for (key, gateway) in report.listenerSetParents.sorted(by: { $0.key < $1.key }) {
        guard var status = report.listenerSets[key] else { continue }
        let owner = ListenerOwner(gateway: gateway, set: key)
        var served: [ListenerOutcome] = []
        for index in status.listeners.indices {
            let name = status.listeners[index].name
            guard let bindings = report.bindings[owner.id(name)] else { continue }
            let outcome = ListenerOutcome(name, bindings, acknowledgement)
            served.append(outcome)
            status.listeners[index].conditions.close { outcome.condition(observed: $0) }
        }
        if !served.isEmpty { status.conditions.close { listenerSetCondition(served, observed: $0) } }
        report.listenerSets[key] = status
        attached[gateway, default: []] += served
    }
    return attached
}

private func listenerSetCondition(_ outcomes: [ListenerOutcome], observed generation: Int64?) -> Condition {
    let failed = outcomes.filter { !$0.failures.isEmpty }
    let failures = failed.flatMap { outcome in outcome.failures.map { "\(outcome.name): \($0.failure.message)" } }
    let message = failures.isEmpty ? "" : "listener " + failures.joined(separator: "; ")
    guard outcomes.contains(where: { !$0.bound.isEmpty }) else {
        if failed.isEmpty { return .pendingProgrammed(generation) }
        return Condition(.programmed, .false, .portUnavailable, message, observedGeneration: generation)
    }
    return Condition(.programmed, .true, .programmed, message, observedGeneration: generation)
}

/// What became of one listener's sockets.
private struct ListenerOutcome {
    let name: String
    let bound: [Binding]
    let failures: [(binding: Binding, failure: BindFailure)]
    /// Whether the engine has not answered for some binding yet.
    let isPending: Bool

    init(_ name: String, _ bindings: [Binding], _ acknowledgement: Acknowledgement) {
        var bound: [Binding] = []
        var failures: [(Binding, BindFailure)] = []
        for binding in bindings {
            switch acknowledgement.bindings[binding] {
            case nil: break
            case .bound: bound.append(binding)
            case .failed(let failure): failures.append((binding, failure))
            }
        }
        self.name = name
        self.bound = bound
        self.failures = failures
        self.isPending = bound.count + failures.count < bindings.count
    }

    func condition(observed generation: Int64?) -> Condition {
        if !failures.isEmpty {
            let message = failures.map(\.failure.message).joined(separator: "; ")
            return Condition(.programmed, .false, .pending, message, observedGeneration: generation)
        }
        if isPending { return .pendingProgrammed(generation) }
        return Condition(.programmed, .true, .programmed, observedGeneration: generation)
    }
}

/// Under Host exposure: the addresses on which at least one listener is bound.
private func hostReach(_ outcomes: [ListenerOutcome], _ local: [IPAddress]) -> Reach {
    let bound = Set(outcomes.flatMap(\.bound).map(\.address))
    let explicit = bound.compactMap { $0 }.filter { !$0.isUnspecified }
    let implied = local.filter { bound.contains(nil) || bound.contains($0.isV4 ? .anyV4 : .anyV6) }
    var reach = Reach()
    reach.addresses = Set(explicit + implied).sorted().prefix(16).map {
        GatewayStatusAddress(type: "IPAddress", value: $0.description)
    }
    reach.obstacle = Reach.Obstacle(
        reason: .addressNotAssigned, message: "the host has no address that others could use")
    if !reach.addresses.isEmpty { reach.obstacle = nil }
    return reach
}

private func gatewayCondition(
    _ outcomes: [ListenerOutcome], _ reach: Reach, observed generation: Int64?
) -> Condition {
    func answer(_ status: Condition.Status, _ reason: Condition.Reason, _ message: String = "") -> Condition {
        Condition(.programmed, status, reason, message, observedGeneration: generation)
    }
    let failed = outcomes.filter { !$0.failures.isEmpty }
    let failures = failed.flatMap { outcome in outcome.failures.map { "\(outcome.name): \($0.failure.message)" } }
    let message = failures.isEmpty ? "" : "listener " + failures.joined(separator: "; ")
    if failed.contains(where: { $0.failures.contains { $0.failure.errno == Errno.addressNotAvailable } }) {
        return answer(.false, .addressNotUsable, message)
    }
    guard outcomes.contains(where: { !$0.bound.isEmpty }) else {
        if failed.isEmpty { return .pendingProgrammed(generation, reach.waiting) }
        let scarce = failed.contains { $0.failures.contains { Errno.scarcity.contains($0.failure.errno) } }
        return answer(.false, scarce ? .noResources : .pending, message)
    }
    if let obstacle = reach.obstacle { return answer(.false, obstacle.reason, obstacle.message) }
    guard !reach.addresses.isEmpty else { return .pendingProgrammed(generation, reach.waiting) }
    return answer(.true, .programmed, message)
}

/// Linux's numbers, which reach us as values from the engine.
private enum Errno {
    static let addressNotAvailable: Int32 = 99
    /// ENOMEM, ENFILE, EMFILE, ENOBUFS.
    static let scarcity: Set<Int32> = [12, 23, 24, 105]
}

extension Array where Element == Condition {
    /// Replaces `Programmed` where it is open.
    fileprivate mutating func close(_ answer: (_ observed: Int64?) -> Condition) {
        for index in indices where self[index].type == .programmed && self[index].status == .unknown {
            self[index] = answer(self[index].observedGeneration)
        }
    }
}
