import FoundationEssentials
import KubernetesAPI
import Primitives
import TestAPIServer
import TestSupport

/// Creates, changes and deletes random objects, one a step.
struct Walk {
    private let server: TestAPIServer
    private var writer: WalkWriter
    private var present: Set<WalkSlot> = []
    private var contents: [WalkSlot: String] = [:]
    /// Steps that the server's validation refused.
    private(set) var refused = 0

    init(seed: UInt64, server: TestAPIServer) throws {
        self.server = server
        let authority = try TestPKI.makeCA()
        let certificates = try ["c.test", "*.d.test"].map { name in
            let issued = try authority.issue(TestCertificateRequest(dnsNames: [name]))
            return (base64(issued.chainPEM), base64(issued.privateKeyPEM))
        }
        // A pair that does not match, beside two good ones.
        let broken = (certificates[0].0, certificates[1].1)
        writer = WalkWriter(random: SplitMix64(seed: seed), certificates: certificates + [broken])
    }

    /// What does not change during the walk.
    func prepare() throws {
        let definitions = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../crds")
        for plural in ["backends", "backendpolicies", "clientpolicies", "gatewayparameters"] {
            let file = definitions.appending(path: "sluice.dev_\(plural).yaml")
            _ = try server.create(yaml: String(contentsOf: file, encoding: .utf8))
        }
        for namespace in WalkSlot.namespaces + [ControlPlane.namespace] {
            _ = try server.create(yaml: "{apiVersion: v1, kind: Namespace, metadata: {name: \(namespace)}}")
        }
        _ = try server.create(
            yaml: """
                apiVersion: gateway.networking.k8s.io/v1
                kind: GatewayClass
                metadata: {name: sluice}
                spec: {controllerName: sluice.dev/gateway-controller}
                """)
    }

    mutating func step() throws {
        let slot = writer.random.pick(WalkSlot.all)
        if present.contains(slot), writer.random.chance(30) {
            try server.delete(slot.kind.rawValue, slot.namespace, slot.name)
            present.remove(slot)
            contents[slot] = nil
            return
        }
        try put(slot, writer.object(slot))
    }

    /// A pair that stopped being good goes on being served: the one thing that a fresh start cannot know of.
    mutating func makeSecretsGood() throws {
        writer.certificates.removeLast()
        for slot in WalkSlot.all where slot.kind == .secret && present.contains(slot) {
            try put(slot, writer.object(slot))
        }
    }

    private mutating func put(_ slot: WalkSlot, _ text: String) throws {
        guard contents[slot] != text else { return }
        do {
            _ = try server.put(yaml: text)
            present.insert(slot)
            contents[slot] = text
        } catch let error as APIStatus where error.code == 422 {
            refused += 1
        }
    }
}

private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
