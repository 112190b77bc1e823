import KubernetesAPI
import Primitives
import TestAPIServer
import TestSupport
import Testing

private let gateways = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways"
private let gateway = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: Gateway
    metadata: {name: edge}
    spec: {gatewayClassName: sluice, listeners: [{name: db, port: 5432, protocol: TCP}]}
    """

@Suite("Objects", .timeLimit(.minutes(1)))
struct ObjectTests {
    private func version(_ object: JSONValue?) -> String? { object?.at("metadata", "resourceVersion")?.text }

    @Test("generation counts changes of the spec alone; a write that changes nothing writes nothing")
    func generation() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(yaml: gateway)
        func generation() -> Int64? {
            server.object("Gateway", "default", "edge")?.at("metadata", "generation")?.integer
        }
        #expect(generation() == 1)
        try server.patch("Gateway", "default", "edge", yaml: "metadata: {labels: {a: b}}")
        #expect(generation() == 1)
        let status = "status: {addresses: [{value: 127.0.0.1}]}"
        try server.patch("Gateway", "default", "edge", subresource: "status", yaml: status)
        #expect(generation() == 1)
        let before = server.resourceVersion
        try server.patch("Gateway", "default", "edge", subresource: "status", yaml: status)
        #expect(server.resourceVersion == before)
        try server.patch("Gateway", "default", "edge", yaml: "spec: {gatewayClassName: other}")
        #expect(generation() == 2)
    }

    @Test("the main resource does not change the status, the status nothing else")
    func subresources() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(yaml: gateway)
        let both = "{spec: {gatewayClassName: other}, status: {addresses: [{value: 127.0.0.1}]}}"
        try server.patch("Gateway", "default", "edge", yaml: both)
        var object = try #require(server.object("Gateway", "default", "edge"))
        #expect(object.at("spec", "gatewayClassName")?.text == "other")
        #expect(object.at("status", "addresses") == nil)
        try server.patch(
            "Gateway", "default", "edge", subresource: "status",
            yaml: "{spec: {gatewayClassName: third}, status: {addresses: [{value: 127.0.0.1}]}}")
        object = try #require(server.object("Gateway", "default", "edge"))
        #expect(object.at("spec", "gatewayClassName")?.text == "other")
        #expect(object.at("status", "addresses")?.elements?.first?["type"]?.text == "IPAddress")
    }

    @Test("finalizers hold an object back until they are gone")
    func finalizers() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(yaml: gateway.replacing("name: edge", with: "name: edge, finalizers: [a.b/c]"))
        let answer = try send("DELETE", gateways + "/edge", to: server)
        #expect(try answer.json().at("metadata", "deletionTimestamp") != nil)
        #expect(server.object("Gateway", "default", "edge") != nil)
        try server.patch("Gateway", "default", "edge", yaml: "metadata: {finalizers: null}")
        #expect(server.object("Gateway", "default", "edge") == nil)
    }

    @Test("what a ConfigMap owns goes with it; a namespace goes with its content")
    func garbage() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        let owner = try server.create(yaml: "{apiVersion: v1, kind: ConfigMap, metadata: {name: owner}}")[0]
        let uid = try #require(owner.at("metadata", "uid")?.text)
        try server.create(
            yaml: """
                apiVersion: v1
                kind: Service
                metadata:
                  name: owned
                  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: owner, uid: \(uid)}]
                spec: {ports: [{port: 1}]}
                """)
        try server.delete("ConfigMap", "default", "owner")
        #expect(waitUntil { server.object("Service", "default", "owned") == nil })
        try server.create(yaml: "{apiVersion: v1, kind: Namespace, metadata: {name: gone}}")
        try server.create(yaml: gateway.replacing("name: edge", with: "name: edge, namespace: gone"))
        try server.delete("Namespace", "", "gone")
        #expect(waitUntil { server.object("Namespace", "", "gone") == nil })
        #expect(server.objects("Gateway", in: "gone") == [])
    }

    @Test("an owner who applies less gives fields up; another's fields stay")
    func applyGivesUp() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        func apply(_ spec: String, _ manager: String) throws -> APIAnswer {
            try send(
                "PATCH", gateways + "/edge?fieldManager=\(manager)", to: server,
                headers: ["Content-Type": "application/apply-patch+yaml"],
                body: "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge}, spec: \(spec)}"
            )
        }
        let db = "{name: db, port: 5432, protocol: TCP}"
        let web = "{name: web, port: 80, protocol: TCP}"
        #expect(try apply("{gatewayClassName: a, listeners: [\(db), \(web)]}", "one").status == 201)
        #expect(try apply("{listeners: [{name: db, port: 5432, protocol: TCP}]}", "two").status == 200)
        #expect(try apply("{listeners: [{name: db, port: 1, protocol: TCP}]}", "two").status == 409)
        #expect(try apply("{gatewayClassName: a, listeners: []}", "one").status == 200)
        let listeners = server.object("Gateway", "default", "edge")?.at("spec", "listeners")?.elements
        #expect(listeners?.compactMap { $0["name"]?.text } == ["db"])
    }

    @Test("pages of a list agree with each other while objects come and go; a compaction ends them with 410")
    func pages() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        for number in 0..<10 { try server.create(yaml: gateway.replacing("edge", with: "edge-\(number)")) }
        var names: [String] = []
        var token = ""
        repeat {
            let page = try send("GET", gateways + "?limit=3&continue=\(token)", to: server).json()
            names += (page["items"]?.elements ?? []).compactMap { $0.at("metadata", "name")?.text }
            token = page.at("metadata", "continue")?.text ?? ""
            if names.count == 3 {
                try server.delete("Gateway", "default", "edge-7")
                try server.create(yaml: gateway.replacing("edge", with: "edge-55"))
            }
        } while !token.isEmpty
        #expect(names == (0..<10).map { "edge-\($0)" })
        let first = try send("GET", gateways + "?limit=3", to: server).json()
        server.compact()
        let next = first.at("metadata", "continue")?.text ?? ""
        let late = try send("GET", gateways + "?limit=3&continue=\(next)", to: server)
        #expect(late.status == 410)
        #expect(try late.json()["reason"]?.text == "Expired")
    }

    @Test("selectors choose objects in lists, and turn changes into ADDED and DELETED in watches")
    func selectors() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        for name in ["a", "b"] {
            try server.create(
                yaml: "{apiVersion: v1, kind: ConfigMap, metadata: {name: \(name), labels: {of: \(name)}}}")
        }
        let maps = "/api/v1/namespaces/default/configmaps"
        func names(_ query: String) throws -> [String] {
            let list = try send("GET", "\(maps)?\(query)", to: server).json()
            return (list["items"]?.elements ?? []).compactMap { $0.at("metadata", "name")?.text }
        }
        #expect(try names("labelSelector=of%3Da") == ["a"])
        #expect(try names("labelSelector=of%20in%20(a,b)") == ["a", "b"])
        #expect(try names("labelSelector=!of") == ["kube-root-ca.crt"])
        #expect(try names("labelSelector=of,of%21%3Da") == ["b"])
        #expect(try names("fieldSelector=metadata.name%3Db") == ["b"])
        let version = server.resourceVersion
        try server.patch("ConfigMap", "default", "a", yaml: "metadata: {labels: {of: c}}")
        try server.patch("ConfigMap", "default", "b", yaml: "metadata: {labels: {of: a}}")
        let events = try send(
            "GET", "\(maps)?watch=1&resourceVersion=\(version)&labelSelector=of%3Da&timeoutSeconds=0", to: server
        ).events()
        #expect(
            events.map { "\($0["type"]?.text ?? "") \($0.at("object", "metadata", "name")?.text ?? "")" } == [
                "DELETED a", "ADDED b",
            ])
    }

    @Test("a kind that goes answers 404 and ends its watches; it comes back as it was told")
    func kinds() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        server.removeKind("Gateway")
        #expect(try send("GET", gateways, to: server).status == 404)
        #expect(server.object("CustomResourceDefinition", "", "gateways.gateway.networking.k8s.io") == nil)
        try server.addGatewayKind("Gateway", versions: ["v1beta1"], bundleVersion: "v1.0.0")
        #expect(try send("GET", gateways, to: server).status == 404)
        #expect(try send("GET", gateways.replacing("/v1/", with: "/v1beta1/"), to: server).status == 200)
    }
}

@Suite("The played cluster", .timeLimit(.minutes(1)))
struct ClusterTests {
    @Test("pods become endpoints of the Services that select them, by their own ports; a Deployment says how many")
    func endpoints() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(
            yaml: """
                {apiVersion: v1, kind: Service, metadata: {name: db}, spec: {selector: {app: db}, ports: [{port: 5432}]}}
                """)
        for number in 0..<3 {
            server.addPod(TestPod(name: "db-\(number)", labels: ["app": "db"], port: 40000 + number))
        }
        func ports() -> Set<Int64> {
            Set(
                server.objects("EndpointSlice").flatMap { slice in
                    slice["endpoints"]?.elements?.isEmpty == false
                        ? (slice["ports"]?.elements ?? []).compactMap { $0["port"]?.integer } : []
                })
        }
        #expect(waitUntil { ports() == [40000, 40001, 40002] })
        try server.create(
            yaml: """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: db}
                spec: {replicas: 1, selector: {matchLabels: {app: db}}}
                """)
        #expect(waitUntil { ports() == [40000] })
        let scale = "/apis/apps/v1/namespaces/default/deployments/db/scale"
        let patch = ["Content-Type": "application/merge-patch+json"]
        #expect(try send("PATCH", scale, to: server, headers: patch, body: #"{"spec":{"replicas":2}}"#).status == 200)
        #expect(waitUntil { ports() == [40000, 40001] })
        #expect(
            waitUntil { server.object("Deployment", "default", "db")?.at("status", "readyReplicas") == .integer(2) })
        try server.delete("Service", "default", "db")
        #expect(waitUntil { server.objects("EndpointSlice").isEmpty })
    }

    @Test("the balancer gives an address after its delay, and node ports stay with their ports")
    func balancer() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(
            yaml: """
                {apiVersion: v1, kind: Service, metadata: {name: lb}, spec: {type: LoadBalancer, ports: [{port: 80}]}}
                """)
        #expect(
            waitUntil {
                let ingress = server.object("Service", "default", "lb")?.at("status", "loadBalancer", "ingress")
                return ingress?.elements?.first?["ip"]?.text == "127.20.0.1"
            })
        func nodePorts() -> [Int64] {
            let ports = server.object("Service", "default", "lb")?.at("spec", "ports")?.elements ?? []
            return ports.compactMap { $0["nodePort"]?.integer }
        }
        let first = nodePorts()
        #expect(first.count == 1)
        try server.patch("Service", "default", "lb", yaml: "spec: {ports: [{port: 81, name: b}, {port: 80, name: a}]}")
        #expect(nodePorts().count == 2)
        #expect(nodePorts().last == first.first)
    }
}
