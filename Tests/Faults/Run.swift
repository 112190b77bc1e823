import CFaults
import Platform
import TestSupport

/// Everything that the command line asks for, one trial after the other.
struct Run {
    let options: Options
    let scene: Scene
    let verdict: Verdict
    private var trials = 0
    private var injected: UInt64 = 0
    private var served = 0
    private var cut = 0
    private var startsRefused = 0

    init(_ options: Options) throws {
        (self.options, verdict) = (options, Verdict())
        scene = try Scene(verdict)
    }

    /// In a short run those that take long are left out where they add nothing.
    private func modes(for failure: Failure?) -> [Mode] {
        if let mode = options.mode { return [mode] }
        guard options.isShort, let failure else { return Mode.allCases }
        return Mode.allCases.filter {
            switch $0 {
            case .limited: failure.call == "epoll_pwait2"
            case .bulk: ["splice", "pipe2", "fcntl", "recv", "send"].contains(failure.call) || failure.cause != nil
            default: true
            }
        }
    }

    /// Whether nothing was violated.
    mutating func all() -> Bool {
        let started = MonotonicTime.now()
        let chosen = Failure.all.filter {
            (options.call ?? $0.call) == $0.call && (options.error ?? $0.error) == $0.error
        }
        verdict.expect(!chosen.isEmpty, "there is no such failure")
        var heap: [Int] = []
        for round in 0..<options.rounds {
            let seed = options.seed &+ UInt64(round)
            if let only = options.mixture {
                mixture(chosen, only &+ UInt64(round))
            } else {
                for failure in chosen { single(failure, seed) }
                for number in 0..<options.mixtures { mixture(chosen, seed &* 1000 &+ UInt64(number)) }
            }
            heap.append(Levels.heap)
        }
        // What libraries keep for good, they have by then.
        if heap.count > 2 {
            verdict.begin("the heap")
            let (early, late) = (heap[1], heap[heap.count - 1])
            verdict.expect(late - early < 4 << 20, "grew from \(early) to \(late) bytes: \(heap)")
        }
        let violations = verdict.violations.count
        say(
            "faults: \(trials) trials of \(chosen.count) failures in \((MonotonicTime.now() - started).wholeMilliseconds / 1000) s, "
                + "\(injected) injected; clients: \(served) served, \(cut) cut; starts refused: \(startsRefused); "
                + "heap after each round: \(heap.map { $0 >> 10 }) KiB; \(violations) violations")
        return violations == 0
    }

    private mutating func single(_ failure: Failure, _ seed: UInt64) {
        let often = [failure.every, min(2, failure.every)]
        let result = trial(failure.name, often.map { failure.rules(every: $0) }, seed, of: failure)
        if options.mode == nil {
            verdict.expect(result.injected[0] > 0, "never occurred")
        }
    }

    /// Everything now and then.
    private mutating func mixture(_ failures: [Failure], _ seed: UInt64) {
        let rules = failures.map { $0.rule(every: 0, perMillion: 3000) }
        _ = trial("mixture", [rules], seed, of: nil)
    }

    private mutating func trial(_ title: String, _ stages: [[faults_rule]], _ seed: UInt64, of failure: Failure?)
        -> Trial.Result
    {
        let started = MonotonicTime.now()
        let result = Trial(
            title: title, stages: stages, seed: seed, modes: modes(for: failure),
            isHarmless: failure?.isHarmless ?? false,
            isShort: options.isShort, scene: scene, verdict: verdict
        ).run()
        trials += 1
        let all = result.injected.reduce(0, +)
        injected += all
        served += result.served
        cut += result.cut
        startsRefused += result.startsRefused
        if !options.isShort {
            let took = (MonotonicTime.now() - started).wholeMilliseconds
            say("\(title): \(all) injected, \(result.served) served, \(result.cut) cut, \(took) ms")
        }
        return result
    }
}
