import FoundationEssentials
import Glibc
import Platform
import Primitives
import Simulation
import TestSupport
import Testing

@Suite("Simulation", .timeLimit(.minutes(10)))
struct SimulationTests {
    @Test("ten thousand seeds hold every rule")
    func seeds() async {
        var (runs, broken): (Int, [Simulation.Outcome]) = (0, [])
        var ends: [String: Int] = [:]
        await Simulation.run(seeds: 0..<10_000, threads: 2) { outcome in
            runs += 1
            ends.merge(outcome.ends, uniquingKeysWith: +)
            if outcome.violation != nil { broken.append(outcome) }
            return broken.isEmpty
        }
        for outcome in broken {
            let violation = outcome.violation.map { "\($0)" } ?? ""
            Issue.record("\(violation): swift run sluice-simulate --seed \(outcome.seed) --trace")
        }
        #expect(runs == 10_000 || !broken.isEmpty)
        // What the seeds are for does happen in them.
        for reason in [
            "client_closed", "backend_reset", "connect_refused", "connect_timeout", "circuit_open", "queue_full",
            "queue_timeout", "rate_limited", "connection_limit", "source_connection_limit", "no_healthy_endpoint",
            "invalid_backend", "no_route", "idle_timeout", "max_duration", "route_deleted", "endpoint_removed",
            "endpoint_unhealthy", "primary_recovered",
        ] {
            #expect(ends[reason, default: 0] > 50, "\(reason) ended \(ends[reason, default: 0]) connections")
        }
    }

    @Test("a seed that has not ended in time is told")
    func stuck() async {
        let told = Locked<UInt64?>(nil)
        await Simulation.run(
            seeds: 0..<10_000, threads: 1, patience: .zero, stuck: { seed in told.withLock { $0 = seed } },
            take: { _ in told.withLock { $0 } == nil })
        #expect(told.withLock { $0 } != nil)
    }

    @Test("a seed is the same in another process, whatever hashes are seeded with", arguments: [3, 17, 134, 1136])
    func repeats(seed: UInt64) throws {
        var here: [String] = []
        let outcome = Simulation.run(Scenario(seed: seed)) { here.append("  " + $0) }
        #expect(outcome.violation == nil)
        #expect(here.count > 5)
        let there = try simulate("--seed", "\(seed)", "--trace", "--whole")
        #expect(there.filter { $0.contains(" ms  ") } == here)
    }

    /// Lines that the program prints.
    private func simulate(_ arguments: String...) throws -> [String] {
        let folder = try TemporaryDirectory()
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = bundle.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/sluice-simulate"
        let path = "\(folder.path)/output"
        let output = FileDescriptor(owning: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        let process = try ChildProcess([program] + arguments, output: output.raw)
        #expect(process.wait() == .exited(code: 0))
        return String(decoding: try readFile(path), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("the seeds that found something hold", arguments: [1136])
    func found(seed: UInt64) { #expect(Simulation.run(Scenario(seed: seed)).violation == nil) }
}
