import EngineModel
import FoundationEssentials
import KubernetesAPI
import Observability
import Platform
import TestSupport
import Testing
import Translation

@testable import Controller

/// What changes its meaning by time alone.
@Suite("Patience with load balancers", .timeLimit(.minutes(1)))
struct AddressPatienceTests {
    @Test("a minute after its Service was made a gateway says that it has no address, though nothing else happens")
    func noAddress() throws {
        var options = TranslationOptions()
        options.controllerName = "sluice.dev/gateway-controller"
        options.exposure = .service
        options.installation = TranslationOptions.Installation(namespace: "system", podLabels: ["app": "sluice"])
        let target = RecordingTarget()
        let controller = Controller(
            target: target, options: options, logger: Logger(recordingTo: MemoryLog()), localAddresses: { [] })
        try controller.start()
        defer { controller.stop() }

        let now = Int64(Date().timeIntervalSince1970)
        var snapshot = ClusterSnapshot(asOf: now)
        let gatewayClass = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: .init(controllerName: options.controllerName))
        snapshot.gatewayClasses[gatewayClass.key] = gatewayClass
        let gateway = Gateway(
            metadata: ObjectMeta(name: "edge", uid: "1"),
            spec: .init(gatewayClassName: "sluice", listeners: [.init(name: "db", port: 5432, protocol: .tcp)]))
        snapshot.gateways[gateway.key] = gateway
        let desired = try #require(translate(snapshot, options: options).infrastructure.services.first)
        let made = Date(timeIntervalSince1970: Double(now - 59)).formatted(.iso8601)
        snapshot.services[desired.key] = Service(
            metadata: ObjectMeta(
                name: desired.key.name, namespace: "system", creationTimestamp: Timestamp(made), labels: desired.labels),
            spec: Service.Spec(
                type: "LoadBalancer", ports: [.init(name: "tcp-5432", port: 5432, targetPort: .number(20000))]))
        controller.submit(snapshot, isComplete: true)

        func programmed() -> Condition? {
            let subject = StatusSubject(kind: "Gateway", namespace: "default", name: "edge")
            return controller.state.statuses[.init(subject: subject, type: "Programmed")]?.condition
        }
        #expect(waitUntil { programmed() != nil })
        #expect(waitUntil { programmed()?.reason == .addressNotAssigned })
        #expect(programmed()?.message.hasPrefix("Service \(desired.key) was given no address") == true)
        // What is bound stays bound, and is not told to the engine again.
        #expect(target.applied.map { $0.listeners.flatMap(\.bindings).map(\.port) } == [[20000]])
    }
}
