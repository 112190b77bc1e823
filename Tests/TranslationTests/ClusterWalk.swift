import KubernetesAPI
import Primitives
import Translation

/// A cluster that changes by dice: mostly routes and what they lead to, now and then anything else.
struct ClusterWalk {
    private(set) var snapshot: ClusterSnapshot
    let options: TranslationOptions
    /// What the last step touched.
    private(set) var touched = TouchedObjects()
    private var dice: SeededDice
    /// Where objects to come are taken from.
    private let pool: [ClusterSnapshot]

    /// `standalone`: as a folder; else as a cluster in which Services of namespace `c` may be the installation's.
    init(seed: UInt64, standalone: Bool) {
        dice = SeededDice(seed: seed)
        snapshot = RandomCluster(seed: seed).snapshot()
        pool = (1...4).map { RandomCluster(seed: seed + 1000 * $0).snapshot() }
        var options = TranslationOptions()
        options.standalone = standalone
        if !standalone {
            options.installation = TranslationOptions.Installation(namespace: "c", podLabels: ["app": "sluice"])
            options.exposure = seed % 4 == 1 ? .service : .host
            for name in ["s0", "s1"] {
                snapshot.services[ObjectKey(namespace: "c", name: name)]?.spec.selector = ["app": "sluice"]
            }
        }
        // Two classes of ours that differ in what a name may lead to.
        for (index, name) in ["sluice", "second"].enumerated() {
            var parameters = GatewayParameters(metadata: ObjectMeta(name: name, namespace: "a"), spec: .init())
            var allowed = GatewayParameters.BackendGuard()
            (allowed.allowExternalName, allowed.allowLoopback) = (dice.roll(3) > 0, index == 0)
            parameters.spec.backendGuard = allowed
            snapshot.gatewayParameters[parameters.key] = parameters
            let kind = GatewayParameters.resourceKind
            let reference = ParametersReference(group: kind.group, kind: kind.kind, name: name, namespace: "a")
            let ofOurs = GatewayClass(
                metadata: ObjectMeta(name: name),
                spec: GatewayClass.Spec(controllerName: options.controllerName, parametersRef: reference))
            snapshot.gatewayClasses[ofOurs.key] = ofOurs
        }
        if seed % 3 > 0 { options.node = "n\(seed % 3)" }
        if seed % 4 == 0 { options.zone = "z1" }
        self.options = options
    }

    /// Changes one thing or a few, and says what.
    mutating func step() -> String {
        touched = TouchedObjects()
        let most = dice.roll(10) == 0 ? 20 : 3
        return (0..<(1 + dice.roll(most))).map { _ in change() }.joined(separator: ", ")
    }

    private mutating func change() -> String {
        switch dice.roll(100) {
        case 0..<26: replace(\.tcpRoutes, "TCPRoute")
        case 26..<52: replace(\.tlsRoutes, "TLSRoute")
        case 52..<62: edit(\.tcpRoutes, "TCPRoute") { $0.vary(&$1) }
        case 62..<74: edit(\.tlsRoutes, "TLSRoute") { $0.vary(&$1) }
        case 74..<81: edit(\.services, "Service") { $0.vary(&$1) }
        case 81..<83: replace(\.services, "Service")
        case 83:
            dice.roll(2) == 0
                ? replace(\.clientPolicies, "ClientPolicy") : edit(\.clientPolicies, "ClientPolicy") { $0.vary(&$1) }
        case 84:
            dice.roll(2) == 0
                ? replace(\.backendPolicies, "BackendPolicy")
                : edit(\.backendPolicies, "BackendPolicy") { $0.vary(&$1) }
        case 85..<91: edit(\.endpointSlices, "EndpointSlice") { $0.vary(&$1) }
        case 91: replace(\.gateways, "Gateway")
        case 92: replace(\.listenerSets, "ListenerSet")
        case 93: replace(\.referenceGrants, "ReferenceGrant")
        case 94: replace(\.backendTLSPolicies, "BackendTLSPolicy")
        case 95: replace(\.backends, "Backend")
        case 96: replace(\.namespaces, "Namespace")
        case 97: replace(\.secrets, "Secret")
        default: pass()
        }
    }

    private mutating func pass() -> String {
        let seconds = Int64(dice.roll(40) == 0 ? 3000 : dice.roll(4) - 1)
        snapshot.asOf += seconds
        return "\(seconds) s pass"
    }

    /// Takes an object from the pool, or takes one away.
    private mutating func replace<Value>(
        _ kind: WritableKeyPath<ClusterSnapshot, [ObjectKey: Value]>, _ name: String
    ) -> String {
        if dice.roll(3) == 0, let key = dice.pick(snapshot[keyPath: kind].keys.sorted()) {
            snapshot[keyPath: kind][key] = nil
            touched.note(name, key)
            return "\(name) \(key) goes"
        }
        let source = pool[dice.roll(pool.count)][keyPath: kind]
        guard let key = dice.pick(source.keys.sorted()) else { return "nothing" }
        snapshot[keyPath: kind][key] = source[key]
        touched.note(name, key)
        return "\(name) \(key) comes"
    }

