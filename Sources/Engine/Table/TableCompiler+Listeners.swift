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
            let change = compiled(configuration, key, old)
            if case .tls(let tls) = configuration.traffic { routes[key] = tls.routes } else { routes[key] = nil }
            guard let runtime = change.new else { continue }
            if runtime !== old { changes.append(change) }
            used[key] = runtime
            for binding in configuration.bindings { byBinding[binding, default: []].append(runtime) }
        }
        if kept < listeners.count {
            for (key, old) in listeners where used[key] == nil {
                routes[key] = nil
                users[key] = nil
                var uses = RouteUses()
                uses.release(everythingOf: old)
                changes.append(ListenerChange(old: old, new: nil, left: uses.left))
            }
        }
        listeners = used
        var bound: [Binding: BindingRuntime] = [:]
        bound.reserveCapacity(byBinding.count)
        for (binding, listeners) in byBinding { bound[binding] = bindingRuntime(binding, listeners) }
        bindings = bound
        return changes
    }

    /// How the routes of a listener differ from those that it had.
    func difference(
        of listener: ListenerID, from old: [TLSListener.HostnameRoute], to new: [TLSListener.HostnameRoute]
    ) -> ListDifference {
        if let names = change?.names[listener], let before = change?.before.listener(listener),
            isSameStorage(before.hostnameRoutes, old),
            let known = ListDifference(from: old, to: new, at: names, key: { $0.hostname })
        {
            return known
        }
        return ListDifference(
            from: old, to: new, areCopies: TLSListener.HostnameRoute.areCopies,
            precedes: { $0.hostname < $1.hostname })
    }

    private mutating func compiled(_ listener: ListenerConfiguration, _ key: ListenerKey, _ old: ListenerRuntime?)
        -> ListenerChange
    {
        var users: BackendUsers?
        if case .tls = listener.traffic { users = self.users[key] ?? BackendUsers() }
        self.users[key] = users
        var compilation = ListenerCompilation(compiler: self, key: key, old: old, new: listener, users: users)
        return compilation.run()
    }

    private func bindingRuntime(_ binding: Binding, _ listeners: [ListenerRuntime]) -> BindingRuntime {
        if let old = bindings[binding], old.listeners.elementsEqual(listeners, by: ===) { return old }
        if listeners.count == 1, case .tcp = listeners[0].configuration.traffic {
            return BindingRuntime(binding: binding, traffic: .tcp, listeners: listeners, primary: listeners[0])
        }
        if let old = bindings[binding], case .tls = old.traffic,
            old.listeners.elementsEqual(listeners, by: { $0.tlsHostname == $1.tlsHostname })
        {
            let primary = old.listeners.firstIndex { $0 === old.primary } ?? 0
            return BindingRuntime(
                binding: binding, traffic: old.traffic, listeners: listeners, primary: listeners[primary])
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
}

extension EngineConfiguration {
    fileprivate func listener(_ id: ListenerID) -> ListenerConfiguration? {
        let index = listeners.lowerBound { $0.id < id }
        return index < listeners.count && listeners[index].id == id ? listeners[index] : nil
    }
}

extension ListenerRuntime {
    /// Nil for one that is not TLS; a nil inside: every name.
    fileprivate var tlsHostname: HostnamePattern?? {
        if case .tls(let tls) = configuration.traffic { .some(tls.hostname) } else { nil }
    }
}
