internal import KubernetesAPI
internal import Primitives

/// What a route lost to others at one listener.
struct RouteLoss {
    /// Whether an older route has it, rather than one with a narrower host name or of a kind that goes before.
    let toOlder: Bool
    let message: String
}

/// Who serves what at one listener: the narrowest host name wins, then the older route. Losers are told.
struct RouteSelection {
    /// Index of the route that serves a host name.
    private(set) var byName: [HostnamePattern: Int] = [:]
    /// Index of the route that takes what no host name fits.
    private(set) var fallback: Int?
    /// What each loser lost, by its index.
    private(set) var losses: [Int: RouteLoss] = [:]

    init(_ listener: ListenerState, _ routes: [RouteState]) {
        var specificity: [HostnamePattern: Int] = [:]
        for attachment in listener.attachments where routes[attachment.route].kind == .tls {
            for name in attachment.names {
                guard let pattern = name.name else {
                    if fallback == nil { fallback = attachment.route }
                    continue
                }
                guard name.specificity > specificity[pattern, default: -1] else { continue }
                specificity[pattern] = name.specificity
                byName[pattern] = attachment.route
            }
        }
        let plain = listener.attachments.first { routes[$0.route].kind == .tcp }
        if fallback == nil { fallback = plain?.route }
        collectLosses(listener, routes)
    }

    private mutating func collectLosses(_ listener: ListenerState, _ routes: [RouteState]) {
        for attachment in listener.attachments {
            var winners: [Int] = []
            var names: [Int: [String]] = [:]
            for name in attachment.names {
                let winner = name.name.flatMap { byName[$0] } ?? fallback
                guard let winner, winner != attachment.route else { continue }
                if names[winner] == nil { winners.append(winner) }
                names[winner, default: []] += [name.name?.description].compactMap { $0 }
            }
            guard !winners.isEmpty else { continue }
            let parts = winners.map { winner in
                let lost = names[winner] ?? []
                let shown = lost.prefix(5).joined(separator: ", ")
                let rest = lost.count > 5 ? " and \(lost.count - 5) more" : ""
                let what = lost.isEmpty ? "" : " for \(shown)\(rest)"
                return "listener \(listener.spec.name) serves \(routes[winner].description)\(what)"
            }
            losses[attachment.route] = RouteLoss(
                toOlder: winners.contains { $0 < attachment.route }, message: parts.joined(separator: "; "))
        }
    }
}
