internal import EngineCore
internal import EngineModel
internal import Observability
internal import Primitives

extension TableCompiler {
    /// Makes ``listeners`` and ``bindings`` those of a configuration; the backends are compiled already.
    mutating func compileListeners(_ configurations: [ListenerConfiguration]) -> [ListenerChange] {
        var used: [ListenerKey: ListenerRuntime] = [:]
        used.reserveCapacity(configurations.count)
        var byBinding: [Binding: [ListenerRuntime]] = [:]
        byBinding.reserveCapacity(configurations.count)
        var changes: [ListenerChange] = []
        var kept = 0
        for configuration in configurations where !configuration.bindings.isEmpty {
            let key = ListenerKey(id: configuration.id, port: configuration.port)
            let old = listeners[key]
            if old != nil { kept += 1 }
            let runtime = compileListener(configuration, key: key, old: old)
            if runtime !== old { changes.append(ListenerChange(old: old, new: runtime)) }
            used[key] = runtime
            for binding in configuration.bindings { byBinding[binding, default: []].append(runtime) }
        }
        if kept < listeners.count {
            for (key, old) in listeners where used[key] == nil { changes.append(ListenerChange(old: old, new: nil)) }
        }
        listeners = used
        var bound: [Binding: BindingRuntime] = [:]
        bound.reserveCapacity(byBinding.count)
        for (binding, listeners) in byBinding { bound[binding] = bindingRuntime(binding, listeners) }
        bindings = bound
        return changes
    }

    private func bindingRuntime(_ binding: Binding, _ listeners: [ListenerRuntime]) -> BindingRuntime {
        if let old = bindings[binding], old.listeners.elementsEqual(listeners, by: ===) { return old }
        if listeners.count == 1, case .tcp = listeners[0].configuration.traffic {
            return BindingRuntime(binding: binding, traffic: .tcp, listeners: listeners, primary: listeners[0])
        }
        var entries: [(HostnamePattern, Int32)] = []
        var anyName: Int32?
        for (index, listener) in listeners.enumerated() {
            guard case .tls(let tls) = listener.configuration.traffic else { continue }
            if let hostname = tls.hostname {
                entries.append((hostname, Int32(index)))
            } else {
                anyName = anyName ?? Int32(index)
            }
        }
        return BindingRuntime(
            binding: binding, traffic: .tls(names: ServerNameTable(entries, fallback: anyName)), listeners: listeners,
            primary: listeners[Int(anyName ?? 0)])
    }

    private func compileListener(
        _ listener: ListenerConfiguration, key: ListenerKey, old: ListenerRuntime?
    ) -> ListenerRuntime {
        if let old, old.isComplete, isCurrent(old), old.configuration == listener { return old }
        var routes = RouteCompiler(compiler: self, key: key, old: old)
        var runtimes: [RouteRuntime] = []
        var fallback: RouteRuntime?
        var termination: TLSServerContexts?
        var names: ServerNameTable?
        switch listener.traffic {
        case .tcp(let route):
            fallback = route.map { routes.compile($0, alpn: nil, at: -1) }
        case .tls(let tls):
            var alpn: [String]?
            if case .terminate(let configuration) = tls.mode {
                termination = serverContexts(configuration, listener: listener.id, old: old?.termination)
                alpn = configuration.alpnProtocols
            }
            runtimes.reserveCapacity(tls.routes.count)
            for (index, entry) in tls.routes.enumerated() {
                runtimes.append(routes.compile(entry.route, alpn: alpn, at: index))
            }
            fallback = tls.fallback.map { routes.compile($0, alpn: alpn, at: -1) }
            names = hostnames(of: tls, old: old)
        }
        let state = listenerStates.state(key) {
            ListenerState(id: listener.id, port: key.port, counters: block(ListenerField.count))
        }
        return ListenerRuntime(
            configuration: listener, state: state, names: names ?? ServerNameTable([], fallback: nil), routes: runtimes,
            fallback: fallback, termination: termination)
    }

