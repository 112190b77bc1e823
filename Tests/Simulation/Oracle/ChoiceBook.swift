import EngineCore
import EngineModel
import Platform
import Primitives
import Synchronization

@testable import Engine

/// Who may be chosen: nobody who is out while others are in, nobody who is full, each by its share.
final class ChoiceBook {
    private struct Place: Hashable {
        var backend: BackendID
        var address: StreamAddress
    }
    private unowned let oracle: Oracle
    /// Milliseconds.
    private var joined: [Place: Int64] = [:]
    private var known: [BackendID: Set<StreamAddress>] = [:]
    private var active: [ObjectIdentifier: (endpoint: EndpointState, count: Int)] = [:]
    private var turns: [BackendID: (weights: [Int], bound: DeviationBound)] = [:]
    private var homes: [String: StreamAddress] = [:]

    init(_ oracle: Oracle) { self.oracle = oracle }

    func compiled(_ compiler: TableCompiler) {
        for (id, backend) in compiler.backends {
            let old = known[id]
            known[id] = Set(backend.endpoints.map(\.address))
            guard let old, backend.configuration.settings.loadBalancing.slowStart != nil else { continue }
            for endpoint in backend.endpoints where !old.contains(endpoint.address) {
                joined[Place(backend: id, address: endpoint.address)] =
                    old.isEmpty ? endpoint.joinedAt.load(ordering: .relaxed) : oracle.now / 1_000_000
            }
        }
    }

    func dialled(_ endpoint: EndpointState) { active[ObjectIdentifier(endpoint), default: (endpoint, 0)].count += 1 }

    func released(_ endpoint: EndpointState) { active[ObjectIdentifier(endpoint)]?.count -= 1 }

    func atEnd(_ gateway: Gateway) {
        for (endpoint, count) in active.values {
            oracle.require(
                "end", count == 0 && endpoint.active.load(ordering: .relaxed) == 0,
                "\(endpoint.address) has \(endpoint.active.load(ordering: .relaxed)) connections left")
        }
    }

    // MARK: Who is in

    private struct Field {
        var weights: [Int]
        var usable: [Bool]
        /// Those that connections go to; empty: nobody.
        var members: [Int]
        var isWaiting = false
    }

    private func field(_ backend: BackendRuntime) -> Field {
        let weights = backend.resolved.weights
        let standings = backend.endpoints.indices.map { index -> UInt8 in
            guard index < backend.standings.count else { return 0 }
            return oracle.standings.entry(backend.standings[index])?.expected ?? 1
        }
        let usable = weights.indices.map { weights[$0] > 0 && standings[$0] & 3 == 0 }
        let unknown = weights.indices.filter { weights[$0] > 0 && !usable[$0] && standings[$0] & 4 != 0 }
        if !usable.contains(true), !unknown.isEmpty {
            return Field(weights: weights, usable: usable, members: [], isWaiting: true)
        }
        let known = weights.count { $0 > 0 } - unknown.count
        let threshold = backend.configuration.settings.health.panicThreshold
        let good = usable.count { $0 }
        let panics = threshold > 0 && known > 0 && Double(good) / Double(known) * 100 < Double(threshold) - 1e-9
        var members = weights.indices.filter { weights[$0] > 0 && (usable[$0] || panics) }
        let preferences = backend.resolved.preferences
        if let first = members.map({ preferences[$0] }).min() { members = members.filter { preferences[$0] == first } }
        return Field(weights: weights, usable: usable, members: members)
    }

    /// Whether all whom connections are given to are full. Where there is nobody, that is not why.
    func hasNoRoom(_ backend: BackendRuntime) -> Bool {
        guard let circuit = backend.circuit, !circuit.rooms.isEmpty else { return false }
        let members =
            backend.balancer == nil
            ? backend.resolved.weights.indices.filter { backend.resolved.weights[$0] > 0 } : field(backend).members
        return !members.isEmpty && members.allSatisfy { oracle.circuits.isFull(backend, $0) }
    }

