internal import EngineModel

/// What policies make of ways to backends; those that have the same policies are worked out once.
struct BackendWays {
    typealias Holder = BackendPolicyResolution.Holder

    /// How a backend is used.
    struct Use {
        var parts: BackendParts
        /// Tells the use apart from others of the same backend; empty: nothing does.
        var variant: String
        /// Whether the backend is spoken to in TLS, by those to whom TLS of clients does not pass through.
        var isTLS: Bool
    }

    private struct Way: Hashable {
        let chain: [Holder]
        let own: Int
        let hasAffinity: Bool
        let isRaw: Bool
    }

    private var known: [Way: Use] = [:]

    /// How a backend is used by a route at a listener, whose policies are `wider`. `isRaw`: TLS of clients passes through to it.
    mutating func use(
        _ target: BackendTarget, _ backend: PolicedBackend, by route: RouteKey, under wider: [Holder], isRaw: Bool,
        _ policies: BackendPolicyResolution
    ) -> Use {
        let chain = policies.isEmpty ? (all: [], own: 0) : policies.chain(to: target, by: route, under: wider)
        // What a BackendTLSPolicy says is no part of a way.
        guard backend.tls == nil else { return policies.use(backend, chain, isRaw: isRaw) }
        let way = Way(chain: chain.all, own: chain.own, hasAffinity: backend.hasAffinity, isRaw: isRaw)
        if let use = known[way] { return use }
        let use = policies.use(backend, chain, isRaw: isRaw)
        known[way] = use
        return use
    }
}
