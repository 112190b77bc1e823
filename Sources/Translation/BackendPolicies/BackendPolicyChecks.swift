internal import EngineModel
internal import KubernetesAPI

// What depends on where traffic goes: contradictions, fields that never act, and what is to be said.

extension BackendPolicyResolution {
    /// Where there is something to be connected to.
    struct Scene {
        let uses: Set<BackendUse>
        let catalog: BackendCatalog
        let slices: SliceIndex
        let authorities: PolicyIndex
    }

    /// A way that traffic takes, with everything that is attached along it, the least specific first.
    struct Way {
        let use: BackendUse
        let chain: [Holder]
        /// TLS of clients passes through.
        let isRaw: Bool
        /// Whether a BackendTLSPolicy is for the backend.
        let hasAuthority: Bool
        /// Whether an endpoint is a name.
        let hasNames: Bool
    }

    /// Ways, and those that lead along each attachment.
    struct Ways {
        private(set) var all: [Way] = []
        private var byHolder: [Holder: [Int]] = [:]

        mutating func add(_ way: Way) {
            for holder in way.chain { byHolder[holder, default: []].append(all.count) }
            all.append(way)
        }

        /// Those that end at a backend.
        func along(_ holder: Holder) -> some Sequence<Way> {
            (byHolder[holder] ?? []).lazy.map { all[$0] }.filter { $0.use.backend != .none }
        }
    }

    /// To be called once it is known where traffic goes.
    mutating func settle(_ scene: Scene) {
        guard !isEmpty else { return }
        var ways = Ways()
        for use in scene.uses {
            noteAncestors(use)
            ways.add(way(use, scene))
        }
        // A policy that is not accepted after all changes what holds for others: so it goes on until nothing is found any
        // more. Each round takes at least one attachment out.
        while rejectContradictions(ways) || rejectIdleFields(ways) {}
        for (gateway, state) in gateways.enumerated() {
            for (listener, state) in state.listeners.enumerated() {
                note(holders(gateway, listener)) { !$0.needsTLS || state.traffic != .passthrough }
            }
        }
        for way in ways.all {
            let isTLS = isTLS(way)
            note(way.chain) { way.use.backend == .none || ($0.needsTLS ? isTLS : $0 != .dns || way.hasNames) }
        }
        for policy in index.policies.indices {
            for attachment in index.policies[policy].attachments.indices {
                let holder = Holder(policy: policy, attachment: attachment)
                if index.obstacle(holder) == nil { index[holder].warn(warnings(holder, ways, scene)) }
            }
        }
    }

    private mutating func noteAncestors(_ use: BackendUse) {
        let gateway = gateways[use.gateway].key
        if let route = use.route { index.note(.route(route), at: gateway) }
        guard case .target(let target) = use.backend else { return }
        for point in target.attachmentPoints { index.note(point, at: gateway) }
    }

    private func way(_ use: BackendUse, _ scene: Scene) -> Way {
        var points: [AttachmentPoint] = []
        if let route = use.route { points.append(.route(route)) }
        var (hasAuthority, hasNames) = (false, false)
        switch use.backend {
        case .target(let target):
            points += target.attachmentPoints
            hasAuthority = scene.authorities.tls(for: target) != nil
            hasNames = scene.catalog.hasNames(target)
        case .other(let hasTLS, let areNames): (hasAuthority, hasNames) = (hasTLS, areNames)
        case .none: break
        }
        return Way(
            use: use, chain: holders(use.gateway, use.listener) + index.holders(at: points),
            isRaw: gateways[use.gateway].listeners[use.listener].traffic == .passthrough,
            hasAuthority: hasAuthority, hasNames: hasNames)
    }

    /// Whether a backend is spoken to in TLS that begins here.
    private func isTLS(_ way: Way) -> Bool {
        guard !way.isRaw, way.use.backend != .none else { return false }
        return way.hasAuthority || merge(way.chain).fields.verification?.kind == .pinOnly
    }

