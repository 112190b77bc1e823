import Glibc
import Platform

extension Simulation {
    /// Runs seeds on several threads, and hands each outcome to `take`, roughly in the order of the seeds; false ends it. A seed that
    /// has not come to its end within `patience` of real time never will: `stuck` is told, on another thread, and this does not return.
    public static func run(
        seeds: Range<UInt64>, threads: Int, patience: Duration = .seconds(60),
        stuck: @escaping @Sendable (UInt64) -> Void = Simulation.giveUp, take: (Outcome) -> Bool
    ) async {
        let batch: UInt64 = 50
        var next = seeds.lowerBound
        let underWay = SeedsUnderWay(patience: patience, stuck: stuck)
        defer { underWay.stop() }
        await withTaskGroup(of: [Outcome].self) { group in
            func begin() -> Bool {
                guard next < seeds.upperBound else { return false }
                let range = next..<min(next + batch, seeds.upperBound)
                next = range.upperBound
                group.addTask { range.map { seed in underWay.watching(seed) { run(Scenario(seed: seed)) } } }
                return true
            }
            for _ in 0..<max(1, threads) { _ = begin() }
            while let outcomes = await group.next() {
                for outcome in outcomes where !take(outcome) {
                    group.cancelAll()
                    return
                }
                _ = begin()
            }
        }
    }

    /// Says so and ends the process: the thread cannot be ended.
    public static let giveUp: @Sendable (UInt64) -> Void = { seed in
        let text = "BROKEN spin: seed \(seed) comes to no end: swift run sluice-simulate --seed \(seed) --trace\n"
        try? StandardStream.error.write(text)
        Host.exit(1)
    }
}

/// The seeds that run now, and a thread that looks whether one of them never ends: where a loop of the engine's goes round for ever
/// the virtual clock stands, and no rule is asked any more.
private final class SeedsUnderWay: Sendable {
    private struct State {
        var begun: [UInt64: MonotonicTime] = [:]
        var isOver = false
    }
    private let state = Locked(State())

    init(patience: Duration, stuck: @escaping @Sendable (UInt64) -> Void) {
        let state = state
        let thread = try? Thread(named: "sim-watch") {
            while true {
                usleep(200_000)
                let now = MonotonicTime.now()
                let (isOver, late) = state.withLock { state in
                    (state.isOver, state.begun.filter { $0.value + patience < now }.keys.min())
                }
                if isOver { return }
                if let late { return stuck(late) }
            }
        }
        thread?.detach()
    }

    func watching<Value>(_ seed: UInt64, _ body: () -> Value) -> Value {
        state.withLock { $0.begun[seed] = .now() }
        defer { state.withLock { $0.begun[seed] = nil } }
        return body()
    }

    func stop() { state.withLock { $0.isOver = true } }
}