    private func isCurrent(_ listener: ListenerRuntime) -> Bool {
        listener.routes.allSatisfy(isCurrent) && (listener.fallback.map(isCurrent) ?? true)
    }

    /// Values are indices of the routes: the same names in the same order need no new table.
    private func hostnames(of tls: TLSListener, old: ListenerRuntime?) -> ServerNameTable {
        if let old, case .tls(let before) = old.configuration.traffic,
            before.routes.elementsEqual(tls.routes, by: { $0.hostname == $1.hostname })
        {
            return old.names
        }
        return ServerNameTable(
            tls.routes.enumerated().map { ($0.element.hostname, Int32($0.offset)) }, fallback: nil)
    }

    private func serverContexts(
        _ termination: TLSTermination, listener: ListenerID, old: TLSServerContexts?
    ) -> TLSServerContexts? {
        if let old, old.configuration == termination { return old }
        do throws(TLSSetupError) {
            return try TLSServerContexts(termination, listener: listener)
        } catch {
            logger.error("TLS listener cannot be set up", ["listener": "\(listener)", "problem": "\(error.message)"])
            // What served before goes on serving, unless it asks for other clients than it should.
            return old?.configuration.clientValidation == termination.clientValidation ? old : nil
        }
    }
}

/// The routes of one listener: one runtime for each rule, however many names it has.
private struct RouteCompiler {
    let compiler: TableCompiler
    let key: TableCompiler.ListenerKey
    let old: ListenerRuntime?
    private var used: [RouteID: RouteRuntime] = [:]
    /// Those of `old` by identity, once one of them stands elsewhere than before.
    private var known: [RouteID: RouteRuntime]?

    init(compiler: TableCompiler, key: TableCompiler.ListenerKey, old: ListenerRuntime?) {
        (self.compiler, self.key, self.old) = (compiler, key, old)
    }

    /// `index`: where the route stands among the listener's; -1: the fallback.
    mutating func compile(_ route: RouteConfiguration, alpn: [String]?, at index: Int) -> RouteRuntime {
        let offered = alpn ?? route.alpnProtocols
        func isSame(_ runtime: RouteRuntime) -> Bool {
            runtime.configuration == route && runtime.alpn.names == offered && compiler.isCurrent(runtime)
        }
        let neighbour = neighbour(at: index)
        if let neighbour, isSame(neighbour) { return neighbour }
        if let shared = used[route.id], isSame(shared) { return shared }
        // Most stand where they stood: then there is no need to know where the others were.
        if neighbour?.configuration.id != route.id, let before = before(route.id), isSame(before) { return before }
        let runtime = make(route, offered)
        used[route.id] = runtime
        return runtime
    }

    private func neighbour(at index: Int) -> RouteRuntime? {
        guard let old else { return nil }
        if index < 0 { return old.fallback }
        return index < old.routes.count ? old.routes[index] : nil
    }

    private mutating func before(_ id: RouteID) -> RouteRuntime? {
        guard let old else { return nil }
        if known == nil {
            let all = old.routes + (old.fallback.map { [$0] } ?? [])
            known = Dictionary(all.map { ($0.configuration.id, $0) }, uniquingKeysWith: { first, _ in first })
        }
        return known?[id]
    }

    private func make(_ route: RouteConfiguration, _ offered: [String]) -> RouteRuntime {
        let stateKey = RouteState.Key(
            listener: key.id, port: key.port, kind: route.id.kind, namespace: route.id.namespace, name: route.id.name)
        return RouteRuntime(
            configuration: route,
            state: compiler.routeStates.state(stateKey) {
                RouteState(key: stateKey, counters: compiler.block(RouteField.count))
            },
            ticket: compiler.tickets.state(route.id) { RuleTicket() },
            targets: route.backends.map { entry in
                if case .backend(let id) = entry.target { compiler.backends[id] } else { nil }
            },
            alpn: ALPNList(offered))
    }
}