    // MARK: What cannot stand beside each other

    private mutating func rejectContradictions(_ ways: Ways) -> Bool {
        var chains: Set<[Holder]> = []
        for (gateway, state) in gateways.enumerated() {
            for (listener, state) in state.listeners.enumerated() where state.traffic != .passthrough {
                chains.insert(holders(gateway, listener))
            }
        }
        for way in ways.all where !way.isRaw { chains.insert(way.chain) }
        let found = Set(chains.compactMap { contradiction($0) })
        // The least specific ones first: without them others may be in order.
        guard let first = found.map({ index[$0.holder].point.specificity }).min() else { return false }
        var refused: Set<Holder> = []
        for refusal in found.sorted(by: { $0.verdict.message < $1.verdict.message })
        where index[refusal.holder].point.specificity == first && refused.insert(refusal.holder).inserted {
            index[refusal.holder].refuse(refusal.verdict)
        }
        return true
    }

    private struct Refusal: Hashable {
        let holder: Holder
        let verdict: Verdict
    }

    /// Why merged fields contradict each other, and which policy is to blame: the most specific of those involved.
    private func contradiction(_ chain: [Holder]) -> Refusal? {
        let (fields, sources) = merge(chain)
        func blamed(_ a: BackendField, _ b: BackendField, _ message: String) -> Refusal? {
            guard let first = sources[a], let second = sources[b] else { return nil }
            let (specific, wider) = (chain[max(first, second)], chain[min(first, second)])
            let other =
                specific.policy == wider.policy ? "" : " (with BackendPolicy \(index.name(wider, for: specific)))"
            return Refusal(holder: specific, verdict: Verdict(.invalid, "tls: \(message)\(other)"))
        }
        if let minimum = fields.minimumVersion, let maximum = fields.maximumVersion, minimum > maximum {
            return blamed(.minVersion, .maxVersion, "minVersion must not be greater than maxVersion")
        }
        if fields.ciphers != nil, fields.minimumVersion == .v13 {
            return blamed(.ciphers, .minVersion, "ciphers cannot be set when minVersion is 1.3")
        }
        return nil
    }

    // MARK: What never acts

    /// Fields that act on none of the backends that an attachment is for; empty where it is for none yet.
    private func idleFields(_ holder: Holder, _ ways: Ways) -> [String] {
        let reading = index.reading(holder)
        let needsTLS = [reading.isSecurity ? "tls" : nil, reading.fields.startTLS == nil ? nil : "startTLS"]
        let needsNames = reading.fields.dns != nil
        guard needsNames || needsTLS.contains(where: { $0 != nil }) else { return [] }
        var (isUsed, hasTLS, hasNames) = (false, false, false)
        for way in ways.along(holder) {
            isUsed = true
            hasTLS = hasTLS || isTLS(way)
            hasNames = hasNames || way.hasNames
        }
        guard isUsed else { return [] }
        let of = "no backend of \(index[holder].point.description)"
        let tls =
            "\(of) is spoken to in TLS (BackendTLSPolicy, or tls.verification PinOnly) by a listener that passes none through"
        let names = needsNames && !hasNames ? ["dns has no effect: \(of) has a DNS name for an endpoint"] : []
        return (hasTLS ? [] : needsTLS.compactMap { $0 }.map { "\($0) has no effect: \(tls)" }) + names
    }

    private mutating func rejectIdleFields(_ ways: Ways) -> Bool {
        var refusals: [Refusal] = []
        for holder in narrowHolders where index.obstacle(holder) == nil {
            if let message = idleFields(holder, ways).first {
                refusals.append(Refusal(holder: holder, verdict: Verdict(.invalid, message)))
            }
        }
        for refusal in refusals { index[refusal.holder].refuse(refusal.verdict) }
        return !refusals.isEmpty
    }

