import Commands
import EngineModel
import Observability
import Platform

/// A data plane that binds everything at once and has as many connections as it is told.
final class FakeDataPlane: DataPlane {
    struct State {
        var applied: [EngineConfiguration] = []
        var connections = 0
        var isDraining = false
        var isStopped = false
        var warnings: [String] = []
        var ticketKeys: TicketKeyRing?
        var awaitsFirstChecks = false
        var hasAccessLogFile = false
        var reopened = 0
        var health: [BackendHealthReport] = []
        var traffic = TrafficReport()
        var samples: [TrafficSample] = []
        var open: [ConnectionInfo] = []
        var closeReasons: [CloseReason] = []
    }

    let state = Monitored(State())

    func update(_ body: (inout State) -> Void) { state.update(body) }

    /// Waits until `condition` holds; false after ten seconds.
    func wait(for condition: (State) -> Bool) -> Bool {
        state.wait(until: .now() + .seconds(10)) { condition($0) ? true : nil } ?? false
    }

    func apply(_ configuration: EngineConfiguration) -> Acknowledgement {
        state.update { state in
            state.applied.append(configuration)
            let bindings = configuration.listeners.flatMap(\.bindings).map { ($0, BindingState.bound) }
            return Acknowledgement(
                generation: UInt64(state.applied.count), bindings: Dictionary(bindings) { first, _ in first })
        }
    }

    func onListenerChange(_ body: @escaping @Sendable (Acknowledgement) -> Void) {}
    func setTicketKeys(_ ring: TicketKeyRing?) { state.update { $0.ticketKeys = ring } }
    var activeConnections: Int { state.update { $0.connections } }
    var awaitsFirstChecks: Bool { state.update { $0.awaitsFirstChecks } }
    func health() -> [BackendHealthReport] { state.update { $0.health } }
    func traffic() -> TrafficReport { state.update { $0.traffic } }
    func makeSampler() -> any TrafficSampling { FakeSampler(state: state) }
    func connections(limit: Int, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool) -> [ConnectionInfo] {
        Array(state.update { $0.open }.filter(isWanted).prefix(limit))
    }
    func closeConnections(
        reason: CloseReason, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool
    ) -> [ConnectionInfo] {
        state.update { state in
            let closed = state.open.filter(isWanted)
            state.open.removeAll(where: isWanted)
            state.closeReasons.append(reason)
            return closed
        }
    }
    var warnings: [String] { state.update { $0.warnings } }
    var boundBindings: Set<Binding> {
        state.update { Set($0.applied.last?.listeners.flatMap(\.bindings) ?? []) }
    }
    func copyListeners() -> [Binding: [Int32]] { [:] }
    func setLending(_ isLending: Bool) {}
    func handOver() { state.update { $0.isDraining = true } }
    func beginAccepting() {}
    func closeUnusedInherited() -> [Binding] { [] }
    func beginDrain() { state.update { $0.isDraining = true } }
    func stop() { state.update { $0.isStopped = true } }
    func reopenAccessLog() -> Bool {
        state.update { state in
            if state.hasAccessLogFile { state.reopened += 1 }
            return state.hasAccessLogFile
        }
    }
    func writeMetrics(into text: inout PrometheusText) {
        text.single(MetricDescriptor("fake_engine", .gauge, help: "Stands for the engine's families."), 1)
    }
}

/// Hands out what the fake was told, one after the other, and the last of them again and again.
private struct FakeSampler: TrafficSampling {
    let state: Monitored<FakeDataPlane.State>

    func next() -> TrafficSample {
        state.update { $0.samples.count > 1 ? $0.samples.removeFirst() : $0.samples.first ?? TrafficSample() }
    }
}
