internal import Primitives

/// The names that routes give up or take, with who had them before. To be told of a route before it leaves or joins.
struct TouchedNames {
    struct Spot: Hashable {
        let gateway: Int
        let listener: Int
    }

    /// What was at one listener.
    struct Before {
        var attachedRoutes: Int
        var winners: [HostnamePattern?: RouteState?] = [:]
    }

    private(set) var spots: [Spot: Before] = [:]

    mutating func note(_ route: RouteState, _ selections: [[RouteSelection]]) {
        for place in route.places {
            let selection = selections[place.gateway][place.listener]
            let spot = Spot(gateway: place.gateway, listener: place.listener)
            if spots[spot] == nil { spots[spot] = Before(attachedRoutes: selection.attachedRoutes) }
            // In place: thousands of routes may touch one listener.
            for name in place.names where spots[spot]?.winners[name.name] == nil {
                spots[spot]?.winners.updateValue(selection.winner(name.name), forKey: name.name)
            }
        }
    }

    /// Calls `body` for every name that another state of a route serves now, nil: nobody.
    func forEachChange(
        _ selections: [[RouteSelection]],
        _ body: (Spot, HostnamePattern?, (before: RouteState?, now: RouteState?)) -> Void
    ) {
        for (spot, before) in spots {
            let selection = selections[spot.gateway][spot.listener]
            for (name, winner) in before.winners {
                let now = selection.winner(name)
                if now !== winner { body(spot, name, (winner, now)) }
            }
        }
    }
}
