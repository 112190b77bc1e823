import KubernetesAPI
import KubernetesClient
import Observability
import TestAPIServer
import TestSupport
import Testing

/// The typed requests against an API server in the test's process, plain and by HTTP/2 with TLS.
@Suite("Typed requests", .timeLimit(.minutes(1)))
struct ClientVerbTests {
    enum Way: CaseIterable { case plain, http2 }

    struct Setup {
        let server: TestAPIServer
        let front: HTTP2Front?
        let client: APIClient

        init(_ way: Way) throws {
            var options = TestAPIServer.Options()
            options.tokens["administrator"] = .admin
            server = try TestAPIServer.start(options)
            front = way == .http2 ? try HTTP2Front(before: server.address) : nil
            var configuration = ClientConfiguration(server: front?.url ?? server.url)
            if let front { configuration.authority = .data(Array(front.authorityPEM.utf8)) }
            configuration.credentials = .token("administrator")
            client = try APIClient(configuration: configuration, userAgent: "sluice/test", logger: .disabled)
            try server.create(yaml: "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}")
        }

        func close() {
            client.close()
            front?.stop()
            server.stop()
        }
    }

    let service = ResourceKind(group: "", version: "v1", kind: "Service", plural: "services", namespaced: true)
    let route = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "TCPRoute", plural: "tcproutes", namespaced: true)

    private func body(_ name: String, port: Int64, version: String? = nil) -> JSONValue {
        var metadata: [String: JSONValue] = ["name": .string(name), "namespace": .string("shop")]
        if let version { metadata["resourceVersion"] = .string(version) }
        let reference = JSONValue.object(["name": .string("db"), "port": .integer(port)])
        return .object([
            "apiVersion": .string("gateway.networking.k8s.io/v1"), "kind": .string("TCPRoute"),
            "metadata": .object(metadata),
            "spec": .object([
                "parentRefs": .array([.object(["name": .string("edge")])]),
                "rules": .array([.object(["backendRefs": .array([reference])])]),
            ]),
        ])
    }

    private func code(_ body: () throws(APIError) -> Void) -> Int? {
        do throws(APIError) {
            try body()
            return nil
        } catch {
            guard case .status(let status) = error else { return -1 }
            return status.code
        }
    }

    @Test("create, get, update, patch, status and delete, with the versions of the object", arguments: Way.allCases)
    func verbs(way: Way) throws {
        let setup = try Setup(way)
        defer { setup.close() }
        let (client, key) = (setup.client, ObjectKey(namespace: "shop", name: "r"))
        let made = try client.create(route, namespace: "shop", body("r", port: 1), fieldManager: "sluice")
        #expect(!made.uid.isEmpty)
        #expect(made.generation == 1)
        #expect(
            code { () throws(APIError) in _ = try client.create(route, namespace: "shop", body("r", port: 1)) } == 409)
        #expect(try client.get(route, key).resourceVersion == made.resourceVersion)
        let updated = try client.update(route, key, body("r", port: 2, version: made.resourceVersion))
        #expect(updated.generation == 2)
        let stale = body("r", port: 3, version: made.resourceVersion)
        #expect(code { () throws(APIError) in _ = try client.update(route, key, stale) } == 409)
        let labels = JSONValue.object(["metadata": .object(["labels": .object(["a": .string("b")])])])
        let labelled = try client.patch(route, key, .merge, labels)
        #expect(try labelled.decode(JSONValue.self)["metadata"]?["labels"]?["a"]?.text == "b")
        #expect(labelled.uid == made.uid)
        let status = JSONValue.object([
            "metadata": .object(["resourceVersion": .string(made.resourceVersion)]),
            "status": .object(["parents": .array([])]),
        ])
        #expect(
            code { () throws(APIError) in _ = try client.patch(route, key, .merge, status, subresource: "status") }
                == 409)
        #expect(try !client.delete(route, key, uid: "another"))
        #expect(try client.delete(route, key, uid: made.uid))
        #expect(code { () throws(APIError) in _ = try client.get(route, key) } == 404)
    }

    @Test(
        "server-side apply creates, changes, and conflicts with other managers unless it is forced",
        arguments: Way.allCases)
    func apply(way: Way) throws {
        let setup = try Setup(way)
        defer { setup.close() }
        let (client, key) = (setup.client, ObjectKey(namespace: "shop", name: "s"))
        func object(_ target: Int64) -> JSONValue {
            let port: [String: JSONValue] = [
                "name": .string("db"), "port": .integer(5432), "protocol": .string("TCP"),
                "targetPort": .integer(target),
            ]
            return .object([
                "apiVersion": .string("v1"), "kind": .string("Service"),
                "metadata": .object(["name": .string("s"), "namespace": .string("shop")]),
                "spec": .object(["type": .string("ClusterIP"), "ports": .array([.object(port)])]),
            ])
        }
        let first = try client.patch(service, key, .apply(fieldManager: "sluice", force: true), object(20_000))
        let same = try client.patch(service, key, .apply(fieldManager: "sluice", force: true), object(20_000))
        #expect(same.resourceVersion == first.resourceVersion)
        let conflict = try #require(throws: APIError.self) {
            try client.patch(service, key, .apply(fieldManager: "other", force: false), object(20_001))
        }
        guard case .status(let status) = conflict else {
            Issue.record("\(conflict)")
            return
        }
        #expect(status.code == 409)
        #expect(status.causes.first?.reason == "FieldManagerConflict")
        let forced = try client.patch(service, key, .apply(fieldManager: "other", force: true), object(20_001))
        #expect(forced.uid == first.uid && forced.resourceVersion != first.resourceVersion)
    }

    @Test("failures that pass are waited out; a refusal of the rights is not", arguments: Way.allCases)
    func faults(way: Way) throws {
        let setup = try Setup(way)
        defer { setup.close() }
        let key = ObjectKey(namespace: "shop", name: "r")
        _ = try setup.client.create(route, namespace: "shop", body("r", port: 1))
        let clock = ManualClock()
        for code in [429, 500, 503] {
            setup.server.faults = .failing(code, retryAfter: code == 429 ? 4 : nil, times: 2)
            #expect(try !setup.client.get(route, key, retry: clock.policy(random: 0)).uid.isEmpty)
        }
        #expect(clock.slept.count == 6)
        #expect(clock.slept.prefix(2) == [.seconds(4), .seconds(4)])
        setup.server.tokens = ["administrator": AccessToken(user: "nobody", rules: [])]
        #expect(code { () throws(APIError) in _ = try setup.client.get(route, key) } == 403)
        #expect(clock.slept.count == 6)
    }

    @Test("a list of several pages, and one by its name", arguments: Way.allCases)
    func list(way: Way) throws {
        struct Named: Decodable, Sendable {
            struct Metadata: Decodable { var name: String }
            var metadata: Metadata
        }
        let setup = try Setup(way)
        defer { setup.close() }
        for index in 0..<25 {
            _ = try setup.client.create(route, namespace: "shop", body("r\(index)", port: 1))
        }
        let selection = ListSelection(namespace: "shop")
        let list = try setup.client.list(route, selection, as: Named.self, pageSize: 10)
        #expect(Set(list.items.map(\.metadata.name)) == Set((0..<25).map { "r\($0)" }))
        #expect(list.items.count == 25 && !list.resourceVersion.isEmpty)
        let one = ListSelection(namespace: "shop", fieldSelector: "metadata.name=r7")
        #expect(try setup.client.list(route, one, as: Named.self).items.map(\.metadata.name) == ["r7"])
    }
}
