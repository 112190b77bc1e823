internal import EngineCore
internal import EngineModel
internal import Observability
internal import Primitives

/// Makes the runtime of one listener out of the one before.
struct ListenerCompilation {
    private let compiler: TableCompiler
    private let key: TableCompiler.ListenerKey
    private let old: ListenerRuntime?
    private let new: ListenerConfiguration
    /// ALPN to offer whatever the route says; nil: the route's own.
    private let alpn: [String]?
    /// ALPN to offer besides the route's own.
    private let addedALPN: [String]
    private var names = ServerNameTable([], fallback: nil)
    private var slots = RouteSlots()
    private var uses = RouteUses()
    /// Nil where names do not tell routes apart.
    private let users: BackendUsers?
    /// Routes to take again: those made in this compilation, and those of the listener before that stand elsewhere now.
    private var made: [RouteID: RouteRuntime] = [:]
    private var known: [RouteID: RouteRuntime] = [:]
    private var rechecks: [AuthorizationRecheck] = []

    init(
        compiler: TableCompiler, key: TableCompiler.ListenerKey, old: ListenerRuntime?, new: ListenerConfiguration,
        users: BackendUsers?
    ) {
        (self.compiler, self.key, self.old, self.new, self.users) = (compiler, key, old, new, users)
        (alpn, addedALPN) = (new.offeredALPN, new.addedALPN)
    }

    /// The listener as it is now: the same object where nothing changed.
    mutating func run() -> TableCompiler.ListenerChange {
        let bare = new.withoutRoutes
        let (before, after) = (old == nil ? [] : compiler.routes[key] ?? [], new.hostnameRoutes)
        let difference = compiler.difference(of: new.id, from: before, to: after)
        let stale = staleSlots()
        if let old, old.isComplete, difference.isEmpty, stale.isEmpty, old.configuration == bare,
            old.fallback.map(compiler.isCurrent) ?? true
        {
            return TableCompiler.ListenerChange(old: old, new: old)
        }
        if !carryOn(difference, stale, from: before, to: after) { start(after) }
        let fallback = new.fallbackRoute.map { compile($0, beside: old?.fallback) }
        if let fallback { uses.acquire(fallback.state) }
        if let fallback = old?.fallback { uses.release(fallback.state) }
        let state = compiler.listenerStates.state(key) {
            ListenerState(
                id: new.id, port: key.port, counters: compiler.block(ListenerField.count),
                retired: compiler.accessFormats.retired)
        }
        compiler.bandwidth.set(new.limits, on: state.bandwidth, now: compiler.clock())
        let limits =
            old?.configuration.limits == bare.limits
            ? old?.limits : compiler.limits(bare.limits, at: .listener(key))
        if let recheck = AuthorizationRecheck(state, limits, since: old?.limits) { rechecks.append(recheck) }
        let runtime = ListenerRuntime(
            configuration: bare, state: state, names: names, slots: slots, fallback: fallback,
            termination: termination(), limits: limits,
            accessFormat: compiler.accessFormats.id(of: new.settings.accessLogFormat))
        return TableCompiler.ListenerChange(
            old: old, new: runtime, arrived: uses.arrived, left: uses.left, rechecks: rechecks)
    }

    /// Routes that lead to backends which are others now, or offer another ALPN.
    private func staleSlots() -> [Int32] {
        guard let old else { return [] }
        var stale: [Int32] = []
        if old.configuration.offeredALPN != alpn || old.configuration.addedALPN != addedALPN {
            old.slots.forEach { slot, _ in stale.append(slot) }
        } else {
            var candidates = users?.slots(of: compiler.replacedBackends.values) ?? []
            if compiler.hasNewBackends { candidates.formUnion(old.slots.unresolved) }
            stale = candidates.filter { slot in old.slots[slot].map { !compiler.isCurrent($0) } ?? false }
        }
        return stale
    }

    /// Applies a difference to what the listener before had. False, where it had nothing or names stand twice.
    private mutating func carryOn(
        _ difference: ListDifference, _ stale: [Int32], from before: [TLSListener.HostnameRoute],
        to after: [TLSListener.HostnameRoute]
    ) -> Bool {
        guard let old, !before.isEmpty, old.names.count == before.count, difference.removed.count < before.count
        else { return false }
        (names, slots) = (old.names, old.slots)
        for index in difference.removed {
            guard let slot = names.remove(before[index].hostname), let route = slots[slot] else { continue }
            slots.remove(slot)
            users?.remove(route, at: slot)
            uses.release(route.state)
            known[route.configuration.id] = route
        }
        for slot in stale {
            guard let route = slots[slot] else { continue }
            let current = compile(route.configuration, beside: nil)
            slots.set(slot, to: current)
            users?.remove(route, at: slot)
            users?.insert(current, at: slot)
        }
        for index in difference.added {
            let route = compile(after[index].route, beside: nil)
            guard add(after[index], route) else {
                uses.undo()
                return false
            }
        }
        return true
    }

