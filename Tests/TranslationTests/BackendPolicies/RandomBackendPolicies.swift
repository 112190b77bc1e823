import KubernetesAPI
import Primitives

/// BackendPolicies by dice for the objects of ``RandomCluster``: they meet at targets and along the ways of traffic, some are
/// invalid.
struct RandomBackendPolicies {
    private var dice: SeededDice
    private let namespaces = ["a", "b", "c"]

    init(seed: UInt64) { dice = SeededDice(seed: seed &+ 1234) }

    mutating func add(_ count: Int, to snapshot: inout ClusterSnapshot) {
        snapshot.patternProblems = ["(": "missing )"]
        for index in 0..<count {
            let policy = policy("e\(index)")
            snapshot.backendPolicies[policy.key] = policy
        }
    }

    private mutating func policy(_ name: String) -> BackendPolicy {
        let time = dice.roll(3) == 0 ? nil : Timestamp("2026-01-01T00:00:0\(dice.roll(10))Z")
        var metadata = ObjectMeta(name: name, namespace: namespaces[dice.roll(3)], creationTimestamp: time)
        metadata.generation = Int64(dice.roll(5))
        let targets = (0..<(1 + dice.roll(2))).map { _ in target() }
        var policy = BackendPolicy(metadata: metadata, spec: BackendPolicy.Spec(targetRefs: targets))
        for _ in 0..<3 { policy.vary(&dice) }
        return policy
    }

    private mutating func target() -> BackendPolicy.TargetReference {
        switch dice.roll(11) {
        case 0...1: .init(kind: "Gateway", name: "gw\(dice.roll(7))")
        case 2: .init(kind: "Gateway", name: "gw\(dice.roll(6))", sectionName: "l\(dice.roll(6))")
        case 3: .init(kind: "ListenerSet", name: "set\(dice.roll(10))")
        case 4: .init(kind: "TCPRoute", name: "r\(dice.roll(60))")
        case 5: .init(kind: "TLSRoute", name: "r\(dice.roll(60))")
        case 6...7: .init(group: "", kind: "Service", name: "s\(dice.roll(11))")
        case 8:
            .init(group: "", kind: "Service", name: "s\(dice.roll(10))", sectionName: ["a", "b", "c"][dice.roll(3)])
        case 9: .init(group: "sluice.dev", kind: "Backend", name: "b\(dice.roll(4))")
        default: .init(kind: dice.roll(4) == 0 ? "Service" : "Gateway", name: "gw\(dice.roll(6))")
        }
    }
}

extension BackendPolicy {
    /// Gives a field another value, or takes it away.
    mutating func vary(_ dice: inout SeededDice) {
        switch dice.roll(14) {
        case 0...1: varyLoadBalancer(&dice)
        case 2...3: varyHealthCheck(&dice)
        case 4: spec.onEndpointUnhealthy = ["Keep", "Drain", "Close", nil][dice.roll(4)]
        case 5: spec.timeout = dice.roll(3) == 0 ? nil : .init(tcp: .init(connectTimeout: ["1s", "0s"][dice.roll(2)]))
        case 6: spec.retry = dice.roll(3) == 0 ? nil : .init(numRetries: dice.roll(12))
        case 7:
            spec.circuitBreaker = dice.roll(3) == 0 ? nil : .init()
            spec.circuitBreaker?.maxConnections = dice.roll(4)
            spec.circuitBreaker?.maxPendingConnections = dice.roll(3)
        case 8: spec.proxyProtocol = dice.roll(3) == 0 ? nil : .init(version: ["V1", "V2"][dice.roll(2)])
        case 9...10: varyTLS(&dice)
        case 11: spec.startTLS = dice.roll(2) == 0 ? nil : .init(protocol: "Postgres")
        case 12: spec.dns = dice.roll(3) == 0 ? .init() : nil
        default: metadata.creationTimestamp = dice.roll(3) == 0 ? nil : Timestamp("2026-01-01T00:00:0\(dice.roll(10))Z")
        }
    }

    private mutating func varyLoadBalancer(_ dice: inout SeededDice) {
        var balancer = BackendPolicy.LoadBalancer()
        switch dice.roll(4) {
        case 0: balancer.type = "RoundRobin"
        case 1:
            balancer.type = "ConsistentHash"
            balancer.consistentHash = .init()
            balancer.consistentHash?.tableSize = [101, 100][dice.roll(2)]
        default: balancer.zoneAware = .init(preferLocal: .init())
        }
        spec.loadBalancer = dice.roll(4) == 0 ? nil : balancer
    }

    private mutating func varyHealthCheck(_ dice: inout SeededDice) {
        var check = BackendPolicy.HealthCheck()
        if dice.roll(3) > 0 {
            var tcp = BackendPolicy.TCPHealthCheck()
            tcp.steps = [.init(expect: .init(type: "Regex", regex: ["role:.*", "("][dice.roll(2)]))]
            check.active = .init()
            check.active?.interval = "\(1 + dice.roll(3))s"
            check.active?.tcp = dice.roll(2) == 0 ? nil : tcp
        }
        if dice.roll(2) == 0 { check.passive = .init() }
        spec.healthCheck = dice.roll(4) == 0 ? nil : check
    }

    private mutating func varyTLS(_ dice: inout SeededDice) {
        var tls = spec.tls ?? .init()
        switch dice.roll(5) {
        case 0: tls.minVersion = ["1.2", "1.3"][dice.roll(2)]
        case 1: tls.maxVersion = ["1.2", "1.3"][dice.roll(2)]
        case 2: tls.ciphers = [["ECDHE-RSA-AES128-GCM-SHA256"], ["NONE"], nil][dice.roll(3)]
        case 3: tls.alpnProtocols = ["h2"]
        default:
            tls.verification = ["CA", "CAAndPin", "PinOnly"][dice.roll(3)]
            let pins = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
            tls.spkiHashes = tls.verification == "CA" || dice.roll(5) == 0 ? nil : pins
        }
        spec.tls = dice.roll(5) == 0 ? nil : tls
    }
}
