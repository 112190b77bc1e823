internal import EngineModel
internal import KubernetesAPI
internal import Primitives

extension Workings {
    /// Whether a change can be carried on from here; and whether that is worth it.
    func canTake(_ change: SnapshotChange, _ snapshot: ClusterSnapshot) -> Bool {
        let known = routes.count + (book?.count ?? 0)
        guard change.hasOrdinarySlices, (change.routes.count + change.services.count) * 4 <= known + 40 else {
            return false
        }
        if change.routes.contains(where: { isTarget(.route($0)) }) { return false }
        // They may be of the installation's own pods.
        if clientPolicies.isDivided,
            change.slices.contains(where: { $0.key.namespace == options.installation?.namespace })
        {
            return false
        }
        if options.zone == nil, change.slices.contains(where: { $0.key.namespace == options.installation?.namespace }),
            Locality(snapshot, options) != backendPolicies.locality
        {
            return false
        }
        // Those of the installation's namespace are gateways' own, and a policy may name a port of its Service.
        return change.services.allSatisfy {
            $0.namespace != options.installation?.namespace && !policies.concerns(service: $0)
                && !backendPolicies.concerns(service: $0)
        }
    }

    private func isTarget(_ point: AttachmentPoint) -> Bool {
        clientPolicies.index.isTarget(point) || backendPolicies.index.isTarget(point)
    }

    /// Carries the translation on to `snapshot`; ``result`` is then what a new one would say. How its configuration differs
    /// from the one before; nil: it does not.
    func take(_ change: SnapshotChange, _ snapshot: ClusterSnapshot) -> ConfigurationChange? {
        var difference = ConfigurationChange(since: result.configuration)
        (self.snapshot, attacher.snapshot) = (snapshot, snapshot)
        var book = self.book ?? RouteBook(routes, result.configuration)
        // Owned by one, or the other is copied with the first change.
        (self.book, routes) = (nil, [])
        for service in change.services { catalog.update(service, snapshot.services[service]) }
        backendUses.begin()
        let empty = servicesWithoutEndpoints(change.slices)
        let sliced = takeSlices(change.slices)
        let changed = book.routes(to: change.services).union(change.routes)
        var differs = changed.isEmpty ? false : replace(changed, &book, &difference)
        for key in sliced {
            guard let service = snapshot.services[key], service.spec.type != "ExternalName" else { continue }
            let updated = result.configuration.backends.update(key, service, slices, backendPolicies.locality)
            difference.backends.formUnion(updated)
            if !updated.isEmpty { differs = true }
        }
        self.book = book
        isStale = backendUses.isChanged || servicesWithoutEndpoints(change.slices) != empty
        return differs ? difference : nil
    }

    /// Ports of Services that policies are for, and that slices speak of, without any endpoint.
    private func servicesWithoutEndpoints(_ changes: [SnapshotChange.Slice]) -> Set<BackendTarget> {
        if backendPolicies.isEmpty { return [] }
        var empty: Set<BackendTarget> = []
        for change in changes {
            for slice in [change.old, change.new] {
                guard let key = slice?.service(in: change.key.namespace), backendPolicies.concerns(service: key) else {
                    continue
                }
                for port in snapshot.services[key]?.spec.ports ?? [] where !slices.hasEndpoints(key, port) {
                    empty.insert(.service(key, port))
                }
            }
        }
        return empty
    }

    /// The Services whose endpoints may have changed.
    private func takeSlices(_ changes: [SnapshotChange.Slice]) -> Set<ObjectKey> {
        var services: Set<ObjectKey> = []
        for change in changes {
            slices.replace(change.key, change.old, with: change.new)
            for slice in [change.old, change.new] {
                if let service = slice?.service(in: change.key.namespace) { services.insert(service) }
            }
        }
        return services
    }