    /// Makes all of it anew, out of the routes of the listener before where they are the same.
    private mutating func start(_ routes: [TLSListener.HostnameRoute]) {
        slots = RouteSlots()
        users?.removeAll()
        if let old {
            old.slots.forEach { known[$1.configuration.id] = $1 }
            uses.release(routesOf: old)
        }
        var entries: [(HostnamePattern, Int32)] = []
        entries.reserveCapacity(routes.count)
        for entry in routes {
            let route = compile(entry.route, beside: nil)
            uses.acquire(route.state)
            let slot = slots.add(route)
            users?.insert(route, at: slot)
            entries.append((entry.hostname, slot))
        }
        names = ServerNameTable(entries, fallback: nil)
    }

    private mutating func add(_ entry: TLSListener.HostnameRoute, _ route: RouteRuntime) -> Bool {
        let slot = slots.add(route)
        guard names.insert(entry.hostname, slot) else { return false }
        users?.insert(route, at: slot)
        uses.acquire(route.state)
        return true
    }

    /// One runtime for each rule, however many names it has.
    private mutating func compile(_ route: RouteConfiguration, beside neighbour: RouteRuntime?) -> RouteRuntime {
        let offered = alpn ?? route.alpnProtocols + addedALPN.filter { !route.alpnProtocols.contains($0) }
        for candidate in [neighbour, made[route.id], known[route.id]] {
            if let candidate, candidate.configuration == route, candidate.alpn.names == offered,
                compiler.isCurrent(candidate)
            {
                return candidate
            }
        }
        let before = [neighbour, known[route.id]].first { $0?.configuration.id == route.id } ?? nil
        let runtime = make(route, offered, before: before)
        made[route.id] = runtime
        return runtime
    }

    private mutating func make(
        _ route: RouteConfiguration, _ offered: [String], before: RouteRuntime?
    ) -> RouteRuntime {
        let stateKey = RouteState.Key(
            listener: key.id, port: key.port, kind: route.id.kind, namespace: route.id.namespace, name: route.id.name)
        let state = compiler.routeStates.state(stateKey) {
            RouteState(
                key: stateKey, counters: compiler.block(RouteField.count), retired: compiler.accessFormats.retired)
        }
        compiler.bandwidth.set(route.limits, on: state.bandwidth, now: compiler.clock())
        let limits =
            before?.configuration.limits == route.limits
            ? before?.limits : compiler.limits(route.limits, at: .route(stateKey))
        if let recheck = AuthorizationRecheck(state, limits, since: before?.limits) { rechecks.append(recheck) }
        let fallbackRule = compiler.fallbackRule(route)
        let runtime = RouteRuntime(
            configuration: route, state: state,
            ticket: compiler.tickets.state(route.id) { RuleTicket() },
            targets: route.backends.map { entry in
                if case .backend(let id) = entry.target { compiler.backends[id] } else { nil }
            },
            alpn: offered.isEmpty ? .none : ALPNList(offered), limits: limits, fallbackRule: fallbackRule)
        fallbackRule?.use(runtime)
        return runtime
    }

    private func termination() -> TLSServerContexts? {
        guard case .tls(let tls) = new.traffic, case .terminate(let wanted) = tls.mode else { return nil }
        if let old = old?.termination, old.configuration == wanted { return old }
        do throws(TLSSetupError) {
            return try TLSServerContexts(wanted, listener: new.id, tickets: compiler.ticketKeys)
        } catch {
            compiler.logger.error(
                "TLS listener cannot be set up", ["listener": "\(new.id)", "problem": "\(error.message)"])
            // What served before goes on serving, unless it differs in more than its certificates.
            guard let before = old?.termination else { return nil }
            var same = before.configuration
            same.certificates = wanted.certificates
            return same == wanted ? before : nil
        }
    }
}

extension ListenerConfiguration {
    var hostnameRoutes: [TLSListener.HostnameRoute] {
        if case .tls(let tls) = traffic { tls.routes } else { [] }
    }

    fileprivate var fallbackRoute: RouteConfiguration? {
        switch traffic {
        case .tcp(let route): route
        case .tls(let tls): tls.fallback
        }
    }

    fileprivate var offeredALPN: [String]? {
        guard case .tls(let tls) = traffic, case .terminate(let termination) = tls.mode else { return nil }
        return termination.alpnProtocols
    }

    /// PostgreSQL clients that begin with TLS at once insist on their protocol's name (PostgreSQL 17, sslnegotiation=direct).
    fileprivate var addedALPN: [String] {
        guard case .tls(let tls) = traffic, case .terminate = tls.mode, case .postgres = settings.startTLS else {
            return []
        }
        return ["postgresql"]
    }

    fileprivate var withoutRoutes: ListenerConfiguration {
        guard case .tls(var tls) = traffic else { return self }
        tls.routes = []
        var bare = self
        bare.traffic = .tls(tls)
        return bare
    }
}