    /// Whether somebody can be used, or may turn out to be.
    private func prospect(_ backend: BackendRuntime) -> BackendRuntime.Prospect {
        if backend.balancer == nil { return backend.resolved.weights.contains { $0 > 0 } ? .usable : .none }
        let field = field(backend)
        return !field.members.isEmpty ? .usable : field.isWaiting ? .awaited : .none
    }

    // MARK: Judging

    func judgedTier(_ next: BackendRuntime?, _ route: RouteRuntime, _ targets: [BackendRuntime?]) {
        let entries = route.configuration.backends
        func best(fallback: Bool) -> BackendRuntime.Prospect {
            entries.indices.filter { entries[$0].isFallback == fallback && entries[$0].weight > 0 }
                .compactMap { targets[$0].map(prospect) }.max() ?? .none
        }
        let isDown = best(fallback: false) == .none && best(fallback: true) != .none
        let allowed = entries.indices.filter { entries[$0].isFallback == isDown && entries[$0].weight > 0 }
        guard let next else {
            return oracle.require(
                "tiers", allowed.isEmpty || allowed.contains { targets[$0] == nil }, "a rule leads nowhere")
        }
        oracle.require(
            "tiers", allowed.contains { targets[$0] === next },
            "\(next.configuration.id) is chosen, of the wrong tier (first is \(isDown ? "down" : "up"))")
    }

    func judgedByWeight(_ picked: Int?, _ session: Session, _ backend: BackendRuntime) {
        let weights = backend.resolved.weights
        let candidates = weights.indices.filter { weights[$0] > 0 }
        let untried = candidates.filter { !session.tried.contains($0) }
        guard let picked else { return oracle.require("choice", candidates.isEmpty, "nobody is chosen") }
        oracle.require(
            "choice", (untried.isEmpty ? candidates : untried).contains(picked), "\(picked) is chosen of \(untried)")
    }

    func judged(
        _ choice: Balancer.Choice, _ session: Session, _ backend: BackendRuntime, _ view: BalancerView, now: Int64
    ) {
        let field = field(backend)
        let hasRoom = { (index: Int) in !self.oracle.circuits.isFull(backend, index) }
        let isUntried = { (index: Int) in !session.tried.contains(index) }
        switch choice {
        case .awaited: return oracle.require("choice", field.isWaiting, "a connection waits for checks in vain")
        case .nobody:
            return oracle.require(
                "choice", field.members.isEmpty && !field.isWaiting, "nobody is chosen of \(field.members)")
        case .full:
            turns[backend.configuration.id] = nil
            return oracle.require(
                "choice", !field.members.isEmpty && !field.members.contains(where: hasRoom),
                "all are said to be full of \(field.members)")
        case .endpoint(let index):
            var allowed = field.members.filter { hasRoom($0) && isUntried($0) }
            if allowed.isEmpty {
                let rest = field.usable.indices.filter { field.usable[$0] && hasRoom($0) && isUntried($0) }
                let first = rest.map { backend.resolved.preferences[$0] }.min()
                allowed = session.tried.isEmpty ? [] : rest.filter { backend.resolved.preferences[$0] == first }
            }
            if allowed.isEmpty { allowed = field.members.filter(hasRoom) }
            oracle.require(
                "choice", allowed.contains(index),
                "endpoint \(index) is chosen of \(allowed), members \(field.members), usable \(field.usable)")
            judgeShares(backend, field, view, now)
            // A retry takes a turn that is not its rule's.
            if session.tried.isEmpty {
                judgeMethod(index, session, backend, field)
            } else {
                turns[backend.configuration.id] = nil
            }
        }
    }

    // MARK: Shares

