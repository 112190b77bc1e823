internal import EngineModel
internal import Platform
internal import Synchronization

/// Which established sessions are closed as their endpoint has become unhealthy or was removed, or as backends that go before theirs
/// can be used again. Of the control thread; what holds is what the newest table says, whatever a session began with.
struct SessionWatch {
    /// An endpoint of a backend that says what becomes of sessions, perhaps one that is the backend's no more.
    private struct Watched {
        weak var state: EndpointState?
        /// The newest.
        let backend: BackendRuntime
        /// Nil: removed, or not checked.
        let health: EndpointHealth?
        let isRemoved: Bool
        /// What holds since when.
        var closing: SessionClosing?
    }
    private var endpoints: [ObjectIdentifier: Watched] = [:]
    private var rules: [FallbackRule] = []

    static let shortestInterval = Duration.milliseconds(50)
    static let longestInterval = Duration.seconds(1)

    var isEmpty: Bool { endpoints.isEmpty && rules.isEmpty }

    /// Takes in a new table.
    mutating func note(_ compiler: TableCompiler, now: MonotonicTime) {
        // Not kept alive by being asked for.
        rules = []
        rules = compiler.fallbackRules.living()
        let before = endpoints
        endpoints = [:]
        if !compiler.actingBackends.isEmpty { watch(compiler, before) }
        for (id, old) in before where endpoints[id] == nil { old.state?.sessions.set(nil) }
        judge(now: now)
    }

    private mutating func watch(_ compiler: TableCompiler, _ before: [ObjectIdentifier: Watched]) {
        let bases = Set(compiler.actingBackends.map(\.withoutVariant))
        let living = compiler.endpointStates.living { bases.contains($0.backend.withoutVariant) }
        var addresses: [BackendID: [StreamAddress: Int]] = [:]
        var successors: [BackendID: BackendRuntime?]?
        for (key, state) in living {
            var backend = compiler.backends[key.backend]
            if backend == nil {
                // Its variant is no more: those that are there speak for it where they agree.
                let known = successors ?? SessionWatch.successors(of: bases, in: compiler.backends)
                successors = known
                backend = known[key.backend.withoutVariant] ?? nil
            }
            // Names without an answer say nothing of who was removed.
            guard let backend, !backend.resolved.isPending, !backend.resolved.hasFailed else { continue }
            let id = backend.configuration.id
            let places =
                addresses[id]
                ?? Dictionary(
                    backend.endpoints.enumerated().map { ($1.address, $0) }, uniquingKeysWith: { first, _ in first })
            addresses[id] = places
            let place = places[key.address]
            let old = before[ObjectIdentifier(state)]
            endpoints[ObjectIdentifier(state)] = Watched(
                state: state, backend: backend,
                health: place.flatMap { $0 < backend.standings.count ? backend.standings[$0] : nil },
                isRemoved: place == nil, closing: old?.state === state ? old?.closing : nil)
        }
    }

    /// For each backend, whatever its variant, one of those that are there; nil where they differ in what becomes of sessions.
    private static func successors(of bases: Set<BackendID>, in backends: BackendMap) -> [BackendID: BackendRuntime?] {
        var found: [BackendID: BackendRuntime?] = [:]
        for (id, backend) in backends {
            let base = id.withoutVariant
            guard bases.contains(base) else { continue }
            guard let known = found[base] else {
                found[base] = backend
                continue
            }
            if known?.sessionActions != backend.sessionActions { found[base] = .some(nil) }
        }
        return found
    }

    /// After a new table, or when health has changed.
    mutating func judge(now: MonotonicTime) {
        for (id, entry) in endpoints {
            guard let state = entry.state else {
                endpoints[id] = nil
                continue
            }
            let closing = SessionWatch.closing(entry, now: now)
            guard closing != entry.closing else { continue }
            endpoints[id]?.closing = closing
            state.sessions.set(closing)
        }
        for rule in rules { rule.judge(now: now) }
    }