    private mutating func edit<Value>(
        _ kind: WritableKeyPath<ClusterSnapshot, [ObjectKey: Value]>, _ name: String,
        _ body: (inout Value, inout SeededDice) -> Void
    ) -> String {
        guard let key = dice.pick(snapshot[keyPath: kind].keys.sorted()), var object = snapshot[keyPath: kind][key]
        else {
            return "nothing"
        }
        body(&object, &dice)
        snapshot[keyPath: kind][key] = object
        touched.note(name, key)
        return "\(name) \(key) changes"
    }
}

extension [RouteRule] {
    fileprivate mutating func vary(_ dice: inout SeededDice) {
        switch dice.roll(4) {
        case 0: self = []
        case 1: append(RouteRule(backendRefs: []))
        default:
            self = [
                RouteRule(backendRefs: [
                    BackendReference(name: "s\(dice.roll(12))", port: 80 + dice.roll(2), weight: dice.roll(3)),
                    dice.roll(5) == 0
                        ? BackendReference(group: Backend.resourceKind.group, kind: "Backend", name: "b\(dice.roll(4))")
                        : BackendReference(
                            name: "s\(dice.roll(12))", namespace: ["a", "b", "c"][dice.roll(3)], port: 80),
                ])
            ]
        }
    }
}

extension ObjectMeta {
    fileprivate mutating func vary(_ dice: inout SeededDice) {
        generation = Int64(dice.roll(5))
        creationTimestamp = dice.roll(3) == 0 ? nil : Timestamp("2026-01-01T00:00:0\(dice.roll(10))Z")
    }
}

extension TCPRoute {
    fileprivate mutating func vary(_ dice: inout SeededDice) {
        switch dice.roll(4) {
        case 0: metadata.vary(&dice)
        case 1: spec.parentRefs = dice.roll(2) == 0 ? nil : (spec.parentRefs ?? []) + (spec.parentRefs ?? [])
        default: spec.rules.vary(&dice)
        }
    }
}

extension TLSRoute {
    fileprivate mutating func vary(_ dice: inout SeededDice) {
        switch dice.roll(5) {
        case 0: metadata.vary(&dice)
        case 1: spec.parentRefs = dice.roll(2) == 0 ? nil : Array((spec.parentRefs ?? []).reversed())
        case 2: spec.hostnames = [nil, [], ["bad_name"], ["x.example.com", "*.example.com"], ["*.com"]][dice.roll(5)]
        default: spec.rules.vary(&dice)
        }
    }
}

extension Service {
    fileprivate mutating func vary(_ dice: inout SeededDice) {
        switch dice.roll(6) {
        case 0: spec.type = spec.type == nil ? "ExternalName" : nil
        case 1: spec.externalName = ["db.example.com", "no name"][dice.roll(2)]
        case 2: metadata.labels = ["n": "\(dice.roll(9))"]
        case 3:
            spec.sessionAffinity = dice.roll(2) == 0 ? "ClientIP" : nil
            spec.trafficDistribution = ["PreferClose", "PreferSameNode", nil][dice.roll(3)]
        default:
            spec.ports = [
                Service.Port(
                    name: "a", port: 80 + dice.roll(2), appProtocol: dice.roll(2) == 0 ? "kubernetes.io/h2c" : nil),
                Service.Port(name: "b", port: 81, protocol: dice.roll(3) == 0 ? "UDP" : nil),
            ]
        }
    }
}

extension EndpointSlice {
    fileprivate mutating func vary(_ dice: inout SeededDice) {
        switch dice.roll(12) {
        case 0: addressType = addressType == "FQDN" ? "IPv4" : "FQDN"
        case 1: metadata.labels = nil
        case 2...3: metadata.labels = [EndpointSlice.serviceNameLabel: "s\(dice.roll(10))"]
        default:
            let addresses = ["10.1.\(dice.roll(9)).\(dice.roll(9))", "fd00::\(dice.roll(9))"]
            endpoints = [
                .init(
                    addresses: addresses, conditions: .init(ready: dice.roll(2) == 0), zone: "z\(dice.roll(3))",
                    nodeName: "n\(dice.roll(3))", hints: .random(&dice)),
                .init(
                    addresses: ["10.3.0.\(dice.roll(3))"], conditions: .init(ready: dice.roll(3) == 0), zone: "z1",
                    hints: .random(&dice)),
                .init(
                    addresses: ["10.2.0.\(dice.roll(9))"],
                    conditions: .init(ready: false, serving: true, terminating: true)),
            ]
        }
    }
}

extension EndpointSlice.Hints {
    fileprivate static func random(_ dice: inout SeededDice) -> Self? {
        let (zone, node) = (dice.roll(3), dice.roll(3))
        switch dice.roll(4) {
        case 0: return nil
        case 1: return Self(forNodes: [.init(name: "n\(node)")])
        default: return Self(forZones: [.init(name: "z\(zone)")], forNodes: node == 0 ? nil : [.init(name: "n1")])
        }
    }
}

/// xorshift64*.
struct SeededDice {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func roll(_ sides: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    mutating func pick<Value>(_ values: [Value]) -> Value? { values.isEmpty ? nil : values[roll(values.count)] }
}