    private func judgeShares(_ backend: BackendRuntime, _ field: Field, _ view: BalancerView, _ now: Int64) {
        let weights = view.shares.weights
        guard let window = backend.configuration.settings.loadBalancing.slowStart?.wholeMilliseconds else {
            let expected = field.weights.indices.map { field.members.contains($0) ? field.weights[$0] : 0 }
            return oracle.require("choice", weights == expected, "shares are \(weights), should \(expected)")
        }
        oracle.require(
            "slow start",
            now / 1_000_000 < view.end && (view.end == .max || view.end <= view.start + max(10, window / 100)),
            "shares are older than they may be")
        let percents = field.members.map { percent(backend, $0, window: window, at: view.start) }
        let isWarming = percents.contains { $0 < 100 }
        for (index, percent) in zip(field.members, percents) {
            let scale = isWarming ? percent * 100 : 1
            let expected = Double(field.weights[index]) * scale
            oracle.require(
                "slow start",
                abs(Double(weights[index]) - expected) <= (isWarming ? 101 * Double(field.weights[index]) : 0),
                "endpoint \(index) has a share of \(weights[index]), should \(expected)")
        }
    }

    private func percent(_ backend: BackendRuntime, _ index: Int, window: Int64, at time: Int64) -> Double {
        let address = backend.endpoints[index].address
        let join = joined[Place(backend: backend.configuration.id, address: address)] ?? 0
        let entry = index < backend.standings.count ? oracle.standings.entry(backend.standings[index]) : nil
        let begin = max(join, entry?.recovery ?? 0, join > 0 ? entry?.firstUse ?? 0 : 0)
        guard begin > 0 else { return 100 }
        return min(100, 10 + 90 * Double(time - begin) / Double(window))
    }

    private func judgeMethod(_ index: Int, _ session: Session, _ backend: BackendRuntime, _ field: Field) {
        let id = backend.configuration.id
        let isWhole = field.members.allSatisfy { !oracle.circuits.isFull(backend, $0) }
        switch backend.configuration.settings.loadBalancing.method {
        case .roundRobin where backend.configuration.settings.loadBalancing.slowStart == nil:
            let shares = field.weights.indices.map { field.members.contains($0) ? field.weights[$0] : 0 }
            // Turns of who is out are given to all others, so that only whole fields follow the sequence.
            guard isWhole, shares == field.weights, backend.endpoints.count > 1 else { return turns[id] = nil }
            var run = turns[id] ?? (shares, DeviationBound(shares))
            if run.weights != shares { run = (shares, DeviationBound(shares)) }
            let holds = run.bound.take(index)
            turns[id] = run
            oracle.require("turns", holds, "endpoint \(index) of \(id) has not its turns of \(shares)")
        case .consistentHash(let hash) where isWhole && backend.endpoints.count > 1:
            if let percent = hash.boundedLoadPercent { return judgeBound(index, backend, field, percent) }
            let members = field.members.map { "\(backend.endpoints[$0].address)*\(field.weights[$0])" }
            let all = backend.endpoints.indices.map { "\(backend.endpoints[$0].address)*\(field.weights[$0])" }
            let key = "\(session.address) \(all.sorted()) \(members.sorted())"
            let address = backend.endpoints[index].address
            oracle.require(
                "hash", homes[key, default: address] == address, "\(session.address) goes to another endpoint")
            homes[key] = address
        default: turns[id] = nil
        }
    }

    private func judgeBound(_ index: Int, _ backend: BackendRuntime, _ field: Field, _ percent: Int) {
        func count(_ index: Int) -> Int { active[ObjectIdentifier(backend.endpoints[index])]?.count ?? 0 }
        let total = field.members.reduce(0) { $0 + count($1) }
        let sum = field.members.reduce(0) { $0 + field.weights[$1] }
        // The new one is among the total: it must not have more than this after it.
        let bound = Double(percent * (total + 1) * field.weights[index]) / Double(100 * sum)
        oracle.require(
            "hash", Double(count(index)) < bound + 1e-9,
            "endpoint \(index) has \(count(index)) of \(total), over its bound")
    }
}
