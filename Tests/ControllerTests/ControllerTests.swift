import EngineModel
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("Controller", .timeLimit(.minutes(1)))
struct ControllerTests {
    private let target = RecordingTarget()
    private let log = MemoryLog()
    private let controller: Controller

    init() throws {
        var options = TranslationOptions()
        options.standalone = true
        controller = Controller(
            target: target, options: options, logger: Logger(recordingTo: log),
            localAddresses: { [.v4(0xc000_0201)] })
        try controller.start()
    }

    /// A gateway `edge` with a TCP listener per port, each with nothing attached.
    private func snapshot(ports: [Int], asOf: Int64 = 1000) -> ClusterSnapshot {
        var snapshot = ClusterSnapshot(asOf: asOf)
        let listeners = ports.map { Gateway.Listener(name: "p\($0)", port: $0, protocol: .tcp) }
        let gateway = Gateway(
            metadata: ObjectMeta(name: "edge"), spec: .init(gatewayClassName: "sluice", listeners: listeners))
        snapshot.gateways[gateway.key] = gateway
        return snapshot
    }

    private func waitFor(_ condition: (ControllerState) -> Bool) -> Bool { waitUntil { condition(controller.state) } }

    private func programmed(_ port: Int) -> StatusStore.Entry? {
        controller.state.statuses[
            .init(
                subject: .init(kind: "Gateway", namespace: "default", name: "edge", part: .listener("p\(port)")),
                type: "Programmed")]
    }

