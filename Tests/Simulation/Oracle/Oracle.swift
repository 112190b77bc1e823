import EngineModel
import Platform

@testable import Engine

/// What a run broke.
public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// The book whose rule it is.
    public let rule: String
    public let problem: String
    /// Milliseconds after the beginning.
    public let time: Double

    public var description: String { "\(rule): \(problem) (at \(time) ms)" }
}

/// States what must hold, from what it has seen alone: it keeps books of its own and never asks the engine what the engine thinks,
/// except to compare. The first violation ends the run.
final class Oracle {
    private let clock: VirtualClock
    private(set) var violation: Violation?
    private(set) lazy var standings = StandingBook(self)
    private(set) lazy var choices = ChoiceBook(self)
    private(set) lazy var weights = WeightBook(self)
    private(set) lazy var limits = LimitBook(self)
    private(set) lazy var rates = RateBook(self)
    private(set) lazy var circuits = CircuitBook(self)
    private(set) lazy var bandwidth = BandwidthBook(self)
    private(set) lazy var drains = DrainBook(self)
    /// Until shortly after the last stall nobody is held to the clock.
    var excusedUntil: Int64 = 0
    /// How often each reason ended a connection.
    private(set) var ends: [CloseReason: Int] = [:]

    init(_ clock: VirtualClock) { self.clock = clock }

    var hasFailed: Bool { violation != nil }
    var now: Int64 { clock.now }

    func fail(_ rule: String, _ problem: @autoclosure () -> String) {
        guard violation == nil else { return }
        violation = Violation(
            rule: rule, problem: problem(), time: Double((clock.now - 1_000_000_000_000) / 1000) / 1000)
    }

    func require(_ rule: String, _ holds: Bool, _ problem: @autoclosure () -> String) {
        if !holds { fail(rule, problem()) }
    }

    // MARK: What happens

    /// A table was compiled, and is about to be published.
    func compiled(_ compiler: TableCompiler, _ configuration: EngineConfiguration) {
        standings.compiled(compiler)
        choices.compiled(compiler)
        rates.compiled(configuration)
        bandwidth.compiled(compiler)
        drains.compiled(compiler, configuration)
    }

    func dialled(_ session: Session, _ endpoint: EndpointState) {
        choices.dialled(endpoint)
        drains.dialled(session, endpoint)
    }

    func released(_ session: Session, _ endpoint: EndpointState) { choices.released(endpoint) }

    func closed(_ session: Session, _ reason: CloseReason, now: Int64) {
        ends[reason, default: 0] += 1
        drains.closed(session, reason, now: now)
        guard let route = session.route else { return }
        switch reason {
        case .idleTimeout:
            require(
                "timeouts", now / 1_000_000 - session.lastActivity >= route.idleTimeout && route.idleTimeout > 0,
                "#\(session.id) was not idle for \(route.idleTimeout) ms")
        case .maxDuration:
            let (age, most) = ((now - session.acceptedAt) / 1_000_000 + 1, route.maxDuration)
            let jitter = Int64(route.configuration.settings.maxConnectionDurationJitter)
            require("timeouts", age >= most - most * jitter / 100 - 1, "#\(session.id) ends after \(age) of \(most) ms")
        default: return
        }
    }

    /// Everybody has done what there was to do at this moment.
    func atRest(_ gateway: Gateway) {
        guard !hasFailed else { return }
        circuits.atRest(gateway)
        drains.atRest(gateway)
    }

    /// All clients have left.
    func atEnd(_ gateway: Gateway) {
        for worker in gateway.workers where !worker.isEmpty {
            fail("end", "worker \(worker.index) has something left: \(worker.open.map(\.id))")
        }
        limits.atEnd(gateway)
        circuits.atEnd(gateway)
        choices.atEnd(gateway)
    }
}
