import EngineModel

/// Draws what is done to a gateway.
struct ScheduleDraft {
    private let dice: Dice
    private let routes: Int

    init(_ dice: Dice, configuration: EngineConfiguration) {
        (self.dice, routes) = (dice, configuration.listeners.count)
    }

    func draw() -> [Step] {
        // Some seeds are calm, in some everything fails.
        let (faults, edits) = (dice.pick([0, 10, 25]), dice.pick([0, 5, 15]))
        return (0..<dice.roll(6...28)).map { _ in Step(wait: wait(), action: action(faults: faults, edits: edits)) }
    }

    private func wait() -> Int64 {
        switch dice.roll(0...9) {
        case 0...2: 0
        case 3...7: dice.roll(0...60_000)
        case 8: dice.roll(60_000...1_000_000)
        default: dice.roll(1_000_000...4_000_000)
        }
    }

    private func action(faults: Int, edits: Int) -> Step.Action {
        let place = dice.roll(0...99)
        if place < faults { return fault() }
        if place < faults + edits { return .edit(edit()) }
        switch dice.roll(0...11) {
        case 0: return .leave(client: dice.roll(0...99))
        case 1: return .stall(worker: dice.roll(0...3), milliseconds: dice.roll(1...300))
        case 2 where edits > 0: return .scale(backend: dice.roll(0...2), present: UInt(dice.roll(1...31)))
        default:
            return .arrive(
                worker: dice.roll(0...3), listener: dice.roll(0...1),
                Client(
                    source: dice.roll(0...4), answers: dice.pick([0, 1, 20, 1500]),
                    lasts: dice.pick([2, 100, 1000, 6000, 30_000]), bytes: dice.pick([0, 100, 20_000, 300_000])))
        }
    }

    private func fault() -> Step.Action {
        .fault(
            backend: dice.roll(0...2), endpoint: dice.roll(0...4),
            dice.pick([.none(delay: 0), .none(delay: dice.roll(1...3000)), .refuses, .silent, .resets]))
    }

    private func edit() -> Edit {
        let (backend, route) = (dice.roll(0...2), dice.roll(0...1))
        switch dice.roll(0...16) {
        case 0: return .weight(backend: backend, endpoint: dice.roll(0...4), dice.roll(0...5))
        case 1: return .shares(route: route, (0..<4).map { _ in dice.roll(0...9) })
        case 2: return .thresholds(backend: backend, healthy: dice.roll(1...4), unhealthy: dice.roll(1...4))
        case 3: return .checks(backend: backend, interval: dice.roll(500...5000))
        case 4: return .passive(backend: backend, failures: dice.roll(1...4))
        case 5: return .panic(backend: backend, percent: dice.pick([0, 50, 100]))
        case 6: return .sessions(backend: backend, timeout: dice.pick([0, 1000, 5000]))
        case 7:
            return .circuit(
                backend: backend, connections: dice.maybe(70) { dice.roll(1...6) },
                perEndpoint: dice.maybe(50) { dice.roll(1...3) })
        case 8:
            return .queue(
                backend: backend, length: dice.maybe(80) { dice.roll(1...5) }, milliseconds: dice.roll(50...4000))
        case 9:
            return .limit(
                route: route, connections: dice.maybe(70) { dice.roll(1...8) },
                perSource: dice.maybe(50) { dice.roll(1...3) })
        case 10: return .listenerLimit(dice.maybe(70) { dice.roll(1...10) })
        case 11: return .rate(route: route, connections: dice.roll(1...20), burst: dice.roll(1...8))
        case 12: return .bandwidth(route: route, bytesPerSecond: dice.maybe(70) { dice.pick([20_000, 500_000]) })
        case 13...14: return .routeGoes(route: route)
        case 15: return .routeComes(route: route)
        default: return .routeDrain(route: route, milliseconds: dice.maybe(70) { dice.pick([0, 1000, 5000]) })
        }
    }
}
