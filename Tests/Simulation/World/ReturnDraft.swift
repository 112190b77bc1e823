import EngineModel
import Platform

/// Draws a route that goes, and is back when its sessions have begun to end: those that come then are to stay, also when the other
/// listener's sessions end and everybody is looked at.
struct ReturnDraft {
    private let dice: Dice
    private let configuration: EngineConfiguration

    init(_ dice: Dice, configuration: EngineConfiguration) { (self.dice, self.configuration) = (dice, configuration) }

    /// For a few of the seeds whose two listeners both end sessions, to be put behind all else.
    func draw() -> [Step]? {
        let times = configuration.listeners.compactMap { $0.settings.routeDrainTimeout?.wholeMilliseconds }
        guard times.count == 2, dice.chance(10) else { return nil }
        let route = dice.roll(0...1)
        return arrivals(route) + goes(route, for: times[route] + dice.roll(20...80))
            + [Step(wait: 1_500_000, action: .pass)] + arrivals(route) + arrivals(1 - route)
            + goes(1 - route, for: times[1 - route] + 1000)
    }

    private func arrivals(_ listener: Int) -> [Step] {
        (0..<dice.roll(2...4)).map { _ in
            let client = Client(source: dice.roll(0...4), answers: 0, lasts: 30_000, bytes: 100)
            return Step(
                wait: dice.roll(0...50_000), action: .arrive(worker: dice.roll(0...3), listener: listener, client))
        }
    }

    private func goes(_ route: Int, for milliseconds: Int64) -> [Step] {
        [
            Step(wait: 100_000, action: .edit(.routeGoes(route: route))),
            Step(wait: milliseconds * 1000, action: .edit(.routeComes(route: route))),
        ]
    }
}
