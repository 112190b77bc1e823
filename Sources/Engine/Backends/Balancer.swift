internal import EngineCore
internal import EngineModel
internal import Platform
internal import Primitives
internal import Synchronization

/// How the connections of one backend are spread over its endpoints, where that is more than least request by weight alone.
///
/// What is fixed, tables included, is made when the routing table is compiled. What depends on how endpoints stand and on the time
/// is a ``BalancerView``, which the first worker that finds it outdated makes anew and all workers share.
final class Balancer: @unchecked Sendable {
    // Sendable because each worker touches only its own cell of `views`, and all else is immutable or behind a lock.
    enum Choice {
        case endpoint(Int)
        /// Nobody is usable, and of some endpoint nothing is known yet.
        case awaited
        /// Who is usable has as many connections as it may have.
        case full
        /// Nobody is usable.
        case nobody
    }
    enum Method: Sendable {
        case leastRequest
        case random
        case rotation(Rotation, BackendState)
        case hash(SharedMaglevTable, SourcePrefix, BoundedLoad?)
    }

    let method: Method
    private let policy: EndpointPolicy
    private let endpoints: [EndpointState]
    private let standings: [EndpointHealth]
    private let changes: StandingChanges?
    private let slowStarts: Bool
    private let newest = Locked<BalancerView?>(nil)
    private let views: UnsafeMutablePointer<BalancerView?>
    private let workers: Int

    init(
        method: Method, policy: EndpointPolicy, slowStarts: Bool, endpoints: [EndpointState],
        standings: [EndpointHealth], changes: StandingChanges?, workers: Int
    ) {
        (self.method, self.policy, self.slowStarts) = (method, policy, slowStarts)
        (self.endpoints, self.standings, self.changes) = (endpoints, standings, changes)
        self.workers = workers
        views = .allocate(capacity: workers)
        views.initialize(repeating: nil, count: workers)
    }

    deinit {
        views.deinitialize(count: workers)
        views.deallocate()
    }

    /// What holds at `now` (milliseconds); called on the worker alone. `exactly`: also of many endpoints.
    func view(worker: Int, now: Int64, exactly: Bool = false) -> BalancerView {
        let changes = changes?.count ?? 0
        if let view = views[worker], holds(view, changes, now, exactly) { return view }
        let view = view(changes, now, exactly)
        views[worker] = view
        return view
    }

    /// The same, from any thread.
    func view(now: Int64) -> BalancerView { view(changes?.count ?? 0, now, true) }

    private func view(_ changes: UInt64, _ now: Int64, _ exactly: Bool) -> BalancerView {
        newest.withLock { newest in
            if let newest, holds(newest, changes, now, exactly) { return newest }
            let shares = policy.shares(at: now, use: use, start: start)
            let view = BalancerView(changes: changes, shares: shares, now: now)
            newest = view
            return view
        }
    }

    /// Of thousands of endpoints standings may change thousands of times a second, as at the start: then they are looked through
    /// a hundred times, and who is chosen meanwhile is asked whether it still is usable (``hasGone(_:_:)``).
    private func holds(_ view: BalancerView, _ changes: UInt64, _ now: Int64, _ exactly: Bool) -> Bool {
        guard now < view.end else { return false }
        if view.changes == changes { return true }
        return !exactly && hasMany && !view.shares.isEmpty && now < view.start + 10
    }

    private var hasMany: Bool { endpoints.count > 256 }

    /// Whether an endpoint that the view has can be used no more.
    func hasGone(_ index: Int, _ view: BalancerView) -> Bool {
        hasMany && !view.shares.isPanicking && index < standings.count && !standings[index].isUsable
    }

    /// Whether the view may lack what has changed.
    func isOutdated(_ view: BalancerView) -> Bool { view.changes != changes?.count ?? 0 }

    private func use(_ index: Int) -> EndpointUse {
        guard index < standings.count else { return .usable }
        let standing = standings[index].standing
        return standing.isUsable ? .usable : standing.contains(.unchecked) ? .unchecked : .unusable
    }

    /// A usable endpoint beyond those that are chosen from.
    func farther(_ random: UInt64, isOut: (Int) -> Bool) -> Int? {
        policy.nearest(random: random, use: use, active: active, isOut: isOut)
    }

    /// When an endpoint began to warm up; 0: it did not.
    private func start(_ index: Int) -> Int64 {
        guard slowStarts else { return 0 }
        let joined = endpoints[index].joinedAt.load(ordering: .relaxed)
        guard index < standings.count else { return joined }
        let health = standings[index]
        return joined > 0 ? max(joined, health.firstUsableAt, health.recoveredAt) : health.recoveredAt
    }

    func active(_ index: Int) -> Int { endpoints[index].active.load(ordering: .relaxed) }
}

/// Who is chosen from, and with which shares, as long as no endpoint's standing changes and until ``end``.
final class BalancerView: Sendable {
    /// ``StandingChanges/count`` before standings were read.
    let changes: UInt64
    /// When it was made, in milliseconds, and when it is another one though nothing happens.
    let start: Int64
    let end: Int64
    let shares: EndpointShares
    private let activeSum = Atomic<Int>(0)
    private let activeSumEnd = Atomic<Int64>(0)

    init(changes: UInt64, shares: EndpointShares, now: Int64) {
        (self.changes, self.shares, start) = (changes, shares, now)
        end = shares.nextStep ?? .max
    }

    private static let countedEachTime = 128

    /// Connections of the endpoints that are chosen from; of many endpoints as it was up to ten milliseconds ago.
    func activeSum(now: Int64, active: (Int) -> Int) -> Int {
        let isLarge = shares.weights.count > BalancerView.countedEachTime
        if isLarge, now < activeSumEnd.load(ordering: .relaxed) { return activeSum.load(ordering: .relaxed) }
        let sum = shares.weights.indices.reduce(0) { shares.weights[$1] > 0 ? $0 + active($1) : $0 }
        guard isLarge else { return sum }
        activeSum.store(sum, ordering: .relaxed)
        activeSumEnd.store(now + 10, ordering: .relaxed)
        return sum
    }
}

/// One table for all variants and tables whose backend has the same endpoints.
final class SharedMaglevTable: Sendable {
    struct Key: Hashable, Sendable {
        var addresses: [StreamAddress]
        var weights: [Int]
        var size: Int
    }
    let table: MaglevTable

    init(_ key: Key) {
        table = MaglevTable(identities: key.addresses.map(\.stableBytes), weights: key.weights, size: key.size)
    }
}

extension StreamAddress {
    /// The same on every replica.
    fileprivate var stableBytes: [UInt8] {
        switch self {
        case .unix(let path): return Array(path.utf8)
        case .ip(let address):
            let words: [UInt64] =
                switch address.ip {
                case .v4(let value): [UInt64(value)]
                case .v6(let high, let low): [high, low]
                }
            return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
                + [UInt8(truncatingIfNeeded: address.port), UInt8(address.port >> 8)]
        }
    }
}
