public import EngineModel
internal import KubernetesAPI
public import Primitives

/// Closes the open `Programmed` conditions of a report with what the engine acknowledged, and says of Backends whether their
/// names resolve. `addresses` are where gateways that ask for no address are reachable. Pure; without an acknowledgement
/// nothing is closed.
public func compose(
    _ report: StatusReport, _ acknowledgement: Acknowledgement?, addresses: [IPAddress]
) -> StatusReport {
    var composer = StatusComposer()
    return composer.compose(report, acknowledgement, addresses: addresses)
}

/// ``compose(_:_:addresses:)`` for one report after another: where the engine's answer stayed the same, only gateways of which
/// something else is said are looked at. The results are the same. A value of one thread.
public struct StatusComposer: Sendable {
    private struct Memory: Sendable {
        let report: StatusReport
        let bindings: [Binding: BindingState]
        let addresses: [IPAddress]
        let composed: StatusReport
    }

    private var memory: Memory?

    public init() {}

    /// What ``compose(_:_:addresses:)`` says.
    public mutating func compose(
        _ report: StatusReport, _ acknowledgement: Acknowledgement?, addresses: [IPAddress]
    ) -> StatusReport {
        guard let acknowledgement else { return report }
        var closer = StatusCloser(report, acknowledgement, addresses)
        if let memory, memory.bindings == acknowledgement.bindings, memory.addresses == addresses,
            memory.report.bindings == report.bindings, memory.report.reaches == report.reaches,
            memory.report.listenerSetParents == report.listenerSetParents
        {
            closer.closeChanges(since: memory.report, memory.composed)
        } else {
            closer.closeAll()
        }
        closer.closeBackends()
        memory = Memory(
            report: report, bindings: acknowledgement.bindings, addresses: addresses, composed: closer.report)
        return closer.report
    }
}

/// Closes the conditions of one report.
private struct StatusCloser {
    private let open: StatusReport
    private let acknowledgement: Acknowledgement
    private let addresses: [IPAddress]
    /// ListenerSets by gateway, in order.
    private let sets: [ObjectKey: [ObjectKey]]
    private(set) var report: StatusReport

    init(_ report: StatusReport, _ acknowledgement: Acknowledgement, _ addresses: [IPAddress]) {
        (open, self.report, self.acknowledgement, self.addresses) = (report, report, acknowledgement, addresses)
        let parents = report.listenerSetParents
        sets = Dictionary(grouping: parents.keys.sorted()) { parents[$0] ?? $0 }
    }

    mutating func closeAll() {
        for gateway in Set(open.gateways.keys).union(sets.keys) { close(gateway) }
    }

    /// Takes over what was made of an earlier report that differs in statuses alone, and closes the rest.
    mutating func closeChanges(since earlier: StatusReport, _ composed: StatusReport) {
        (report.gateways, report.listenerSets) = (composed.gateways, composed.listenerSets)
        var gateways = Set(open.gateways.changedKeys(since: earlier.gateways))
        for key in open.listenerSets.changedKeys(since: earlier.listenerSets) {
            report.listenerSets[key] = open.listenerSets[key]
            if let gateway = open.listenerSetParents[key] { gateways.insert(gateway) }
        }
        for key in gateways {
            if open.gateways[key] == nil { report.gateways[key] = nil }
            close(key)
        }
    }

    /// Of Backends whose names the engine watches, those of routes: whether they have addresses. Until the first answer nothing
    /// is said.
    mutating func closeBackends() {
        for id in acknowledgement.resolved where id.kind == "Backend" {
            add(id, .true, .resolvedRefs, "")
        }
        for (id, problem) in acknowledgement.unresolved where id.kind == "Backend" {
            add(id, .false, .dnsFailed, problem)
        }
    }

    private mutating func add(
        _ id: BackendID, _ status: Condition.Status, _ reason: Condition.Reason, _ message: String
    ) {
        let key = ObjectKey(namespace: id.namespace, name: id.name)
        guard let accepted = report.backends[key]?.conditions.first(where: { $0.type == .accepted }) else { return }
        let own = report.backends[key]?.conditions.contains { $0.type == .resolvedRefs && $0.status == .false }
        guard own != true else { return }
        report.backends[key]?.conditions.removeAll { $0.type == .resolvedRefs }
        report.backends[key]?.conditions.append(
            Condition(.resolvedRefs, status, reason, message, observedGeneration: accepted.observedGeneration))
    }

    private mutating func close(_ key: ObjectKey) {
        let ofSets = closeSets(of: key)
        guard var status = open.gateways[key] else { return }
        var served: [ListenerOutcome] = []
        for index in status.listeners.indices {
            let id = ListenerID(
                gatewayNamespace: key.namespace, gateway: key.name, listener: status.listeners[index].name)
            guard let bindings = open.bindings[id] else { continue }
            let outcome = ListenerOutcome(status.listeners[index].name, bindings, acknowledgement)
            served.append(outcome)
            status.listeners[index].conditions.close { outcome.condition(observed: $0) }
        }
        let reach = open.reaches[key] ?? hostReach(served + ofSets, addresses)
        if !served.isEmpty || !ofSets.isEmpty { status.addresses = reach.addresses }
        // The gateway speaks of its own listeners, unless it has none but those of its sets.
        let telling = served.isEmpty ? ofSets : served
        status.conditions.close { gatewayCondition(telling, reach, observed: $0) }
        report.gateways[key] = status
    }

    /// Closes the conditions of a gateway's ListenerSets; returns what became of their listeners.
    private mutating func closeSets(of gateway: ObjectKey) -> [ListenerOutcome] {
        var attached: [ListenerOutcome] = []
        for key in sets[gateway] ?? [] {
            guard var status = open.listenerSets[key] else { continue }
            let owner = ListenerOwner(gateway: gateway, set: key)
            var served: [ListenerOutcome] = []
            for index in status.listeners.indices {
                let name = status.listeners[index].name
                guard let bindings = open.bindings[owner.id(name)] else { continue }
                let outcome = ListenerOutcome(name, bindings, acknowledgement)
                served.append(outcome)
                status.listeners[index].conditions.close { outcome.condition(observed: $0) }
            }
            if !served.isEmpty { status.conditions.close { listenerSetCondition(served, observed: $0) } }
            report.listenerSets[key] = status
            attached += served
        }
        return attached
    }
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