    /// Puts routes as they are now in the place of what they were. Whether the configuration differs by it.
    private func replace(_ keys: Set<RouteKey>, _ book: inout RouteBook, _ difference: inout ConfigurationChange)
        -> Bool
    {
        var touched = TouchedNames()
        var hasNewUses = false
        for key in keys {
            guard let old = book.remove(key) else { continue }
            touched.note(old, selections)
            for place in old.places { selections[place.gateway][place.listener].remove(old, place.names) }
            if policyUses.remove(old, gateways, policies) { hasNewUses = true }
            for use in old.uses { backendUses.remove(use) }
        }
        var states: [RouteState] = []
        let resolver = self.resolver
        for key in keys {
            guard let new = RouteState(key, in: snapshot) else { continue }
            attacher.attach(new)
            if !new.parents.isEmpty { new.rule = resolver.resolve(new) }
            touched.note(new, selections)
            for place in new.places { selections[place.gateway][place.listener].add(new, place.names) }
            if policyUses.add(new, gateways, policies) { hasNewUses = true }
            countBackendUses(new)
            book.insert(new)
            states.append(new)
        }
        let differs = configure(touched, &book, &difference)
        report(keys, states, touched)
        if hasNewUses { reportUses() }
        notice(keys)
        return differs
    }
}

extension Workings {
    /// Brings the configuration up to what the touched listeners' routes are now.
    private func configure(
        _ touched: TouchedNames, _ book: inout RouteBook, _ difference: inout ConfigurationChange
    ) -> Bool {
        var changes: [TouchedNames.Spot: [(name: HostnamePattern?, route: RouteState?)]] = [:]
        touched.forEachChange(selections) { spot, name, winner in
            if gateways[spot.gateway].listeners[spot.listener].isServed {
                changes[spot, default: []].append((name, winner.now))
            }
        }
        var builder = self.builder
        var dropped: Set<BackendID> = []
        var differs = false
        for (spot, entries) in changes {
            let gateway = gateways[spot.gateway]
            let listener = gateway.listeners[spot.listener]
            let index = result.configuration.listeners.lowerBound { $0.id < listener.id }
            guard index < result.configuration.listeners.count,
                result.configuration.listeners[index].id == listener.id
            else { continue }
            let policies = listenerPolicies(spot.gateway, spot.listener)
            var built: [(name: HostnamePattern?, route: RouteConfiguration?)] = []
            for (name, route) in entries {
                let old = result.configuration.listeners[index].entry(name)
                let new = route.map { builder.route($0, listener, gateway, policies) }
                if let old {
                    book.drop(old)
                    dropped.formUnion(old.backendIDs)
                }
                if let new { book.use(new) }
                if old != new { built.append((name, new)) }
            }
            if built.isEmpty { continue }
            result.configuration.listeners[index].put(built)
            difference.names[listener.id, default: []].formUnion(built.compactMap(\.name))
            differs = true
        }
        difference.backends.formUnion(dropped.union(builder.backends.keys))
        return settleBackends(dropped, builder.backends, book) || differs
    }

    /// Takes away backends that nothing points at any more, and takes over those that were built.
    private func settleBackends(
        _ dropped: Set<BackendID>, _ built: [BackendID: BackendConfiguration], _ book: RouteBook
    ) -> Bool {
        let changes: [(BackendID, BackendConfiguration?)] = dropped.union(built.keys).sorted().compactMap { id in
            // One that is still pointed at, though not by what was built, stays as it is.
            if !book.isUsed(id) { return (id, nil) }
            return built[id].map { (id, $0) }
        }
        return result.configuration.backends.patch(changes, by: \.id)
    }

