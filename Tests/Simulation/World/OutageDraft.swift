import EngineModel
import Platform

/// Draws what chance hardly ever puts together: all that goes first in a rule is away for as long as checks need to see it, clients come
/// to the fallbacks and stay, and what went first returns.
struct OutageDraft {
    private let dice: Dice
    private let configuration: EngineConfiguration

    /// Steps, and where they go into a schedule.
    struct Outage {
        var steps: [Step]
        /// Of a hundred.
        var share: Int
        func place(in count: Int) -> Int { count * share / 100 }
    }

    init(_ dice: Dice, configuration: EngineConfiguration) { (self.dice, self.configuration) = (dice, configuration) }

    /// For most of those that have a rule with fallbacks whose sessions end with the outage, and few of the others.
    func draw() -> Outage? {
        guard let number = configuration.listeners.indices.first(where: { hasTiers(configuration.listeners[$0]) }),
            case .tcp(let route?) = configuration.listeners[number].traffic,
            dice.chance(drains(route) ? 90 : 10)
        else { return nil }
        let first = configuration.backends.indices.filter { index in
            route.backends.contains { !$0.isFallback && $0.target == .backend(configuration.backends[index].id) }
        }
        // Without checks nobody sees that it is away, unless it has no endpoints at all.
        let isRemoved = dice.chance(40) || first.contains { configuration.backends[$0].settings.health.active == nil }
        var steps = isRemoved ? scale(first, to: 0) : fail(first)
        let seen = isRemoved ? Int64(dice.roll(10...1000)) : wait(for: first, share: 90...150)
        steps.append(Step(wait: 1000 * seen, action: .pass))
        for _ in 0..<dice.roll(4...8) {
            let client = Client(
                source: dice.roll(0...4), answers: dice.pick([0, 20]), lasts: dice.pick([6000, 60_000, 120_000]),
                bytes: dice.pick([100, 20_000]))
            steps.append(
                Step(
                    wait: dice.roll(0...300_000), action: .arrive(worker: dice.roll(0...3), listener: number, client)))
        }
        steps += isRemoved ? scale(first, to: 31) : all(first, are: .none(delay: 0))
        steps.append(Step(wait: 1000 * wait(for: first, share: 50...200), action: .pass))
        return Outage(steps: steps, share: dice.roll(0...100))
    }

    private func hasTiers(_ listener: ListenerConfiguration) -> Bool {
        guard case .tcp(let route?) = listener.traffic else { return false }
        return route.backends.contains { $0.isFallback && $0.weight > 0 }
            && route.backends.contains { !$0.isFallback && $0.weight > 0 }
    }

    private func scale(_ backends: [Int], to present: UInt) -> [Step] {
        backends.map { Step(wait: 0, action: .scale(backend: $0, present: present)) }
    }

    /// All of their endpoints, and mostly none of them is used in spite of its checks.
    private func fail(_ backends: [Int]) -> [Step] {
        let edits = dice.chance(80) ? backends.map { Edit.panic(backend: $0, percent: 0) } : []
        return edits.map { Step(wait: 0, action: .edit($0)) } + all(backends, are: dice.pick([.refuses, .silent]))
    }

    private func all(_ backends: [Int], are fault: Fault) -> [Step] {
        backends.flatMap { backend in
            configuration.backends[backend].endpoints.indices.map { endpoint in
                Step(wait: 0, action: .fault(backend: backend, endpoint: endpoint, fault))
            }
        }
    }

    private func drains(_ route: RouteConfiguration) -> Bool {
        configuration.backends.contains { backend in
            backend.settings.onPrimaryRecovered != .keep
                && route.backends.contains { $0.isFallback && $0.weight > 0 && $0.target == .backend(backend.id) }
        }
    }

    /// Milliseconds in which checks see it: so many hundredths of the time that they take at most.
    private func wait(for backends: [Int], share: ClosedRange<Int64>) -> Int64 {
        let times = backends.compactMap { backend in
            configuration.backends[backend].settings.health.active.map { active in
                let row = Int64(max(active.healthyThreshold, active.unhealthyThreshold))
                return row * max(active.interval, active.unhealthyInterval ?? .zero).wholeMilliseconds
                    + active.timeout.wholeMilliseconds
            }
        }
        return (times.max() ?? 1000) * dice.roll(share) / 100
    }
}