    /// What is wanted of an endpoint's sessions. The time since when goes on while the reason does.
    private static func closing(_ entry: Watched, now: MonotonicTime) -> SessionClosing? {
        let settings = entry.backend.configuration.settings
        func from(_ end: SessionEnd) -> MonotonicTime {
            guard let known = entry.closing, known.end == end else { return now }
            return MonotonicTime(nanoseconds: known.start * 1_000_000)
        }
        if entry.isRemoved {
            return SessionClosing(
                .endpointRemoved, settings.onEndpointRemoved, from: from(.endpointRemoved),
                timeout: settings.endpointDrainTimeout)
        }
        // Not checked yet is not unhealthy, where sessions are there.
        guard let standing = entry.health?.standing, standing.contains(.unhealthy), !standing.contains(.unchecked)
        else { return nil }
        return SessionClosing(
            .endpointUnhealthy, settings.onEndpointUnhealthy, from: from(.endpointUnhealthy),
            timeout: settings.endpointDrainTimeout)
    }

    /// `sweeps`: there are sessions to close; `next`: when to look again.
    func turn(now: MonotonicTime) -> (sweeps: Bool, next: MonotonicTime) {
        var interval: Duration?
        func consider(_ closing: SessionClosing) {
            let end = MonotonicTime(nanoseconds: (closing.start + closing.spread) * 1_000_000)
            // Connections that were being connected to when it began are found a little later; after that hardly any is left.
            let isOver = end + .seconds(5) < now
            let wanted = isOver ? SessionWatch.longestInterval : .milliseconds(closing.spread / 100)
            let pause = max(SessionWatch.shortestInterval, min(wanted, SessionWatch.longestInterval))
            interval = min(interval ?? pause, pause)
        }
        for entry in endpoints.values {
            guard let closing = entry.closing, let state = entry.state, state.active.load(ordering: .relaxed) > 0
            else { continue }
            consider(closing)
        }
        for rule in rules { rule.busyClosings.forEach(consider) }
        return interval.map { (true, now + $0) } ?? (false, .distantFuture)
    }
}

extension FallbackRule {
    /// Those of backends that have connections at all.
    fileprivate var busyClosings: [SessionClosing] {
        let values = values
        guard !values.isEmpty, let route else { return [] }
        return route.targets.compactMap { target in
            guard let target, let closing = values[target.configuration.id.withoutVariant],
                target.state.counters.sum(BackendField.active) > 0
            else { return nil }
            return closing
        }
    }

    fileprivate func judge(now: MonotonicTime) {
        let before = values
        guard let route else {
            if !before.isEmpty { set([:]) }
            return
        }
        let entries = zip(route.configuration.backends, route.targets)
        let milliseconds = now.nanoseconds / 1_000_000
        let canLeave = entries.contains {
            $0.weight > 0 && !$0.isFallback && $1?.prospect(now: milliseconds) == .usable
        }
        var wanted: [BackendID: SessionClosing] = [:]
        for (entry, target) in entries where canLeave && entry.isFallback {
            guard let target else { continue }
            let id = target.configuration.id.withoutVariant
            let settings = target.configuration.settings
            let start = before[id].map { MonotonicTime(nanoseconds: $0.start * 1_000_000) } ?? now
            wanted[id] = SessionClosing(
                .primaryRecovered, settings.onPrimaryRecovered, from: start, timeout: settings.endpointDrainTimeout)
        }
        // A backend that is also one of those that go first is no fallback.
        for (entry, target) in entries where !entry.isFallback {
            if let target { wanted[target.configuration.id.withoutVariant] = nil }
        }
        if wanted != before { set(wanted) }
    }
}

extension BackendRuntime {
    /// What becomes of sessions.
    fileprivate var sessionActions: [SessionAction] {
        let settings = configuration.settings
        return [settings.onEndpointUnhealthy, settings.onEndpointRemoved, settings.onPrimaryRecovered]
    }
}

extension BackendConfiguration {
    /// Whether its endpoints' sessions are closed for anything.
    var actsOnSessions: Bool { settings.onEndpointUnhealthy != .keep || settings.onEndpointRemoved != .keep }
}