    /// Attachments to a single route or backend: there every field has to mean something.
    private var narrowHolders: [Holder] {
        index.policies.indices.flatMap { policy in
            index.policies[policy].attachments.indices.compactMap { attachment in
                let holder = Holder(policy: policy, attachment: attachment)
                let point = index[holder].point
                guard index.holder(at: point) == holder else { return nil }
                if case .route = point { return holder }
                return point.isBackend ? holder : nil
            }
        }
    }

    /// Whether TLS that a wider policy asks for by itself is left to a BackendTLSPolicy that there is not.
    private func isLeftWithoutTrust(_ way: Way) -> Bool {
        !way.isRaw && !way.hasAuthority && merge(way.chain).fields.verification?.pinsBefore != nil
    }

    private func withoutTrust(_ point: AttachmentPoint) -> String {
        "tls.verification: connections to backends of \(point.description) without a BackendTLSPolicy are refused, for "
            + "PinOnly of a wider policy asked for TLS, and no CA is known"
    }

    // MARK: What is to be said

    private func warnings(_ holder: Holder, _ ways: Ways, _ scene: Scene) -> [Verdict] {
        var warnings = idleFields(holder, ways).map { Verdict(.notEnforceable, $0) }
        let reading = index.reading(holder)
        let point = index[holder].point
        let isPinned = reading.fields.verification?.kind == .authorityAndPin
        if isPinned, warnings.isEmpty, ways.along(holder).contains(where: { !$0.isRaw && !isTLS($0) }) {
            warnings.append(
                Verdict(
                    .notEnforceable,
                    "tls.verification CAAndPin: backends of \(point.description) without a BackendTLSPolicy are spoken to in "
                        + "the clear"))
        }
        if reading.fields.verification != nil, ways.along(holder).contains(where: isLeftWithoutTrust) {
            warnings.append(Verdict(.notEnforceable, withoutTrust(point)))
        }
        if reading.fields.healthCheck?.active != nil, point.isBackend {
            let used = ways.along(holder).map { scene.hasEndpoints($0.use.backend) }
            if used.contains(false), !used.contains(true) {
                warnings.append(
                    Verdict(.noEndpointChecked, "healthCheck checks nothing: \(point.description) has no endpoint"))
            }
        }
        if reading.fields.loadBalancer?.zones != nil, locality.zone == nil {
            warnings.append(
                Verdict(
                    .zoneUnknown,
                    "loadBalancer.zoneAware has no effect: it is not known which zone this process runs in (--zone)"))
        }
        return warnings
    }

    /// Notes which fields of a chain's policies hold, and which are set by more specific ones.
    private mutating func note(_ chain: [Holder], _ isHeeded: (BackendField) -> Bool) {
        let chain = chain.filter { index.obstacle($0) == nil }
        let sources = merge(chain).sources
        for (place, holder) in chain.enumerated() {
            for field in index.reading(holder).present where isHeeded(field) {
                guard let source = sources[field], source != place else {
                    index[holder].holding.insert(field.name)
                    continue
                }
                index[holder].overridden[field.name, default: []].insert(index.name(chain[source], for: holder))
            }
            let reading = index.reading(holder)
            if reading.breaker != nil || reading.queue != nil { index[holder].holding.insert("circuitBreaker") }
        }
    }
}

extension BackendPolicyResolution.Scene {
    fileprivate func hasEndpoints(_ backend: BackendUse.Backend) -> Bool {
        guard case .target(.service(let key, let port)) = backend else { return true }
        return catalog.externalNames[key] != nil || slices.hasEndpoints(key, port)
    }
}

extension AttachmentPoint {
    /// Grows along a chain.
    fileprivate var specificity: Int {
        switch self {
        case .gateway: 0
        case .gatewayListener, .listenerSet: 1
        case .setListener: 2
        case .route: 3
        case .service, .backend: 4
        case .servicePort: 5
        }
    }
}
