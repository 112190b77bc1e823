public import EngineModel
internal import Primitives

extension ConfigurationStep {
    /// What differs between two configurations, a line each, at most 20; then how many more. `change`: where they may differ, if
    /// that is known; then thousands of routes that are the same are not looked at.
    public static func differences(
        from old: EngineConfiguration, to new: EngineConfiguration, _ change: ConfigurationChange? = nil
    ) -> [String] {
        var difference = ConfigurationDifference(change: change)
        difference.compareListeners(old.listeners, new.listeners)
        difference.compareBackends(old.backends, new.backends)
        return difference.lines
    }
}

/// Gathers lines.
struct ConfigurationDifference {
    private static let most = 20
    private let change: ConfigurationChange?
    private var first: [String] = []
    private var count = 0

    init(change: ConfigurationChange?) { self.change = change }

    var lines: [String] { count > first.count ? first + ["and \(count - first.count) more"] : first }

    private mutating func add(_ line: @autoclosure () -> String) {
        count += 1
        if first.count < ConfigurationDifference.most { first.append(line()) }
    }

    mutating func compareListeners(_ old: [ListenerConfiguration], _ new: [ListenerConfiguration]) {
        let pairs = paired(old, new, by: \.id)
        for (before, after) in pairs {
            switch (before, after) {
            case (nil, let after?): add("+ listener \(after.id) at port \(after.port)")
            case (let before?, nil): add("- listener \(before.id)")
            case (let before?, let after?):
                let aspects = after.aspects(since: before)
                if !aspects.isEmpty { add("~ listener \(after.id): \(aspects.joined(separator: ", "))") }
            case (nil, nil): break
            }
        }
        for case (let before, let after?) in pairs { compareRoutes(before, after) }
    }

    private mutating func compareRoutes(_ before: ListenerConfiguration?, _ after: ListenerConfiguration) {
        var routes: [RouteID: RouteDifference] = [:]
        func compare(_ old: RouteConfiguration?, _ new: RouteConfiguration?, _ name: HostnamePattern?) {
            guard old != new else { return }
            if let old, let new, old.id == new.id {
                routes[old.id, default: .init()].aspects.formUnion(new.aspects(since: old))
            } else {
                if let old { routes[old.id, default: .init()].lost.append(name) }
                if let new { routes[new.id, default: .init()].gained.append(name) }
            }
        }
        let (old, new) = (before?.tls, after.tls)
        compare(before?.fallback, after.fallback, nil)
        if let change, let old, let new {
            for name in (change.names[after.id] ?? []).sorted() { compare(old.entry(name), new.entry(name), name) }
        } else {
            for (old, new) in paired(old?.routes ?? [], new?.routes ?? [], by: \.hostname) {
                compare(old?.route, new?.route, (new ?? old)?.hostname)
            }
        }
        for (id, route) in routes.sorted(by: { $0.key.precedes($1.key) }) {
            add(route.line(id, at: after.id, isByName: after.tls != nil))
        }
    }

    mutating func compareBackends(_ old: [BackendConfiguration], _ new: [BackendConfiguration]) {
        if let change {
            for id in change.backends.sorted() { compare(old.backend(id), new.backend(id)) }
        } else {
            for (before, after) in paired(old, new, by: \.id) { compare(before, after) }
        }
    }

    private mutating func compare(_ before: BackendConfiguration?, _ after: BackendConfiguration?) {
        switch (before, after) {
        case (nil, let after?): add("+ backend \(after.id): \(counted(after.endpoints.count))")
        case (let before?, nil): add("- backend \(before.id)")
        case (let before?, let after?):
            guard before != after else { return }
            add("~ backend \(after.id): \(after.aspects(since: before).joined(separator: ", "))")
        case (nil, nil): break
        }
    }
}

/// What became of a rule of a route at one listener.
private struct RouteDifference {
    var gained: [HostnamePattern?] = []
    var lost: [HostnamePattern?] = []
    var aspects: Set<String> = []

    func line(_ id: RouteID, at listener: ListenerID, isByName: Bool) -> String {
        let rule = id.rule == 0 ? "" : " rule \(id.rule)"
        let place = "\(id)\(rule) at \(listener)"
        if aspects.isEmpty, lost.isEmpty { return "+ \(place)" + (isByName ? ": \(list(gained))" : "") }
        if aspects.isEmpty, gained.isEmpty { return "- \(place)" + (isByName ? ": \(list(lost))" : "") }
        let names = (gained.isEmpty ? [] : ["+ \(list(gained))"]) + (lost.isEmpty ? [] : ["- \(list(lost))"])
        return "~ \(place): " + (aspects.sorted() + names).joined(separator: ", ")
    }

    private func list(_ names: [HostnamePattern?]) -> String {
        let most = 3
        let texts = names.prefix(most).map { $0?.description ?? "names without a route of their own" }
        return texts.joined(separator: ", ") + (names.count > most ? " and \(names.count - most) more" : "")
    }
}

/// Walks two lists in order, side by side.
private func paired<Element, Key: Comparable>(
    _ old: [Element], _ new: [Element], by key: KeyPath<Element, Key>
) -> [(Element?, Element?)] {
    var pairs: [(Element?, Element?)] = []
    pairs.reserveCapacity(max(old.count, new.count))
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
        if j == new.count || (i < old.count && old[i][keyPath: key] < new[j][keyPath: key]) {
            pairs.append((old[i], nil))
            i += 1
        } else if i == old.count || new[j][keyPath: key] < old[i][keyPath: key] {
            pairs.append((nil, new[j]))
            j += 1
        } else {
            pairs.append((old[i], new[j]))
            (i, j) = (i + 1, j + 1)
        }
    }
    return pairs
}

extension RouteID {
    /// The order of ids. One by one: comparing tuples of strings costs twenty times as much, and thousands may be sorted.
    fileprivate func precedes(_ other: RouteID) -> Bool {
        if kind != other.kind { return kind < other.kind }
        if namespace != other.namespace { return namespace < other.namespace }
        return name == other.name ? rule < other.rule : name < other.name
    }
}

extension ListenerConfiguration {
    fileprivate var tls: TLSListener? { if case .tls(let tls) = traffic { tls } else { nil } }

    /// The route of TCP, or the one that takes whatever no name takes.
    fileprivate var fallback: RouteConfiguration? {
        switch traffic {
        case .tcp(let route): route
        case .tls(let tls): tls.fallback
        }
    }
}

extension TLSListener {
    fileprivate func entry(_ name: HostnamePattern) -> RouteConfiguration? {
        let index = routes.lowerBound { $0.hostname < name }
        return index < routes.count && routes[index].hostname == name ? routes[index].route : nil
    }
}

extension [BackendConfiguration] {
    fileprivate func backend(_ id: BackendID) -> BackendConfiguration? {
        let index = lowerBound { $0.id < id }
        return index < count && self[index].id == id ? self[index] : nil
    }
}
