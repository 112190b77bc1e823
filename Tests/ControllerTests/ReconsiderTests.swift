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

    private final class NoKey: KeyMaterialStorage {}

    @Test("a certificate's end is concluded from a state with no other news, and its return from a clock set back")
    func certificate() throws {
        let now = realtimeNanoseconds() / 1_000_000_000
        let facts = KeyPairFacts(
            keyType: .ecdsa(curve: "P-256"), dnsNames: [], notBefore: now - 1000, notAfter: now + 1000, fingerprint: "",
            spkiHash: "", chainLength: 1, chainProblems: [],
            material: KeyMaterial(fingerprint: "pair", storage: NoKey()))
        var snapshot = ClusterSnapshot(asOf: now)
        snapshot.gatewayClasses[key("sluice", "")] = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: .init(controllerName: controllerName))
        let listener = Gateway.Listener(
            name: "tls", port: 443, protocol: .tls,
            tls: .init(mode: "Terminate", certificateRefs: [.init(name: "pair")]))
        snapshot.gateways[key("edge")] = Gateway(
            metadata: ObjectMeta(name: "edge", namespace: "default", uid: "u"),
            spec: .init(gatewayClassName: "sluice", listeners: [listener]))
        snapshot.secrets[key("pair")] = SecretEntry(
            metadata: ObjectMeta(name: "pair", namespace: "default"), keyPair: .success(facts))
        let outcome = Locked<Outcome?>(nil)
        let controller = Controller(
            target: RecordingTarget(), options: TranslationOptions(), logger: .disabled, localAddresses: { [] },
            onOutcome: { value in outcome.withLock { $0 = value } })
        try controller.start()
        for (moment, words) in [
            (now, nil), (now + 2000, "has expired"), (now, nil), (now - 2000, "is not valid yet"), (now, nil),
        ] {
            snapshot.asOf = moment
            var state = ClusterState(snapshot: snapshot, observed: ObservedStatuses(), isSynced: true)
            state.touched = moment == now && outcome.withLock { $0 == nil } ? nil : TouchedObjects()
            controller.submit(state)
            let isTold = waitUntil(deadline: .seconds(10)) {
                let gateway = outcome.withLock { $0?.statuses.gateways[key("edge")] }
                guard let messages = gateway?.listeners.first?.conditions.map(\.message) else { return false }
                let found = messages.filter { $0.contains("certificate ") }
                return words.map { word in found.contains { $0.contains(word) } } ?? found.isEmpty
            }
            #expect(isTold, "\(moment - now) s from now: \(words ?? "nothing")")
        }
        controller.stop()
    }
}
