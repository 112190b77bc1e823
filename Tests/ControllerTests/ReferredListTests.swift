import EngineModel
import KubernetesAPI
import Platform
import Primitives
import TestAPIServer
import TestSupport
import Testing

@testable import Controller

/// The whole way from a line of a ConfigMap to the rule that it changes.
@Suite("Lists that ClientPolicies refer to", .timeLimit(.minutes(2)))
struct ReferredListTests {
    private func put(_ list: String, on server: TestAPIServer) throws {
        let lines = list.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)\n" }.joined()
        try server.put(
            yaml:
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: offices, namespace: default}\ndata:\n  cidrs.txt: |\n"
                + lines)
    }

    @Test("a list is watched; a changed line changes the rule, a bad one is named and changes nothing")
    func changes() throws {
        let server = try TestAPIServer.forReplicas()
        let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        let definition = try readFile("\(root)/crds/sluice.dev_clientpolicies.yaml")
        try server.create(yaml: String(decoding: definition, as: UTF8.self))
        try put("# ours\n10.0.0.0/8", on: server)
        try server.putGateway("edge", ports: [5432])
        try server.put(
            yaml: """
                apiVersion: sluice.dev/v1alpha1
                kind: ClientPolicy
                metadata: {name: offices, namespace: default}
                spec:
                  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
                  authorization:
                    rules:
                    - {name: a, action: Allow, principal: {clientCIDRRefs: [{name: offices, key: cidrs.txt}]}}
                """)
        let replica = try TestReplica(server)
        defer { replica.stop() }
        func rule() -> CIDRSet? {
            replica.target.applied.last?.listeners.first?.limits.first?.authorization?.rules.first?.principal.clients?
                .first
        }
        func blocks(_ texts: String...) -> CIDRSet { CIDRSet(texts.compactMap { CIDR($0) }) }
        #expect(waitUntil(deadline: .seconds(20)) { rule() == blocks("10.0.0.0/8") })
        try put("10.0.0.0/8\n192.0.2.7", on: server)
        #expect(waitUntil(deadline: .seconds(20)) { rule() == blocks("10.0.0.0/8", "192.0.2.7/32") })
        try put("10.0.0.0/8\n\nnowhere", on: server)
        let message = waitUntil(deadline: .seconds(20)) {
            let status = server.object("ClientPolicy", "default", "offices")?["status"]
            let conditions = status?["ancestors"]?.elements?.first?["conditions"]?.elements ?? []
            return conditions.contains { condition in
                condition["type"]?.text == "ResolvedRefs" && condition["status"]?.text == "False"
                    && condition["message"]?.text?.contains("line 3: \"nowhere\"") == true
            }
        }
        #expect(message)
        #expect(rule() == blocks("10.0.0.0/8", "192.0.2.7/32"))
        try put("192.0.2.8", on: server)
        #expect(waitUntil(deadline: .seconds(20)) { rule() == blocks("192.0.2.8/32") })
    }
}
