import Primitives

/// The kinds that a walk creates, changes and deletes, and random contents for each. Names come from small pools, so that
/// objects refer to each other, miss each other and collide.
enum WalkKind: String, CaseIterable {
    case gateway = "Gateway"
    case listenerSet = "ListenerSet"
    case tcpRoute = "TCPRoute"
    case tlsRoute = "TLSRoute"
    case referenceGrant = "ReferenceGrant"
    case backendTLSPolicy = "BackendTLSPolicy"
    case backend = "Backend"
    case service = "Service"
    case endpointSlice = "EndpointSlice"
    case secret = "Secret"

    /// How many names there are in each namespace.
    var names: Int {
        switch self {
        case .tcpRoute, .tlsRoute: 5
        case .endpointSlice: 6
        case .service: 4
        default: 2
        }
    }

    var apiVersion: String {
        switch self {
        case .gateway, .listenerSet, .tcpRoute, .tlsRoute, .referenceGrant, .backendTLSPolicy:
            "gateway.networking.k8s.io/v1"
        case .backend: "sluice.dev/v1alpha1"
        case .service, .secret: "v1"
        case .endpointSlice: "discovery.k8s.io/v1"
        }
    }
}

/// Where an object of a walk stands.
struct WalkSlot: Hashable {
    static let namespaces = ["red", "green", "blue"]

    var kind: WalkKind
    var namespace: String
    var index: Int

    var name: String { "\(kind.rawValue.lowercased())-\(index)" }

    static let all: [WalkSlot] = WalkKind.allCases.flatMap { kind in
        namespaces.flatMap { namespace in
            (0..<kind.names).map { WalkSlot(kind: kind, namespace: namespace, index: $0) }
        }
    }
}

/// Writes objects as YAML.
struct WalkWriter {
    var random: SplitMix64
    /// PEM by name, as they stand in a Secret: base64.
    var certificates: [(certificate: String, key: String)]

    mutating func object(_ slot: WalkSlot) -> String {
        let head = """
            apiVersion: \(slot.kind.apiVersion)
            kind: \(slot.kind.rawValue)
            metadata:
              name: \(slot.name)
              namespace: \(slot.namespace)

            """
        return head + body(slot)
    }

    private mutating func body(_ slot: WalkSlot) -> String {
        switch slot.kind {
        case .gateway:
            "spec:\n  gatewayClassName: \(random.chance(90) ? "sluice" : "other")\n" + extras() + listeners(in: slot)
        case .listenerSet:
            "spec:\n  parentRef: {kind: Gateway, group: gateway.networking.k8s.io, name: \(gatewayName())\(otherNamespace())}\n"
                + listeners(in: slot)
        case .tcpRoute: "spec:\n" + parents() + rule()
        case .tlsRoute:
            "spec:\n" + parents() + "  hostnames: [\(hostname()), \(random.pick(["a.test", "b.test"]))]\n" + rule()
        case .referenceGrant: grant()
        case .backendTLSPolicy: policy()
        case .backend:
            "spec: {endpoints: [{ip: {address: 192.0.2.\(random.count(1...9)), port: \(random.pick([80, 81]))}}]}\n"
        case .service:
            "spec:\n  ports:\n  - {name: main, port: 80}\n"
                + (random.chance(50) ? "  - {name: more, port: 81}\n" : "")
        case .endpointSlice: slice(slot)
        case .secret: secret()
        }
    }

    private mutating func namespace() -> String { random.pick(WalkSlot.namespaces) }
    private mutating func otherNamespace() -> String { random.chance(35) ? ", namespace: \(namespace())" : "" }
    private mutating func gatewayName() -> String { "gateway-\(random.count(0...2))" }
    private mutating func hostname() -> String { random.pick(["'*.test'", "c.test", "'*.d.test'", "e.d.test"]) }

    private mutating func extras() -> String {
        var text =
            random.chance(60)
            ? "  allowedListeners: {namespaces: {from: \(random.pick(["All", "Same", "None"]))}}\n" : ""
        if random.chance(15) { text += "  infrastructure: {labels: {team: \(random.pick(["x", "y"]))}}\n" }
        return text
    }