    @Test("an empty snapshot is applied too: readiness waits for it")
    func empty() {
        #expect(!controller.state.hasApplied)
        controller.submit(ClusterSnapshot(asOf: 1), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 1 })
        #expect(controller.state.hasApplied)
        #expect(target.applied == [EngineConfiguration()])
        controller.stop()
    }

    @Test("what does not change the configuration is not applied again")
    func unchanged() {
        controller.submit(snapshot(ports: [9000]), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 1 })
        controller.submit(snapshot(ports: [9000], asOf: 2000), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 2 })
        #expect(target.applied.count == 1)
        controller.submit(snapshot(ports: [9000, 9001]), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 3 })
        #expect(target.applied.map { $0.listeners.flatMap(\.bindings).map(\.port) } == [[9000], [9000, 9001]])
        #expect(controller.state.acknowledgement?.generation == 2)
        controller.stop()
    }

    @Test("the engine's answer closes Programmed, and a listener that serves is logged")
    func programmedListener() {
        controller.submit(snapshot(ports: [9000]), isComplete: true)
        let entry = log.waitForEntry { $0.text("listener") == "p9000" && $0.text("condition") == "Programmed" }
        #expect(entry?.level == .info)
        #expect(entry?.text("object") == "Gateway default/edge")
        #expect(entry?.text("status") == "True")
        #expect(waitFor { $0.hasApplied })
        #expect(programmed(9000)?.condition.status == .true)
        #expect(controller.state.counts.counts["Gateway"] == [.accepted: 1])
        controller.stop()
    }

    @Test("a bind that fails is a warning on its listener alone, and a retry that succeeds closes it")
    func bindFailure() throws {
        target.fail(9001, with: "port 9001 is in use by redis-server (pid 812)")
        controller.submit(snapshot(ports: [9000, 9001]), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 1 })
        #expect(programmed(9000)?.condition.status == .true)
        let failed = try #require(programmed(9001))
        #expect(failed.condition.status == .false)
        #expect(failed.condition.message.contains("redis-server (pid 812)"))
        #expect(controller.state.bindFailures == ["port 9001 is in use by redis-server (pid 812)"])
        let line = log.waitForEntry { $0.text("listener") == "p9001" && $0.level == .warning }
        #expect(line?.text("detail")?.contains("redis-server") == true)

        target.fail(9001, with: nil)
        target.reportListeners()
        #expect(waitUntil { programmed(9001)?.condition.status == .true })
        #expect(controller.state.bindFailures == [])
        #expect(target.applied.count == 1)
        controller.stop()
    }

    @Test("an answer from before the last application is not believed")
    func staleAnswer() {
        controller.submit(snapshot(ports: [9000]), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 1 })
        controller.submit(snapshot(ports: [9001]), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 2 })
        target.fail(9001, with: "late")
        target.reportListeners(generation: 1)
        controller.submit(snapshot(ports: [9001]), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 3 })
        #expect(programmed(9001)?.condition.status == .true)
        controller.stop()
    }

    @Test("a source that could be read in part counts as a failure, and what could be read is served")
    func partialLoad() {
        controller.submit(snapshot(ports: [9000]), isComplete: false)
        #expect(waitFor { $0.reloads.failed == 1 })
        #expect(!controller.state.reloads.lastSucceeded)
        #expect(controller.state.reloads.lastSuccess == nil)
        #expect(target.applied.count == 1)
        controller.submit(snapshot(ports: [9000]), isComplete: true)
        #expect(waitFor { $0.reloads.lastSucceeded })
        controller.stop()
    }

    @Test("what a cache on disk had is served, and nothing is written from it")
    func cachedState() throws {
        let outcomes = Locked<[Outcome]>([])
        let controller = Controller(
            target: target, options: TranslationOptions(), logger: Logger(recordingTo: log),
            localAddresses: { [.v4(0xc000_0201)] },
            onOutcome: { outcome in outcomes.withLock { $0.append(outcome) } })
        try controller.start()
        var state = ClusterState(snapshot: snapshot(ports: [9000]), observed: ObservedStatuses(), isSynced: true)
        state.snapshot.gatewayClasses[ObjectKey(namespace: "", name: "sluice")] = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: .init(controllerName: "sluice.dev/gateway-controller"))
        state.isFromCache = true
        controller.submit(state)
        #expect(waitUntil { controller.state.hasApplied })
        // What the engine says later is no reason either.
        target.reportListeners()
        state.snapshot.asOf += 1
        controller.submit(state)
        state.isFromCache = false
        state.observed.byKind["Gateway"] = [
            ObjectKey(namespace: "default", name: "edge"): ObservedStatus(
                uid: "u", resourceVersion: "7", generation: 1, version: "v1", status: nil)
        ]
        controller.submit(state)
        #expect(waitUntil { outcomes.withLock { !$0.isEmpty } })
        #expect(outcomes.withLock { $0.allSatisfy { !$0.observed.byKind.isEmpty } }, "none of the cached state")
        #expect(target.applied.count == 1)
        controller.stop()
    }

    @Test("a cluster's state is taken once every kind was listed; a change of statuses alone reaches the writers alone")
    func clusterStates() throws {
        let outcomes = Locked<[Outcome]>([])
        let controller = Controller(
            target: target, options: TranslationOptions(), logger: Logger(recordingTo: log),
            localAddresses: { [.v4(0xc000_0201)] },
            onOutcome: { outcome in outcomes.withLock { $0.append(outcome) } })
        try controller.start()
        var state = ClusterState(snapshot: snapshot(ports: [9000]), observed: ObservedStatuses(), isSynced: false)
        state.snapshot.gatewayClasses[ObjectKey(namespace: "", name: "sluice")] = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: .init(controllerName: "sluice.dev/gateway-controller"))
        controller.submit(state)
        state.isSynced = true
        controller.submit(state)
        #expect(waitUntil { outcomes.withLock { $0.count } == 1 })
        let first = try #require(outcomes.withLock { $0.first })
        #expect(first.statuses.gateways.values.first?.conditions.contains { $0.type == .programmed } == true)
        #expect(controller.state.reloads.succeeded == 1)

        state.snapshot.asOf += 5
        state.observed.byKind["Gateway"] = [
            ObjectKey(namespace: "default", name: "edge"): ObservedStatus(
                uid: "u", resourceVersion: "7", generation: 1, version: "v1", status: nil)
        ]
        controller.submit(state)
        #expect(waitUntil { outcomes.withLock { $0.count } == 2 })
        let second = try #require(outcomes.withLock { $0.last })
        #expect(second.revision == first.revision)
        #expect(second.observed["Gateway", ObjectKey(namespace: "default", name: "edge")]?.resourceVersion == "7")
        #expect(controller.state.reloads.succeeded == 1)
        #expect(target.applied.count == 1)

        target.reportListeners()
        #expect(waitUntil { outcomes.withLock { $0.count } == 3 })
        #expect(outcomes.withLock { $0.last }?.revision != first.revision)
        controller.stop()
    }

    @Test("metrics and JSON say what was reached")
    func views() throws {
        target.fail(9001, with: "in use")
        controller.submit(snapshot(ports: [9000, 9001]), isComplete: true)
        #expect(waitFor { $0.reloads.succeeded == 1 })
        var text = PrometheusText()
        controller.state.append(to: &text)
        for line in [
            "sluice_config_generation 1", "sluice_config_last_reload_successful 1",
            "sluice_config_reloads_total{result=\"success\"} 1", "sluice_config_reloads_total{result=\"failure\"} 0",
            "sluice_config_apply_duration_seconds_count 1",
            "sluice_config_objects{kind=\"Gateway\",state=\"accepted\"} 1",
            "sluice_config_objects{kind=\"Gateway\",state=\"rejected\"} 0",
        ] { #expect(text.text.contains(line + "\n"), "\(line)") }
        let json = String(decoding: try controller.state.configurationJSON(source: ["kind": "test"]), as: UTF8.self)
        for part in [
            "\"generation\" : 1", "\"address\" : \"*:9001\"", "\"state\" : \"failed\"", "\"message\" : \"in use\"",
            "\"gateway\" : \"default/edge\"", "\"mode\" : \"TCP\"", "\"type\" : \"Programmed\"",
        ] { #expect(json.contains(part), "\(part)") }
        controller.stop()
    }
}
