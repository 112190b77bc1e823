internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// What the backendRefs of a rule stand for.
struct ResolvedRule {
    /// One per backendRef.
    var targets: [Target] = []
    var problems: [Verdict] = []
    var remarks: [String] = []
    /// Those that a gateway may have to refuse: their endpoints are not from slices.
    var guarded: [BackendTarget] = []
    /// ALPN for listeners that terminate, when all backends speak the same by their appProtocol.
    var alpnProtocols: [String] = []

    struct Target {
        let weight: Int
        /// Nil: cannot be resolved, its share is refused.
        let backend: BackendTarget?
        /// Whether it has no share while another one can be used.
        let isFallback: Bool
    }
}

/// A backend that exists.
enum BackendTarget: Hashable {
    case service(ObjectKey, Service.Port)
    case backend(ObjectKey)
}

/// Resolves backendRefs, for every route on its own.
struct BackendResolver {
    private let snapshot: ClusterSnapshot
    private let grants: GrantIndex
    private let slices: SliceIndex
    private let backends: BackendCatalog

    init(_ snapshot: ClusterSnapshot, grants: GrantIndex, slices: SliceIndex, backends: BackendCatalog) {
        self.snapshot = snapshot
        self.grants = grants
        self.slices = slices
        self.backends = backends
    }

    func resolve(_ route: RouteState) -> ResolvedRule {
        var rule = ResolvedRule()
        for reference in route.rules.first?.backendRefs ?? [] {
            let weight = min(max(reference.effectiveWeight, 0), 1_000_000)
            let isFallback = backends.isFallback(reference, from: route.key.namespace)
            switch resolve(reference, of: route) {
            case .success(let target):
                rule.targets.append(ResolvedRule.Target(weight: weight, backend: target, isFallback: isFallback))
                if case .service(let key, _) = target { rule.remarks += slices.remarks(key) }
                if backends.isGuarded(target) { rule.guarded.append(target) }
            case .failure(let failure):
                rule.targets.append(ResolvedRule.Target(weight: weight, backend: nil, isFallback: isFallback))
                rule.problems.append(failure.verdict)
            }
        }
        rule.alpnProtocols = commonALPN(rule.targets)
        return rule
    }

    private struct Failure: Error {
        let verdict: Verdict
        init(_ reason: Condition.Reason, _ message: String) { self.verdict = Verdict(reason, message) }
    }

    private func resolve(_ reference: BackendReference, of route: RouteState) -> Result<BackendTarget, Failure> {
        let group = reference.effectiveGroup
        let kind = reference.effectiveKind
        let key = reference.key(from: route.key.namespace)
        let isBackend = group == Backend.resourceKind.group && kind == "Backend"
        guard isBackend || (group.isEmpty && kind == "Service") else {
            let name = group.isEmpty ? kind : "\(kind).\(group)"
            return .failure(
                Failure(.invalidKind, "\(name) \(key): supported are Service and Backend.\(Backend.resourceKind.group)")
            )
        }
        guard grants.permits(route.kind.rawValue, in: route.key.namespace, toGroup: group, toKind: kind, key) else {
            return .failure(
                Failure(
                    .refNotPermitted,
                    "\(kind) \(key): no ReferenceGrant in \(key.namespace) lets \(route.kind.rawValue)s of "
                        + "\(route.key.namespace) use it"))
        }
        return isBackend ? resolveBackend(key) : resolveService(key, reference.port)
    }

    private func resolveBackend(_ key: ObjectKey) -> Result<BackendTarget, Failure> {
        switch backends[key] {
        case nil: .failure(Failure(.backendNotFound, "Backend \(key) does not exist"))
        case .failure(let problem):
            .failure(Failure(.backendNotFound, "Backend \(key) is not accepted: \(problem.message)"))
        case .success: .success(.backend(key))
        }
    }

    private func resolveService(_ key: ObjectKey, _ port: Int?) -> Result<BackendTarget, Failure> {
        guard let service = snapshot.services[key] else {
            return .failure(Failure(.backendNotFound, "Service \(key) does not exist"))
        }
        guard let port, UInt16(exactly: port) != nil else {
            return .failure(Failure(.backendNotFound, "Service \(key): the reference gives no port"))
        }
        let ports = (service.spec.ports ?? []).filter { $0.port == port }
        if backends.externalNames[key] != nil {
            guard backends.external(key, port: port) != nil else {
                let name = printable(service.spec.externalName ?? "")
                return .failure(Failure(.backendNotFound, "Service \(key): externalName \"\(name)\" is no DNS name"))
            }
            return .success(.service(key, ports.first ?? Service.Port(port: port)))
        }
        guard let other = ports.first else {
            return .failure(Failure(.backendNotFound, "Service \(key) has no port \(port)"))
        }
        guard let found = ports.first(where: { $0.effectiveProtocol == "TCP" }) else {
            return .failure(
                Failure(.unsupportedProtocol, "Service \(key): port \(port) is \(other.effectiveProtocol), not TCP"))
        }
        return .success(.service(key, found))
    }

    private func commonALPN(_ targets: [ResolvedRule.Target]) -> [String] {
        let used = targets.filter { $0.weight > 0 && $0.backend != nil }
        let wanted = Set(used.map { $0.backend?.alpnProtocols ?? [] })
        return wanted.count == 1 ? wanted.first ?? [] : []
    }
}

extension BackendTarget {
    /// What the backend speaks, by KEP-3726's names.
    fileprivate var alpnProtocols: [String] {
        guard case .service(_, let port) = self else { return [] }
        switch port.appProtocol {
        case "kubernetes.io/h2c": return ["h2"]
        case "kubernetes.io/ws", "kubernetes.io/wss": return ["http/1.1"]
        default: return []
        }
    }
}
