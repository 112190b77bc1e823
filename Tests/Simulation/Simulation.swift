import EngineModel

@testable import Engine

/// Runs seeds.
public enum Simulation {
    /// What a run came to.
    public struct Outcome: Sendable {
        public let seed: UInt64
        /// Nil: everything held.
        public let violation: Violation?
        /// Connections by how they ended.
        public let ends: [String: Int]
    }

    /// Runs a scenario: equal ones come to equal outcomes, in any process. `trace` is told what happens, a line each.
    public static func run(_ scenario: Scenario, trace: ((String) -> Void)? = nil) -> Outcome {
        let gateway = Gateway(scenario, trace: trace)
        defer { gateway.end() }
        gateway.apply()
        for step in scenario.steps where !gateway.oracle.hasFailed { gateway.perform(step) }
        if !gateway.oracle.hasFailed { Convergence(gateway).run() }
        let ends = gateway.oracle.ends.map { ($0.key.rawValue, $0.value) }
        return Outcome(
            seed: scenario.seed, violation: gateway.oracle.violation,
            ends: Dictionary(ends, uniquingKeysWith: { $0 + $1 }))
    }

    /// The shortest schedule found that still breaks the same rule, by leaving out steps, many at a time and then one by one.
    public static func shrink(_ scenario: Scenario, rule: String) -> Scenario {
        func breaks(_ steps: [Step]) -> Bool { run(scenario.with(steps)).violation?.rule == rule }
        var steps = scenario.steps
        var size = max(1, steps.count / 2)
        while size >= 1 {
            var start = 0
            var hasShrunk = false
            while start < steps.count {
                let end = min(start + size, steps.count)
                var fewer = steps
                // The time of what is left out passes all the same.
                let wait = fewer[start..<end].reduce(0) { $0 + $1.wait }
                fewer.removeSubrange(start..<end)
                var waited = fewer
                if start < waited.count { waited[start].wait += wait }
                if breaks(waited) {
                    (steps, hasShrunk) = (waited, true)
                } else if breaks(fewer) {
                    (steps, hasShrunk) = (fewer, true)
                } else {
                    start = end
                }
            }
            if !hasShrunk || size > 1 { size /= 2 }
        }
        return scenario.with(steps)
    }
}
