import EngineModel

@testable import Engine

/// Over any n consecutive connections of a rule each backend comes up within 2 of n × weight ÷ sum, whichever worker asks.
struct DeviationBound {
    private let weights: [Int]
    private let sum: Int
    /// By choice: how far it was ahead of its share, times the sum: now, at the least and at the most.
    private var ahead: [Int]
    private var least: [Int]
    private var most: [Int]

    init(_ weights: [Int]) {
        self.weights = weights
        sum = weights.reduce(0, +)
        ahead = weights.map { _ in 0 }
        (least, most) = (ahead, ahead)
    }

    /// False: the bound is broken.
    mutating func take(_ choice: Int) -> Bool {
        var holds = weights[choice] > 0
        for index in weights.indices {
            ahead[index] += (index == choice ? sum : 0) - weights[index]
            least[index] = min(least[index], ahead[index])
            most[index] = max(most[index], ahead[index])
            if most[index] - least[index] > 2 * sum { holds = false }
        }
        return holds
    }
}

final class WeightBook {
    private unowned let oracle: Oracle
    private var rules: [RouteID: (weights: [Int], bound: DeviationBound)] = [:]

    init(_ oracle: Oracle) { self.oracle = oracle }

    func chose(_ backend: BackendRuntime?, of route: RouteRuntime) {
        let weights = route.configuration.backends.map(\.weight)
        guard weights.contains(where: { $0 > 0 }) else {
            return oracle.require("weights", backend == nil, "a rule without weights leads somewhere")
        }
        let place = route.targets.firstIndex { $0 === backend }
        guard let place else { return oracle.fail("weights", "a connection goes where its rule does not lead") }
        let id = route.configuration.id
        var rule = rules[id] ?? (weights, DeviationBound(weights))
        // Another sequence begins anew.
        if rule.weights != weights { rule = (weights, DeviationBound(weights)) }
        let holds = rule.bound.take(place)
        rules[id] = rule
        oracle.require("weights", holds, "backend \(place) of \(id) has not its share of \(weights)")
    }
}
