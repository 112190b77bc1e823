internal import EngineModel
internal import KubernetesAPI

/// What BackendPolicies make of backends and of the ways that lead to them.
struct BackendPolicyResolution {
    typealias Holder = AttachmentIndex<BackendPolicyReading>.Holder

    var index: AttachmentIndex<BackendPolicyReading>
    let locality: Locality
    let gateways: [GatewayState]
    /// Services that are targets, or that one of their ports is.
    private let services: Set<ObjectKey>
    /// Those attached to a listener, or to what it belongs to, by gateway and listener; the least specific first.
    private var listeners: [[[Holder]]] = []

    init(
        _ snapshot: ClusterSnapshot, _ gateways: [GatewayState], _ memory: PolicyMemory,
        _ options: TranslationOptions
    ) {
        locality = Locality(snapshot, options)
        index = AttachmentIndex(snapshot, gateways, memory)
        self.gateways = gateways
        services = Set(index.policies.flatMap(\.attachments).compactMap { $0.point.service })
        guard !index.isEmpty else { return }
        for gateway in gateways {
            listeners.append(gateway.listeners.map { index.holders(at: $0.attachmentPoints) })
        }
    }

    var isEmpty: Bool { index.isEmpty }

    /// Whether a policy is for the backend itself.
    func concerns(_ backend: BackendTarget) -> Bool { backend.attachmentPoints.contains(where: index.isTarget) }
    func concerns(service: ObjectKey) -> Bool { services.contains(service) }

    func holders(_ gateway: Int, _ listener: Int) -> [Holder] {
        listeners.isEmpty ? [] : listeners[gateway][listener]
    }

    /// Everything that is attached along a way to a backend, the least specific first; the last `own` are the backend's.
    func chain(to target: BackendTarget, by route: RouteKey, under wider: [Holder]) -> (all: [Holder], own: Int) {
        let own = index.holders(at: target.attachmentPoints)
        return (wider + index.holders(at: [.route(route)]) + own, own.count)
    }

    /// How a backend is used, and what tells that use apart from others.
    func use(_ backend: PolicedBackend, _ chain: (all: [Holder], own: Int), isRaw: Bool) -> BackendWays.Use {
        let full = parts(chain.all, backend, isRaw: isRaw)
        var use = BackendWays.Use(parts: full.parts, variant: "", isTLS: full.parts.tls != nil)
        if isRaw { use.isTLS = parts(chain.all, backend, isRaw: false).parts.tls != nil }
        let wide = chain.all.count - chain.own
        let own = Array(chain.all.suffix(chain.own))
        guard wide > 0, full.parts != parts(own, backend, isRaw: isRaw).parts else { return use }
        let names = full.contributors.filter { $0 < wide }.map { name(chain.all[$0]) }
        if !names.isEmpty { use.variant = "with " + names.joined(separator: ", ") }
        return use
    }

    /// Of a policy's attachment, in what tells uses apart.
    private func name(_ holder: Holder) -> String {
        let policy = index.policies[holder.policy]
        if index.obstacle(holder) != nil { return "\(policy.key), refused" }
        let reading = index.reading(holder)
        let version = index[holder].substitute == nil ? "" : ", as it was"
        // Its counts are the target's.
        let target = reading.breaker == nil && reading.queue == nil ? "" : " at \(index[holder].point.description)"
        return policy.key.description + version + target
    }

    /// What a chain of policies, the least specific first, makes of a backend, and which of them have a part in it.
    func parts(
        _ chain: [Holder], _ backend: PolicedBackend, isRaw: Bool
    ) -> (parts: BackendParts, contributors: [Int]) {
        guard !chain.isEmpty else {
            return (BackendParts(BackendFields(), backend, zone: locality.zone, isRaw: isRaw), [])
        }
        let (fields, sources) = merge(chain)
        var parts = BackendParts(fields, backend, zone: locality.zone, isRaw: isRaw)
        var contributors: Set<Int> = []
        for field in BackendField.allCases {
            guard let source = sources[field], !field.needsTLS || parts.tls != nil else { continue }
            contributors.insert(source)
        }
        if backend.tls == nil, parts.tls != nil, let place = fields.verification?.pinsBefore {
            contributors.insert(place)
        }
        for (place, holder) in chain.enumerated() {
            if index.obstacle(holder) != nil {
                guard !isRaw, index.isSecurity(holder) else { continue }
                parts.close()
                contributors.insert(place)
                continue
            }
            let reading = index.reading(holder)
            if var breaker = reading.breaker {
                breaker.id = index.limitID(holder)
                parts.circuitBreakers.append(breaker)
                contributors.insert(place)
            }
            if var queue = reading.queue {
                queue.id = index.limitID(holder)
                parts.queue = queue
                contributors.insert(place)
            }
        }
        return (parts, contributors.sorted())
    }

    /// The settings of those of a chain that hold.
    func merge(_ chain: [Holder]) -> (fields: BackendFields, sources: BackendFieldSources) {
        var (fields, sources) = (BackendFields(), BackendFieldSources())
        for (place, holder) in chain.enumerated() where index.obstacle(holder) == nil {
            fields.merge(index.reading(holder).fields, from: place, &sources)
        }
        return (fields, sources)
    }
}

extension AttachmentPoint {
    fileprivate var service: ObjectKey? {
        switch self {
        case .service(let key), .servicePort(let key, _): key
        default: nil
        }
    }
}
