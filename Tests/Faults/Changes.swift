import CFaults
import Engine
import EngineModel
import Platform
import Primitives
import TestSupport

/// Changes the configuration again and again, with calls that fail: values of routes and backends, a listener that comes and
/// goes while clients knock at it, the access log's file.
struct Changes: Sendable {
    let gateway: Gateway
    let scene: Scene
    let verdict: Verdict

    /// At least two rounds.
    func run(until flag: Flag) throws {
        var round = 0
        while round < 2 || !flag.isRaised {
            round += 1
            _ = try apply(variant: round, passing: true)
            let made = (0..<2).count { _ in visit(.plain, port: scene.passingPort, small: true, verdict) != .refused }
            // Its counts go with it.
            let isCounted = waitUntil {
                let counts = gateway.counts(passing: true)
                return counts.accepted == counts.ended && counts.ended >= made
            }
            verdict.expect(
                isCounted, "\(made) clients of the passing listener; counted: \(gateway.counts(passing: true))")
            gateway.accessLog.reopen()
            _ = try apply(variant: round, passing: false)
            pause(for: .milliseconds(5))
        }
    }

    private func apply(variant: Int, passing: Bool) throws -> Acknowledgement {
        let configuration = try scene.configuration(variant: variant, passing: passing)
        faults_choose_thread(1)
        defer { faults_choose_thread(-1) }
        return gateway.engine.apply(configuration)
    }
}
