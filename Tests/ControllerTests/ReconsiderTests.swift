import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@testable import Controller
@testable import Translation

@Suite("Reconsidering", .timeLimit(.minutes(1)))
struct ReconsiderTests {
    private let controllerName = "sluice.dev/gateway-controller"

    /// A gateway whose Service was made `age` seconds ago and has no address.
    private func snapshot(age: Int64) throws -> ClusterSnapshot {
        let now = realtimeNanoseconds() / 1_000_000_000
        var snapshot = ClusterSnapshot(asOf: now)
        snapshot.gatewayClasses[key("sluice", "")] = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: .init(controllerName: controllerName))
        let gateway = Gateway(
            metadata: ObjectMeta(name: "edge", namespace: "default", uid: "u"),
            spec: .init(
                gatewayClassName: "sluice", listeners: [Gateway.Listener(name: "db", port: 5432, protocol: .tcp)]))
        snapshot.gateways[gateway.key] = gateway
        let name = ServiceNames.service(of: gateway.key)
        let made = try #require(Timestamp(TimeText.seconds(now - age)))
        var spec = Service.Spec(
            type: "LoadBalancer",
            ports: [.init(name: "tcp-5432", port: 5432, protocol: "TCP", targetPort: .number(20000))])
        spec.selector = ["app": "sluice"]
        snapshot.services[key(name, "sys")] = Service(
            metadata: ObjectMeta(
                name: name, namespace: "sys", uid: "s", creationTimestamp: made,
                labels: ServiceNames.labels(
                    of: gateway.key, gateway, controller: ServiceNames.labelValue(controllerName))),
            spec: spec)
        return snapshot
    }

    @Test("what only time changes is concluded in time, though nothing else happens")
    func address() throws {
        let outcomes = Locked<[Outcome]>([])
        let target = RecordingTarget()
        var options = TranslationOptions()
        options.exposure = .service
        options.installation = .init(namespace: "sys", podLabels: ["app": "sluice"])
        let controller = Controller(
            target: target, options: options, logger: .disabled, localAddresses: { [] },
            onOutcome: { outcome in outcomes.withLock { $0.append(outcome) } })
        try controller.start()
        controller.submit(
            ClusterState(snapshot: try snapshot(age: 59), observed: ObservedStatuses(), isSynced: true))
        func programmed(_ outcome: Outcome?) -> Condition? {
            outcome?.statuses.gateways[key("edge")]?.conditions.first { $0.type == .programmed }
        }
        #expect(waitUntil { outcomes.withLock { !$0.isEmpty } })
        let isTold = waitUntil(deadline: .seconds(20)) {
            programmed(outcomes.withLock { $0.last })?.reason == .addressNotAssigned
        }
        #expect(isTold, "\(String(describing: programmed(outcomes.withLock { $0.last })))")
        #expect(programmed(outcomes.withLock { $0.first })?.status != .true)
        #expect(target.applied.count == 1)
        #expect(outcomes.withLock { $0.last }?.changes.contains { $0.condition.reason == .addressNotAssigned } == true)
        controller.stop()
    }

    @Test("what only time changes is concluded in time, though statuses change all the while")
    func busy() throws {
        let outcome = Locked<Outcome?>(nil)
        var options = TranslationOptions()
        options.exposure = .service
        options.installation = .init(namespace: "sys", podLabels: ["app": "sluice"])
        let controller = Controller(
            target: RecordingTarget(), options: options, logger: .disabled, localAddresses: { [] },
            onOutcome: { value in outcome.withLock { $0 = value } })
        try controller.start()
        let state = ClusterState(snapshot: try snapshot(age: 59), observed: ObservedStatuses(), isSynced: true)
        let isTold = waitUntil(deadline: .seconds(10)) {
            controller.submit(state)
            let gateway = outcome.withLock { $0?.statuses.gateways[key("edge")] }
            return gateway?.conditions.contains { $0.reason == .addressNotAssigned } ?? false
        }
        #expect(isTold)
        controller.stop()
    }
}
