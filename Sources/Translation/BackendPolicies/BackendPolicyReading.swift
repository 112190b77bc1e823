internal import EngineModel
internal import KubernetesAPI

/// The values of a BackendPolicy.
struct BackendPolicyReading: PolicyReading {
    static var kind: String { BackendPolicy.resourceKind.kind }
    static var targetsBackends: Bool { true }
    static var closure: String { "connections to its backends are refused" }
    static var affected: Condition.ConditionType { .backendPolicyAffected }

    let uid: String?
    let generation: Int64?
    let targets: [PolicyTargetReference]
    /// Settings, which merge.
    let fields: BackendFields
    /// By its name in the definition.
    let present: [BackendField]
    /// Whether there is `tls`, even one that says nothing.
    let isSecurity: Bool
    /// Of the circuit breaker; their id names no target yet.
    let breaker: CircuitBreaker?
    let queue: PendingQueue?

    init(_ key: ObjectKey, _ policy: BackendPolicy) {
        uid = policy.metadata.uid
        generation = policy.metadata.generation
        targets = policy.spec.targetRefs
        fields = BackendFields(policy.spec)
        present = fields.present
        isSecurity = policy.spec.tls != nil
        let id = LimitID(policy: key.description, target: "")
        let field = policy.spec.circuitBreaker
        let (total, each) = (field?.maxConnections, field?.perEndpoint?.maxConnections)
        let length = field?.effectiveMaxPendingConnections ?? 0
        let hasLimit = total != nil || each != nil
        breaker = hasLimit ? CircuitBreaker(id: id, maximumConnections: total, maximumPerEndpoint: each) : nil
        queue =
            length > 0
            ? PendingQueue(id: id, length: length, timeout: duration(field?.effectiveQueueTimeout) ?? .seconds(5)) : nil
    }
}

extension BackendPolicy {
    /// Why the policy cannot be accepted, whatever its targets are. What its definition refuses can come from a folder of manifests.
    fileprivate func rejections(_ patternProblems: [String: String]) -> [Verdict] {
        var messages = specProblems().map { "\($0.field): \($0.message)" }
        if let size = spec.loadBalancer?.consistentHash?.tableSize, !size.isPrime {
            messages.append("spec.loadBalancer.consistentHash.tableSize: \(size) is not a prime number")
        }
        for (index, step) in (spec.healthCheck?.active?.tcp?.steps ?? []).enumerated() {
            guard let pattern = step.expect?.regex, let problem = patternProblems[pattern] else { continue }
            messages.append("spec.healthCheck.active.tcp.steps[\(index)].expect.regex: \(problem)")
        }
        messages += (spec.tls?.unknownNames ?? []).map { "spec.tls.\($0)" }
        return messages.map { Verdict(.invalid, $0) }
    }
}

extension Int {
    /// Of numbers up to some millions.
    fileprivate var isPrime: Bool {
        guard self > 3 else { return self > 1 }
        var divisor = 2
        while divisor * divisor <= self {
            if isMultiple(of: divisor) { return false }
            divisor += 1
        }
        return true
    }
}

extension AttachmentIndex<BackendPolicyReading> {
    /// The BackendPolicies of a snapshot.
    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState], _ memory: PolicyMemory) {
        let policies = snapshot.backendPolicies.byPrecedence.map { key, policy in
            let own = BackendPolicyReading(key, policy)
            return AttachedPolicy(
                key, own,
                rejections: own.unsupportedTargets(in: key.namespace) + policy.rejections(snapshot.patternProblems),
                memory.backends)
        }
        let scene = PolicyScene(snapshot, policies.isEmpty ? [] : gateways)
        self.init(policies, scene) { scene.refusal(of: $0, at: $1) }
    }
}

extension PolicyScene {
    /// Why a policy cannot hold at a point, the other policies and what leads where apart.
    fileprivate func refusal(of policy: BackendPolicyReading, at point: AttachmentPoint) -> Verdict? {
        if let absence = absence(of: point) { return absence }
        let served = listeners(at: point)?.all.filter { $0.obstacle == nil } ?? []
        // What a listener lacks that is not served, it may merely lack for now.
        guard !served.isEmpty, served.allSatisfy({ $0.traffic == .passthrough }) else { return nil }
        guard let field = policy.isSecurity ? "tls" : policy.fields.startTLS.map({ _ in "startTLS" }) else {
            return nil
        }
        return Verdict(.invalid, "\(field) never acts at \(point.description), where TLS passes through")
    }
}
