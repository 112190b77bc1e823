internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

/// trials/hostile/exhaustion.py, which fails by itself where something is not as it should be.
extension Process {
    @Suite("Exhaustion", .timeLimit(.minutes(2)))
    struct ExhaustionTests {
        private func run(_ name: String) throws -> String {
            let module = [try Installation.python(), "-B", "-m", "trials.hostile.exhaustion"]
            let program = try Program(
                name, module + ["--binary", try Installation.sluice(), "--only", name],
                environment: ["PYTHONPATH": Installation.root])
            let ending = try program.waitForEnd(within: .seconds(60))
            guard ending == .exited(code: 0) else { throw TestFailure("\(name): \(program.errors)") }
            return program.output
        }

        @Test("no port is left towards a backend: counted, retried elsewhere, calm, and over by itself")
        func ports() throws {
            struct Seen: Decodable {
                struct Ports: Decodable {
                    var served: Int
                    var refused: Int
                    var recovered: Bool
                }
                var ports: Ports
            }
            let seen = try JSONDecoder().decode(Seen.self, from: Data(run("ports").utf8)).ports
            #expect(seen.served + seen.refused == 40 && seen.served <= 20 && seen.recovered)
        }

        @Test("no descriptor is left: the old are served, the new wait, probes answer, and it is over by itself")
        func descriptors() throws {
            struct Seen: Decodable {
                struct Late: Decodable {
                    var descriptors: Int
                    var live: Bool
                }
                struct Descriptors: Decodable {
                    var descriptors: Int
                    var live: Bool
                    var recovered: Bool
                    var late: Late
                }
                var descriptors: Descriptors
            }
            let seen = try JSONDecoder().decode(Seen.self, from: Data(run("descriptors").utf8)).descriptors
            #expect(seen.descriptors < 256 && seen.live && seen.recovered)
            // Those who were let in want a second descriptor: they do not get the last ones either.
            #expect(seen.late.descriptors < 256 && seen.late.live)
        }
    }
}
