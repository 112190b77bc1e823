import KubernetesAPI
import Primitives

/// ClientPolicies by dice for the objects of ``RandomCluster``: they meet at targets and on ports, some are invalid.
struct RandomPolicies {
    private var dice: SeededDice
    private let namespaces = ["a", "b", "c"]

    init(seed: UInt64) { dice = SeededDice(seed: seed &+ 77) }

    /// Puts policies, and the lists that they name, into a snapshot.
    mutating func add(_ count: Int, to snapshot: inout ClusterSnapshot) {
        for index in 0..<count {
            let policy = policy("c\(index)")
            snapshot.clientPolicies[policy.key] = policy
        }
        for namespace in namespaces where dice.roll(3) > 0 {
            let metadata = ObjectMeta(name: "list", namespace: namespace)
            var entry = ConfigMapEntry(metadata: metadata)
            if let list = try? AddressList("10.0.0.0/8 # ours\n2001:db8::/32\n") {
                entry.addressLists["cidrs.txt"] = .success(list)
            }
            snapshot.configMaps[ObjectKey(namespace: namespace, name: "list")] = entry
        }
    }

    mutating func policy(_ name: String) -> ClientPolicy {
        let time = dice.roll(3) == 0 ? nil : Timestamp("2026-01-01T00:00:0\(dice.roll(10))Z")
        var metadata = ObjectMeta(name: name, namespace: namespaces[dice.roll(3)], creationTimestamp: time)
        metadata.generation = Int64(dice.roll(5))
        let targets = (0..<(1 + dice.roll(2))).map { _ in target() }
        var policy = ClientPolicy(metadata: metadata, spec: ClientPolicy.Spec(targetRefs: targets))
        policy.vary(&dice)
        policy.vary(&dice)
        return policy
    }

    private mutating func target() -> ClientPolicy.TargetReference {
        switch dice.roll(8) {
        case 0...1: .init(kind: "Gateway", name: "gw\(dice.roll(7))")
        case 2: .init(kind: "Gateway", name: "gw\(dice.roll(6))", sectionName: "l\(dice.roll(6))")
        case 3: .init(kind: "ListenerSet", name: "set\(dice.roll(10))")
        case 4: .init(kind: "ListenerSet", name: "set\(dice.roll(10))", sectionName: "l\(dice.roll(6))")
        case 5: .init(kind: "TCPRoute", name: "r\(dice.roll(60))")
        case 6: .init(kind: "TLSRoute", name: "r\(dice.roll(60))")
        default: .init(kind: dice.roll(4) == 0 ? "Service" : "Gateway", name: "gw\(dice.roll(6))")
        }
    }
}

extension ClientPolicy {
    /// Gives a field another value, or takes it away.
    mutating func vary(_ dice: inout SeededDice) {
        switch dice.roll(14) {
        case 0: spec.proxyProtocol = dice.roll(2) == 0 ? nil : .init()
        case 1: spec.proxyProtocol?.mode = ["Required", "Optional", "Never"][dice.roll(3)]
        case 2: spec.startTLS = dice.roll(2) == 0 ? nil : .init(protocol: "Postgres")
        case 3...4: varyTLS(&dice)
        case 5:
            spec.tcpKeepalive = dice.roll(2) == 0 ? nil : .init()
            spec.tcpKeepalive?.idleTime = ["30s", "60s", "0s"][dice.roll(3)]
        case 6...7: varyTimeouts(&dice)
        case 8...10: varyAuthorization(&dice)
        case 11:
            spec.connectionLimit = dice.roll(4) == 0 ? nil : .init()
            spec.connectionLimit?.value = dice.roll(5)
            spec.connectionLimit?.shared = ["PerPod", "Divide"][dice.roll(2)]
        case 12:
            spec.bandwidthLimit = dice.roll(4) == 0 ? nil : .init()
            spec.bandwidthLimit?.request = .init(value: Quantity("\(1 + dice.roll(9))Mi"))
        default: metadata.creationTimestamp = dice.roll(3) == 0 ? nil : Timestamp("2026-01-01T00:00:0\(dice.roll(10))Z")
        }
    }

    private mutating func varyTLS(_ dice: inout SeededDice) {
        if dice.roll(5) == 0 { spec.tls = nil }
        var tls = spec.tls ?? .init()
        switch dice.roll(4) {
        case 0: tls.minVersion = ["1.2", "1.3"][dice.roll(2)]
        case 1: tls.maxVersion = ["1.2", "1.3"][dice.roll(2)]
        case 2: tls.ciphers = [["ECDHE-RSA-AES128-GCM-SHA256"], ["NONE"], nil][dice.roll(3)]
        default: tls.alpnProtocols = ["h2"]
        }
        spec.tls = tls
    }

    private mutating func varyTimeouts(_ dice: inout SeededDice) {
        var timeouts = spec.timeout?.tcp ?? .init()
        switch dice.roll(4) {
        case 0: timeouts.idleTimeout = ["5s", "0s", "1h", "soon"][dice.roll(4)]
        case 1: timeouts.maxConnectionDuration = "24h"
        case 2: timeouts.connectionInspectionTimeout = ["3s", nil][dice.roll(2)]
        default: timeouts.tlsHandshakeTimeout = ["3s", nil][dice.roll(2)]
        }
        spec.timeout = dice.roll(6) == 0 ? nil : .init(tcp: timeouts)
    }

    private mutating func varyAuthorization(_ dice: inout SeededDice) {
        var principal = Principal()
        switch dice.roll(5) {
        case 0: principal.clientCIDRs = ["10.0.0.0/8"]
        case 1: principal.clientCIDRRefs = [.init(name: "list", key: ["cidrs.txt", "other"][dice.roll(2)])]
        case 2: principal.serverNames = ["x.example.com"]
        case 3:
            principal.clientCertificate = .init()
            principal.clientCertificate?.uris = ["spiffe://x/*"]
        default: principal.peerCIDRs = ["192.0.2.0/24"]
        }
        var authorization = ClientPolicy.Authorization()
        authorization.defaultAction = ["Allow", "Deny", nil][dice.roll(3)]
        authorization.rules = [
            .init(name: "r", action: ["Allow", "Deny", "Audit"][dice.roll(3)], principal: principal)
        ]
        spec.authorization = dice.roll(4) == 0 ? nil : authorization
    }
}
