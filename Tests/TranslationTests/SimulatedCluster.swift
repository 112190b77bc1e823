import EngineModel
import KubernetesAPI
import Primitives
import Translation

/// Gateways that come, change and go by dice, and the Services that a leader writes for them: late, in any order, and some
/// by what it saw a while ago.
struct SimulatedCluster {
    private(set) var snapshot = ClusterSnapshot(asOf: 1000)
    private var state: UInt64
    private var clock: Int64 = 1000
    private var names = 0
    /// What the leader has decided and not written yet.
    private var decided: [Infrastructure] = []
    let options: TranslationOptions

    init(seed: UInt64, ports: ClosedRange<UInt16>) {
        state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        var options = TranslationOptions()
        options.exposure = .service
        options.installation = TranslationOptions.Installation(namespace: "system", podLabels: ["app": "sluice"])
        options.installation?.ports = ports
        self.options = options
        let gatewayClass = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: GatewayClass.Spec(controllerName: options.controllerName))
        snapshot.gatewayClasses[gatewayClass.key] = gatewayClass
    }

    var result: TranslationResult { translate(snapshot, options: options) }

    /// xorshift64*.
    private mutating func next(_ bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    /// Does one thing, and says what.
    mutating func step() -> String {
        let keys = snapshot.gateways.keys.sorted()
        switch next(10) {
        case 0...1: return create()
        case 2 where !keys.isEmpty: return delete(keys[next(keys.count)])
        case 3...4 where !keys.isEmpty: return change(keys[next(keys.count)])
        case 5...6:
            decided.append(result.infrastructure)
            return "the leader decides"
        default: return write()
        }
    }

    /// Lets the leader finish what it does.
    mutating func settle() {
        decided = []
        for _ in 0..<8 {
            let infrastructure = result.infrastructure
            for service in infrastructure.services { apply(service) }
            for key in infrastructure.staleServices { snapshot.services[key] = nil }
        }
    }

    mutating func deleteEverything() { snapshot.gateways = [:] }

    private func metadata(_ name: String) -> ObjectMeta {
        ObjectMeta(name: name, namespace: "apps", uid: "uid-\(name)", creationTimestamp: timestamp)
    }

    private var timestamp: Timestamp? {
        let (minutes, seconds) = (clock / 60, clock % 60)
        let hours = "\((minutes / 60) % 24 + 100)".dropFirst()
        return Timestamp(
            "2026-01-01T\(hours):\("\(minutes % 60 + 100)".dropFirst()):\("\(seconds + 100)".dropFirst())Z")
    }

    private mutating func listeners() -> [Gateway.Listener] {
        let ports = Set((0...next(3)).map { _ in 5000 + next(6) })
        return ports.sorted().map { Gateway.Listener(name: "p\($0)", port: $0, protocol: .tcp) }
    }

    private mutating func create() -> String {
        names += 1
        // Several within one second, as a person who applies a folder does.
        clock += Int64(next(2))
        let name = "gw\(next(100))-\(names)"
        let gateway = Gateway(
            metadata: metadata(name), spec: Gateway.Spec(gatewayClassName: "sluice", listeners: listeners()))
        snapshot.gateways[gateway.key] = gateway
        return "create \(gateway.key)"
    }

    private mutating func delete(_ key: ObjectKey) -> String {
        snapshot.gateways[key] = nil
        return "delete \(key)"
    }

    private mutating func change(_ key: ObjectKey) -> String {
        let listeners = listeners()
        snapshot.gateways[key]?.spec.listeners = listeners
        return "change \(key)"
    }

    /// One write of a decision, which may be an old one.
    private mutating func write() -> String {
        guard !decided.isEmpty else { return "nothing to write" }
        let infrastructure = decided[next(decided.count)]
        if decided.count > 2 { decided.removeFirst() }
        let count = infrastructure.services.count + infrastructure.staleServices.count
        guard count > 0 else { return "nothing to write" }
        let index = next(count)
        if index < infrastructure.services.count {
            apply(infrastructure.services[index])
            return "write \(infrastructure.services[index].key)"
        }
        let key = infrastructure.staleServices[index - infrastructure.services.count]
        snapshot.services[key] = nil
        return "remove \(key)"
    }

    private mutating func apply(_ desired: DesiredService) {
        clock += 1
        let created = snapshot.services[desired.key]?.metadata.creationTimestamp ?? timestamp
        let service = Service(
            metadata: ObjectMeta(
                name: desired.key.name, namespace: desired.key.namespace, creationTimestamp: created,
                labels: desired.labels),
            spec: Service.Spec(
                type: desired.type,
                ports: desired.ports.map {
                    Service.Port(name: $0.name, port: Int($0.port), targetPort: .number(Int($0.targetPort)))
                }))
        snapshot.services[desired.key] = service
    }
}
