import Platform
import Simulation

/// Runs seeds of the simulation: many in search of one that breaks a rule, or one with all that happens in it.
let usage = """
    usage: sluice-simulate [--seed N [--trace] [--whole]]
                           [--seeds COUNT] [--from N] [--threads N]

    --seed N      one seed; a schedule that breaks a rule is shortened and printed
    --trace       with what happens at each step
    --whole       the schedule as it is drawn, not shortened
    --seeds COUNT so many seeds (10000), from --from (0), on --threads (2); ends at the first that breaks a rule

    Exit status: 0 everything held, 1 a rule was broken, 2 usage.

    """

func fail(_ text: String) -> Never {
    try? StandardStream.error.write("sluice-simulate: \(text)\n\(usage)")
    Host.exit(2)
}

func say(_ text: String) { try? StandardStream.output.write(text + "\n") }

/// How connections ended.
func say(_ ends: [String: Int]) {
    say("ends: " + ends.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
}

var seed: UInt64?
var (from, count): (UInt64, UInt64) = (0, 10_000)
var threads = 2
var (traces, isWhole) = (false, false)
var arguments = CommandLine.arguments.dropFirst()

@MainActor func number(of flag: String) -> UInt64 {
    guard let text = arguments.popFirst(), let number = UInt64(text) else { fail("\(flag) needs a number") }
    return number
}

while let flag = arguments.popFirst() {
    switch flag {
    case "--seed": seed = number(of: flag)
    case "--seeds": count = number(of: flag)
    case "--from": from = number(of: flag)
    case "--threads": threads = Int(min(256, number(of: flag)))
    case "--trace": traces = true
    case "--whole": isWhole = true
    default: fail("\(flag) is unknown")
    }
}

/// Prints a schedule, and what happens in it. True: it breaks a rule.
@MainActor func show(_ seed: UInt64) -> Bool {
    var scenario = Scenario(seed: seed)
    let first = Simulation.run(scenario)
    if let violation = first.violation, !isWhole { scenario = Simulation.shrink(scenario, rule: violation.rule) }
    say("seed \(seed), \(scenario.steps.count) steps")
    if traces || first.violation != nil {
        for line in scenario.summary { say("  \(line)") }
    }
    let outcome = Simulation.run(scenario, trace: traces ? { say("  " + $0) } : nil)
    say(outcome.ends)
    say(outcome.violation.map { "BROKEN \($0)" } ?? "everything held")
    return outcome.violation != nil
}

if let seed { Host.exit(show(seed) ? 1 : 0) }

var (runs, broken): (Int, Simulation.Outcome?) = (0, nil)
var ends: [String: Int] = [:]
await Simulation.run(seeds: from..<from + count, threads: threads) { outcome in
    runs += 1
    ends.merge(outcome.ends, uniquingKeysWith: +)
    if outcome.violation != nil, outcome.seed < broken?.seed ?? .max { broken = outcome }
    return broken == nil
}
guard let broken else {
    say("\(runs) seeds from \(from): everything held")
    say(ends)
    Host.exit(0)
}
say("after \(runs) seeds: seed \(broken.seed) broke a rule")
_ = show(broken.seed)
say("again: swift run sluice-simulate --seed \(broken.seed) --trace")
Host.exit(1)