    /// Ports are distinct within an object, as its schema demands; over objects they collide.
    private mutating func listeners(in slot: WalkSlot) -> String {
        var ports = [5000, 5001, 5002, 5003, 443, 444].shuffled(using: &random)
        var text = "  listeners:\n"
        for index in 0..<random.count(1...4) {
            let port = ports.removeLast()
            let isTLS = port < 1000 || random.chance(10)
            text +=
                "  - name: l\(index)\n    port: \(port)\n    protocol: \(isTLS ? "TLS" : random.chance(95) ? "TCP" : "HTTP")\n"
            if isTLS {
                if random.chance(60) { text += "    hostname: \(hostname())\n" }
                text +=
                    random.chance(50)
                    ? "    tls: {mode: Passthrough}\n"
                    : "    tls: {certificateRefs: [{name: secret-\(random.count(0...2))\(otherNamespace())}]}\n"
            }
            if random.chance(60) {
                text += "    allowedRoutes: {namespaces: {from: \(random.pick(["All", "Same"]))}}\n"
            }
        }
        return text
    }

    private mutating func parents() -> String {
        var text = "  parentRefs:\n"
        var seen: Set<String> = []
        for _ in 0..<random.count(1...2) {
            let kind = random.chance(80) ? "Gateway" : "ListenerSet"
            let name = kind == "Gateway" ? gatewayName() : "listenerset-\(random.count(0...2))"
            guard seen.insert(name).inserted else { continue }
            let section = random.chance(40) ? ", sectionName: l\(random.count(0...4))" : ""
            text += "  - {kind: \(kind), name: \(name)\(otherNamespace())\(section)}\n"
        }
        return text
    }

    private mutating func rule() -> String {
        var text = "  rules:\n  - backendRefs:\n"
        for _ in 0..<random.count(1...3) {
            let weight = random.chance(50) ? ", weight: \(random.count(0...3))" : ""
            text +=
                random.chance(80)
                ? "    - {name: service-\(random.count(0...4)), port: \(random.pick([80, 81]))\(otherNamespace())\(weight)}\n"
                : "    - {group: sluice.dev, kind: Backend, name: backend-\(random.count(0...2))\(otherNamespace())\(weight)}\n"
        }
        return text
    }

    private mutating func grant() -> String {
        let from = random.pick(["Gateway", "TCPRoute", "TLSRoute", "ListenerSet"])
        let to = from == "Gateway" || from == "ListenerSet" ? "Secret" : random.pick(["Service", "Backend"])
        return """
            spec:
              from: [{group: gateway.networking.k8s.io, kind: \(from), namespace: \(namespace())}]
              to: [{group: '\(to == "Backend" ? "sluice.dev" : "")', kind: \(to)}]

            """
    }

    private mutating func policy() -> String {
        """
        spec:
          targetRefs: [{group: '', kind: Service, name: service-\(random.count(0...4))}]
          validation: {wellKnownCACertificates: System, hostname: \(random.pick(["a", "b"])).test}

        """
    }

    private mutating func slice(_ slot: WalkSlot) -> String {
        var text = """
              labels: {kubernetes.io/service-name: service-\(slot.index % 5)}
            addressType: IPv4
            ports: [{name: main, port: \(random.pick([7000, 7001]))}]
            endpoints:

            """
        let count = random.count(0...3)
        guard count > 0 else { return text.replacingLast("endpoints:\n", with: "endpoints: []\n") }
        for index in 0..<count {
            let ready = random.chance(70)
            text +=
                "- {addresses: [10.0.\(slot.index).\(index + 1)], conditions: {ready: \(ready), serving: \(random.chance(80)), terminating: \(!ready)}}\n"
        }
        return text
    }

    private mutating func secret() -> String {
        let pair = random.pick(certificates)
        return "type: kubernetes.io/tls\ndata: {tls.crt: \(pair.certificate), tls.key: \(pair.key)}\n"
    }
}

extension String {
    fileprivate func replacingLast(_ end: String, with other: String) -> String {
        hasSuffix(end) ? String(dropLast(end.count)) + other : self
    }
}

extension SplitMix64 {
    /// True in so many of a hundred cases.
    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }

    mutating func count(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}
