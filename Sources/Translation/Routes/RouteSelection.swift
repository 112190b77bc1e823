internal import KubernetesAPI
internal import Primitives

/// What a route lost to others at one listener.
struct RouteLoss {
    /// Whether an older route has it, rather than one with a narrower host name or of a kind that goes before.
    let toOlder: Bool
    let message: String
}

/// Who serves what at one listener: the narrowest host name wins, then the older route. Losers are told. Routes come and go in
/// any order; what holds follows from those that are there.
struct RouteSelection {
    /// Those who want each name, nil being what no host name fits.
    private var claims: [HostnamePattern?: Claims] = [:]
    /// Routes that are attached.
    private(set) var attachedRoutes = 0

    mutating func add(_ route: RouteState, _ names: [AttachedName]) {
        attachedRoutes += 1
        for name in names {
            let claim = Claim(route: route, rank: name.name == nil ? route.kind.rank : name.specificity)
            if claims[name.name]?.insert(claim) == nil { claims[name.name] = Claims(best: claim) }
        }
    }

    /// Takes away what ``add(_:_:)`` added with the same names.
    mutating func remove(_ route: RouteState, _ names: [AttachedName]) {
        attachedRoutes -= 1
        for name in names where claims[name.name]?.remove(route) == true { claims[name.name] = nil }
    }

    /// Who serves a name; nil: nobody.
    func winner(_ name: HostnamePattern?) -> RouteState? { claims[name]?.best.route }

    /// Everyone who wants a name.
    func claimants(_ name: HostnamePattern?) -> [RouteState] {
        guard let claims = claims[name] else { return [] }
        return [claims.best.route] + claims.others.map(\.route)
    }

    /// The route that takes what no host name fits.
    var fallback: RouteState? { winner(nil) }

    /// Every host name with the route that serves it, in no order.
    var byName: [(name: HostnamePattern, route: RouteState)] {
        claims.compactMap { name, claims in name.map { ($0, claims.best.route) } }
    }

    /// What a route that is attached with these names loses at the listener named `listener`; nil: nothing. The routes of other
    /// namespaces are not named: their owners' names are not the business of whoever asks for the same host name.
    func loss(of route: RouteState, _ attached: [AttachedName], listener: String) -> RouteLoss? {
        var titles: [String] = []
        var names: [String: [String]] = [:]
        var toOlder = false
        for name in attached {
            guard let winner = winner(name.name), winner !== route else { continue }
            let title = winner.title(for: route)
            if names[title] == nil { titles.append(title) }
            names[title, default: []] += [name.name?.description].compactMap { $0 }
            toOlder = toOlder || winner.precedes(route)
        }
        guard !titles.isEmpty else { return nil }
        let parts = titles.map { title in
            let lost = names[title] ?? []
            let shown = lost.prefix(5).joined(separator: ", ")
            let rest = lost.count > 5 ? " and \(lost.count - 5) more" : ""
            let what = lost.isEmpty ? "" : " for \(shown)\(rest)"
            return "listener \(listener) serves \(title)\(what)"
        }
        return RouteLoss(toOlder: toOlder, message: parts.joined(separator: "; "))
    }
}

/// A route that wants a name.
private struct Claim {
    let route: RouteState
    /// Higher goes before lower.
    let rank: Int

    func goesBefore(_ other: Claim) -> Bool {
        rank == other.rank ? route.precedes(other.route) : rank > other.rank
    }
}

/// Those who want one name, the best first.
private struct Claims {
    var best: Claim
    var others: [Claim] = []

    mutating func insert(_ claim: Claim) {
        if claim.goesBefore(best) {
            others.insert(best, at: 0)
            best = claim
            return
        }
        others.insert(claim, at: others.lowerBound { !claim.goesBefore($0) })
    }

    /// Whether nobody is left.
    mutating func remove(_ route: RouteState) -> Bool {
        others.removeAll { $0.route === route }
        guard best.route === route else { return false }
        guard !others.isEmpty else { return true }
        best = others.removeFirst()
        return false
    }
}

extension RouteKind {
    /// Of those that take what no host name fits a TLSRoute goes before a TCPRoute.
    fileprivate var rank: Int { self == .tls ? 1 : 0 }
}
