@testable import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Judging endpoints")
struct StandingJudgeTests {
    private let health: BackendHealth
    private let plan: CheckPlan
    private let targets: [HealthTarget]

    init() throws {
        var active = ActiveHealthCheck()
        (active.healthyThreshold, active.unhealthyThreshold, active.startsHealthy) = (1, 1, true)
        var passive = PassiveHealthCheck()
        (passive.consecutiveFailures, passive.baseEjectionTime) = (1, .seconds(60))
        let key = BackendHealth.Key(
            backend: backendID("a"), checking: HealthChecking(active: active, passive: passive))
        let health = BackendHealth(key: key, tls: nil, counters: HealthCounters(backend: key.backend))
        self.health = health
        plan = try #require(health.plan)
        targets = (1...2).map { port in
            HealthTarget(health: health, endpoint: health.endpoint(.ip(SocketAddress(.loopbackV4, UInt16(port)))))
        }
    }

    private func check(_ place: Int, passes: Bool, _ judge: inout StandingJudge) {
        let failure = passes ? nil : CheckFailure(reason: .timeout, problem: "no answer")
        judge.take(CheckResult(failure: failure, duration: 1), of: targets[place], plan, began: 1, now: 2)
    }

    @Test("an endpoint that becomes healthy while it is ejected serves, where nobody else can")
    func recoversWhileEjected() {
        var judge = StandingJudge(logger: .disabled)
        judge.use(targets, now: 1)
        check(1, passes: true, &judge)
        check(0, passes: false, &judge)
        _ = targets[0].endpoint.noteFailure()
        judge.suspect(targets[0], now: 2)
        #expect(targets[0].endpoint.standing == [.unhealthy, .ejected])
        check(1, passes: false, &judge)
        #expect(targets[0].endpoint.standing == [.unhealthy, .ejected])
        check(0, passes: true, &judge)
        #expect(targets[0].endpoint.standing == [])
        #expect(targets[1].endpoint.standing == .unhealthy)
        #expect(judge.nextEnd == nil)
    }
}
