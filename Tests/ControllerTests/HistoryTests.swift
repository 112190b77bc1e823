import EngineModel
import Inspection
import KubernetesAPI
import Observability
import Platform
import Primitives
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("What is inspected", .timeLimit(.minutes(1)))
struct HistoryTests {
    private let target = RecordingTarget()
    private let controller: Controller

    init() throws {
        var options = TranslationOptions()
        options.standalone = true
        controller = Controller(
            target: target, options: options, logger: Logger(recordingTo: MemoryLog()),
            localAddresses: { [.v4(0xc000_0201)] })
        try controller.start()
    }

    private func snapshot(ports: [Int], routes: [String: String] = [:]) -> ClusterSnapshot {
        var snapshot = ClusterSnapshot(asOf: 1000)
        let listeners = ports.map { Gateway.Listener(name: "p\($0)", port: $0, protocol: .tcp) }
        let gateway = Gateway(
            metadata: ObjectMeta(name: "edge"), spec: .init(gatewayClassName: "sluice", listeners: listeners))
        snapshot.gateways[gateway.key] = gateway
        for (name, listener) in routes {
            let route = TCPRoute(
                metadata: ObjectMeta(name: name),
                spec: .init(
                    parentRefs: [.init(name: "edge", sectionName: listener)],
                    rules: [.init(backendRefs: [.init(name: "none", port: 80)])]))
            snapshot.tcpRoutes[route.key] = route
        }
        return snapshot
    }

    private func submit(_ snapshot: ClusterSnapshot, touched: TouchedObjects? = nil) -> ControllerState {
        let before = controller.state.reloads.succeeded
        controller.submit(snapshot, isComplete: true, touched: touched)
        #expect(waitUntil { controller.state.reloads.succeeded == before + 1 })
        return controller.state
    }

    @Test("each change of the configuration is remembered, the newest first, with what is other than before")
    func history() throws {
        #expect(controller.state.history == [])
        var state = submit(snapshot(ports: [9000]))
        #expect(state.history.map(\.changes) == [["+ listener default/edge/p9000 at port 9000"]])
        state = submit(snapshot(ports: [9000]))
        #expect(state.history.count == 1, "nothing was other")
        state = submit(snapshot(ports: [9000, 9001], routes: ["db": "p9001"]))
        #expect(
            state.history.first?.changes == [
                "+ listener default/edge/p9001 at port 9001", "+ TCPRoute default/db at default/edge/p9001",
            ])
        state = submit(snapshot(ports: [9000, 9001], routes: ["db": "p9000"]))
        #expect(
            state.history.first?.changes == [
                "+ TCPRoute default/db at default/edge/p9000", "- TCPRoute default/db at default/edge/p9001",
            ])
        #expect(state.history.map(\.generation) == [3, 2, 1])
        let now = realtimeNanoseconds() / 1_000_000
        for step in state.history {
            #expect(step.milliseconds >= 0 && step.milliseconds < 60_000)
            #expect(step.appliedAt <= now && step.appliedAt > now - 60_000)
        }
        controller.stop()
    }

    @Test("the last fifty changes are remembered")
    func length() {
        for index in 0..<60 { _ = submit(snapshot(ports: [9000 + index])) }
        let history = controller.state.history
        #expect(history.map(\.generation) == (11...60).reversed().map { UInt64($0) })
        controller.stop()
    }

    @Test("what is inspected has the engine's answer, and says since when conditions hold")
    func inspected() throws {
        #expect(controller.state.inspected(health: [], traffic: TrafficReport()) == nil)
        target.fail(9001, with: "port 9001 is in use by nginx (pid 1)")
        let state = submit(snapshot(ports: [9000, 9001], routes: ["db": "p9000", "lost": "p1"]))
        let id = BackendID(kind: "Service", namespace: "default", name: "none", port: 80)
        var traffic = TrafficReport()
        traffic.backends[id] = BackendTraffic()
        let inspected = try #require(
            state.inspected(health: [BackendHealthReport(backend: id, endpoints: [])], traffic: traffic))
        #expect(inspected.acknowledgement?.generation == 1 && inspected.traffic == traffic)
        #expect(inspected.health[id]?.endpoints == [])
        let tree = StatusTree(inspected, times: state.conditionTimes)
        let listeners = try #require(tree.gateways.first?.listeners)
        #expect(listeners.map { $0.bindings.map(\.isBound) } == [[true], [false]])
        #expect(listeners[1].bindings[0].problem?.contains("nginx") == true)
        let now = wallSeconds()
        let conditions =
            listeners.flatMap(\.conditions) + tree.gateways.flatMap(\.conditions)
            + tree.routes.flatMap(\.parents).flatMap(\.conditions)
        #expect(conditions.count > 8)
        for condition in conditions { #expect(condition.since.map { now - $0 < 60 } == true, "\(condition)") }
        controller.stop()
    }
}
