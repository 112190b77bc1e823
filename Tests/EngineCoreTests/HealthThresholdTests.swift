import EngineCore
import Primitives
import Testing

@Suite("Health thresholds")
struct HealthThresholdTests {
    /// Whether the endpoint is healthy after these results, by looking at all of them again.
    private func naive(_ results: [Bool], startsHealthy: Bool, healthy: Int, unhealthy: Int) -> Bool {
        var isHealthy = startsHealthy
        var since = 0
        for end in results.indices {
            let run = results[since...end]
            if isHealthy {
                if run.count >= unhealthy, run.suffix(unhealthy).allSatisfy({ !$0 }) {
                    (isHealthy, since) = (false, end + 1)
                }
                continue
            }
            // Failures that made it unhealthy count as failures before.
            let isNew = since == 0 && !startsHealthy && run.allSatisfy { $0 }
            let needed = isNew ? 1 : healthy
            if run.count >= needed, run.suffix(needed).allSatisfy({ $0 }) { (isHealthy, since) = (true, end + 1) }
        }
        return isHealthy
    }

    @Test("they are those of looking at all results", arguments: 0..<8)
    func walk(round: Int) {
        var random = SplitMix64(seed: UInt64(round) &+ 99)
        for _ in 0..<300 {
            let startsHealthy = Bool.random(using: &random)
            let (healthy, unhealthy) = (Int.random(in: 1...4, using: &random), Int.random(in: 1...4, using: &random))
            var thresholds = HealthThresholds(startsHealthy: startsHealthy)
            var results: [Bool] = []
            for _ in 0..<30 {
                let passed = Int.random(in: 0..<3, using: &random) > 0
                results.append(passed)
                let before = thresholds.isHealthy
                let changed = thresholds.note(
                    passed: passed, healthyThreshold: healthy, unhealthyThreshold: unhealthy)
                let wanted = naive(results, startsHealthy: startsHealthy, healthy: healthy, unhealthy: unhealthy)
                #expect(
                    thresholds.isHealthy == wanted,
                    "seed \(round): \(results), starts healthy: \(startsHealthy), \(healthy) and \(unhealthy)")
                #expect(changed == (before != thresholds.isHealthy))
            }
        }
    }

    @Test("a new endpoint needs one pass, one that failed once as many as the threshold says")
    func first() {
        var new = HealthThresholds(startsHealthy: false)
        #expect(!new.isHealthy && !new.isChecked)
        let passed = new.note(passed: true, healthyThreshold: 5, unhealthyThreshold: 3)
        #expect(passed && new.isHealthy && new.isChecked)
        var failed = HealthThresholds(startsHealthy: false)
        let results = [false, true, true, true].map {
            failed.note(passed: $0, healthyThreshold: 3, unhealthyThreshold: 3)
        }
        #expect(results == [false, false, false, true])
    }

    @Test("changed thresholds count with the next result")
    func changed() {
        var thresholds = HealthThresholds(startsHealthy: true)
        for _ in 0..<4 { _ = thresholds.note(passed: false, healthyThreshold: 1, unhealthyThreshold: 10) }
        #expect(thresholds.isHealthy)
        let lost = thresholds.note(passed: false, healthyThreshold: 1, unhealthyThreshold: 2)
        #expect(lost && thresholds.failures == 5)
    }
}

@Suite("Ejections")
struct EjectionRuleTests {
    @Test("never the last usable one, never more than the share, but one where that is asked for")
    func rule() {
        func allows(_ endpoints: Int, _ ejected: Int, _ others: Int, _ percent: Int, _ one: Bool) -> Bool {
            EjectionRule.allows(
                endpoints: endpoints, ejected: ejected, usableOthers: others, maximumPercent: percent, alwaysOne: one)
        }
        #expect(!allows(3, 0, 2, 10, false))
        #expect(allows(3, 0, 2, 10, true))
        #expect(!allows(3, 1, 1, 10, true))
        #expect(allows(10, 0, 9, 10, false))
        #expect(!allows(10, 1, 8, 10, false))
        #expect(allows(10, 4, 5, 50, false))
        #expect(!allows(10, 5, 4, 50, false))
        #expect(!allows(1, 0, 0, 100, true))
        #expect(!allows(2, 1, 0, 100, true))
        #expect(!allows(0, 0, 0, 100, true))
    }

    @Test("they last longer each time, up to five minutes")
    func time() {
        #expect(EjectionRule.time(count: 1, base: 30_000_000_000) == 30_000_000_000)
        #expect(EjectionRule.time(count: 3, base: 30_000_000_000) == 90_000_000_000)
        #expect(EjectionRule.time(count: 99, base: 30_000_000_000) == EjectionRule.longest)
        #expect(EjectionRule.time(count: 1, base: 600_000_000_000) == 600_000_000_000)
        #expect(EjectionRule.time(count: .max, base: .max) == .max)
    }
}
