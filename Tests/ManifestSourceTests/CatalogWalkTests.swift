import KubernetesAPI
@testable import ManifestSource
import Platform
import Primitives
import Testing

/// Files by dice, and what their objects have to be by the rules alone.
private struct Files {
    struct Claim {
        let kind: String
        let name: String
        /// The object's number; nil: it cannot be used.
        let number: Int?
    }

    /// What each file defines.
    private(set) var claims: [String: [Claim]] = [:]
    /// Files that cannot be read to their end.
    private(set) var broken: Set<String> = []
    /// What counts of each object.
    private(set) var objects: [String: Int] = [:]

    mutating func put(_ path: String, _ claims: [Claim]) {
        self.claims[path] = claims
        broken.remove(path)
    }

    /// It keeps what it defined.
    mutating func spoil(_ path: String) { broken.insert(path) }

    mutating func remove(_ path: String) {
        claims[path] = nil
        broken.remove(path)
    }

    /// The first place counts, by path and line; what cannot be used leaves the last good version.
    mutating func settle() {
        var first: [String: Int?] = [:]
        for path in claims.keys.sorted() {
            for claim in claims[path] ?? [] where first["\(claim.kind) \(claim.name)"] == nil {
                first.updateValue(claim.number, forKey: "\(claim.kind) \(claim.name)")
            }
        }
        for (object, number) in first { if let number { objects[object] = number } }
        objects = objects.filter { first[$0.key] != nil }
    }
}

extension Files.Claim {
    fileprivate var text: String {
        let port = number.map(String.init) ?? "none"
        switch kind {
        case "Gateway":
            return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: \(name)}
                spec: {gatewayClassName: sluice, listeners: [{name: a, port: \(port), protocol: TCP}]}

                """
        case "Service":
            return """
                apiVersion: v1
                kind: Service
                metadata: {name: \(name)}
                spec: {ports: [{port: \(port)}]}

                """
        case "EndpointSlice":
            return """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {name: \(name), labels: {kubernetes.io/service-name: s}}
                addressType: IPv4
                ports: [{port: \(port)}]
                endpoints: []

                """
        default:
            return """
                apiVersion: gateway.networking.k8s.io/v1
                kind: TCPRoute
                metadata: {name: \(name)}
                spec: {rules: [{backendRefs: [{name: s, port: \(port)}]}]}

                """
        }
    }
}

extension ClusterSnapshot {
    fileprivate var numbers: [String: Int] {
        var numbers: [String: Int] = [:]
        for (key, value) in gateways { numbers["Gateway \(key.name)"] = value.spec.listeners.first?.port }
        for (key, value) in services { numbers["Service \(key.name)"] = value.spec.ports?.first?.port }
        for (key, value) in endpointSlices { numbers["EndpointSlice \(key.name)"] = value.ports?.first?.port }
        for (key, value) in tcpRoutes {
            numbers["TCPRoute \(key.name)"] = value.spec.rules.first?.backendRefs?.first?.port
        }
        return numbers
    }

    /// What differs from an earlier one.
    fileprivate func changes(since old: ClusterSnapshot) -> TouchedObjects {
        var changes = TouchedObjects()
        for key in gateways.changedKeys(since: old.gateways) { changes.note("Gateway", key) }
        for key in services.changedKeys(since: old.services) { changes.note("Service", key) }
        for key in endpointSlices.changedKeys(since: old.endpointSlices) { changes.note("EndpointSlice", key) }
        for key in tcpRoutes.changedKeys(since: old.tcpRoutes) { changes.note("TCPRoute", key) }
        return changes
    }
}

@Suite("A catalog that files change by dice")
struct CatalogWalkTests {
    private static let kinds = ["Gateway", "Service", "EndpointSlice", "TCPRoute"]

    @Test("holds what the rules say, and says which objects differ", arguments: 0..<6)
    func walk(seed: UInt64) {
        var dice = SplitMix64(seed: seed)
        func roll(_ sides: Int) -> Int { Int(dice.next() % UInt64(sides)) }
        var files = Files()
        var catalog = Catalog(unknownFields: .warning)
        var last = ClusterSnapshot(asOf: 0)
        for step in 0..<200 {
            for _ in 0..<(1 + roll(3)) {
                let path = "f\(roll(8)).yaml"
                switch roll(10) {
                case 0:
                    catalog.remove(path)
                    files.remove(path)
                case 1:
                    catalog.update(path, content: Array("kind: [\(step)".utf8))
                    files.spoil(path)
                case 2:
                    catalog.fail(path, reason: "by dice")
                    files.spoil(path)
                default:
                    let claims = (0..<(roll(4) == 0 ? 30 : 1 + roll(3))).map { _ in
                        Files.Claim(
                            kind: Self.kinds[roll(4)], name: "o\(roll(6))", number: roll(6) == 0 ? nil : 1 + roll(60))
                    }
                    catalog.update(path, content: Array(claims.map(\.text).joined(separator: "---\n").utf8))
                    files.put(path, claims)
                }
            }
            if roll(3) == 0 { continue }
            files.settle()
            let (state, changed) = catalog.snapshot(asOf: 0)
            let what: Comment = "seed \(seed), step \(step)"
            #expect(state.snapshot.numbers == files.objects, what)
            let changes = state.snapshot.changes(since: last)
            #expect(state.touched == changes, what)
            #expect(changed == !changes.isEmpty, what)
            last = state.snapshot
        }
        #expect(!last.services.isEmpty)
    }
}