    /// Says what is to be said now of the routes, of others at the names they touched, and of the listeners.
    private func report(_ keys: Set<RouteKey>, _ states: [RouteState], _ touched: TouchedNames) {
        var others: [RouteKey: RouteState] = [:]
        touched.forEachChange(selections) { spot, name, winner in
            // Who loses is told the winner's name, and whether it is older.
            if let (before, now) = winner.before.flatMap({ before in winner.now.map { (before, $0) } }),
                before.kind == now.kind, before.precedence == now.precedence
            {
                return
            }
            for route in selections[spot.gateway][spot.listener].claimants(name) { others[route.ref] = route }
        }
        let reporter = self.reporter
        var statuses = others.mapValues { reporter.status($0) }
        for key in keys { statuses.updateValue(nil, forKey: key) }
        for state in states { statuses.updateValue(reporter.status(state), forKey: state.ref) }
        for (route, status) in statuses {
            switch route.kind {
            case .tcp: result.statuses.tcpRoutes.settle(route.key, status)
            case .tls: result.statuses.tlsRoutes.settle(route.key, status)
            }
        }
        let counted = touched.spots.filter {
            selections[$0.key.gateway][$0.key.listener].attachedRoutes != $0.value.attachedRoutes
        }
        for gateway in Set(counted.keys.map(\.gateway)) {
            reportGateway(gateways[gateway], selections[gateway], targetConditions, into: &result.statuses)
        }
    }

    /// Works out anew which policies affect which gateways' traffic.
    private func reportUses() {
        policies.forgetUses()
        policyUses.tell(&policies, gateways)
        result.statuses.backendTLSPolicies = [:]
        reportPolicies(policies.policies, options, into: &result.statuses)
        let others = result.notices.filter { $0.kind != BackendTLSPolicy.resourceKind.kind }
        result.notices = (others + idlePolicies(policies.policies)).sorted()
    }

    /// Says which routes have no effect.
    private func notice(_ keys: Set<RouteKey>) {
        guard options.standalone else { return }
        let now = keys.compactMap { key in
            switch key.kind {
            case .tcp: snapshot.tcpRoutes[key.key].flatMap { idleRoute($0, key.key, $0.spec.parentRefs) }
            case .tls: snapshot.tlsRoutes[key.key].flatMap { idleRoute($0, key.key, $0.spec.parentRefs) }
            }
        }
        let isOfRoute: (Notice) -> Bool = { notice in
            RouteKind(rawValue: notice.kind).map { keys.contains(RouteKey(kind: $0, key: notice.key)) } ?? false
        }
        guard !now.isEmpty || result.notices.contains(where: isOfRoute) else { return }
        result.notices = (result.notices.filter { !isOfRoute($0) } + now).sorted()
    }
}

extension Dictionary where Value: Equatable {
    /// Sets a value, nil to have none; untouched where it has it.
    fileprivate mutating func settle(_ key: Key, _ value: Value?) {
        if self[key] != value { self[key] = value }
    }
}

extension ListenerConfiguration {
    /// What serves a name; nil being what no other fits.
    fileprivate func entry(_ name: HostnamePattern?) -> RouteConfiguration? {
        switch (traffic, name) {
        case (.tcp(let route), _): return route
        case (.tls(let tls), nil): return tls.fallback
        case (.tls(let tls), let name?):
            let text = name.description
            let index = tls.routes.lowerBound { $0.hostname.description < text }
            guard index < tls.routes.count, tls.routes[index].hostname == name else { return nil }
            return tls.routes[index].route
        }
    }

    /// Lets routes serve names, nil being what no other fits; nil: nobody does.
    fileprivate mutating func put(_ entries: [(name: HostnamePattern?, route: RouteConfiguration?)]) {
        switch traffic {
        case .tcp: if let entry = entries.first { traffic = .tcp(entry.route) }
        case .tls(var tls):
            if let entry = entries.first(where: { $0.name == nil }) { tls.fallback = entry.route }
            let changes = entries.compactMap { name, route in
                name.map { name in
                    (name.description, route.map { TLSListener.HostnameRoute(hostname: name, route: $0) })
                }
            }
            _ = tls.routes.patch(changes.sorted { $0.0 < $1.0 }, by: \.hostname.description)
            traffic = .tls(tls)
        }
    }
}
