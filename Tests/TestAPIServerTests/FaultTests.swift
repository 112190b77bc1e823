import KubernetesAPI
import Platform
import Primitives
import TestAPIServer
import TestSupport
import Testing

private let route = """
    {"apiVersion":"gateway.networking.k8s.io/v1","kind":"TCPRoute","metadata":{"name":"NAME"},
     "spec":{"rules":[{"backendRefs":[{"name":"db","port":5432}]}]}}
    """
private let routes = "/apis/gateway.networking.k8s.io/v1/namespaces/default/tcproutes"

private func routeText(_ name: String) -> String { route.replacing("NAME", with: name) }

/// A watch that is read line by line while it runs.
private final class RunningWatch {
    private let connection: PlainClient
    private var bytes: [UInt8] = []
    private var taken = 0

    init(_ server: TestAPIServer, _ target: String = routes + "?watch=1") throws {
        connection = try PlainClient(to: server.address)
        try connection.send(requestText("GET", target))
        while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") { bytes += try connection.receive() }
        let head = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n\r\n")[0]
        bytes.removeFirst(head.utf8.count + 4)
    }

    /// The next event; throws where none comes in time, or the stream ends.
    func next(timeout: Duration = .seconds(5)) throws -> JSONValue {
        while true {
            let body = try unchunked(bytes)
            let lines = body.split(separator: 0x0a)
            if lines.count > taken, taken + 1 < lines.count || body.last == 0x0a {
                taken += 1
                return try JSONText.parse(Array(lines[taken - 1]))
            }
            let chunk = try connection.receive(max: 64 << 10, timeout: timeout)
            guard !chunk.isEmpty else { throw StreamError.ended(after: []) }
            bytes += chunk
        }
    }

    func type(timeout: Duration = .seconds(5)) throws -> String { try next(timeout: timeout)["type"]?.text ?? "" }

    func waitForEnd() throws -> StreamEnd { try connection.waitForEnd() }
    func close() { connection.close() }
}

@Suite("Faults on command", .timeLimit(.minutes(1)))
struct FaultTests {
    @Test("answers a number of requests with 429 and Retry-After, then works again")
    func tooManyRequests() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        server.faults = .failing(429, retryAfter: 3, times: 2)
        for _ in 0..<2 {
            let answer = try send("GET", routes, to: server)
            #expect(answer.status == 429)
            #expect(answer.headers["retry-after"] == "3")
            #expect(try answer.json().at("details", "retryAfterSeconds") == .integer(3))
        }
        #expect(try send("GET", routes, to: server).status == 200)
    }

    @Test("answers 500 to everything, or to some methods and paths alone")
    func internalErrors() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        server.faults = .failing(500)
        #expect(try send("GET", "/version", to: server).status == 500)
        var faults = Faults.failing(503)
        faults.methods = ["PATCH"]
        faults.pathContains = "tcproutes"
        server.faults = faults
        #expect(try send("GET", routes, to: server).status == 200)
        #expect(try send("PATCH", routes + "/r", to: server, body: "{}").status == 503)
        #expect(try send("PATCH", "/api/v1/namespaces/default/services/s", to: server, body: "{}").status != 503)
    }

    @Test("drops connections, and refuses them until it listens again on the same port")
    func connections() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(yaml: routeText("r"))
        let watch = try RunningWatch(server)
        #expect(try watch.type() == "ADDED")
        server.dropConnections()
        #expect(try watch.waitForEnd() == .reset)

        var faults = Faults()
        faults.dropsConnections = true
        server.faults = faults
        #expect(throws: StreamError.reset) { try send("GET", routes, to: server) }
        server.faults = Faults()

        let address = server.address
        server.stopListening()
        #expect(throws: (any Error).self) { try PlainClient(to: address) }
        try server.listenAgain()
        #expect(server.address == address)
        #expect(try send("GET", routes + "/r", to: server).status == 200)
    }

    @Test("a restart without the watch cache answers 410 to a watch that resumes")
    func restart() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(yaml: routeText("r"))
        let version = server.resourceVersion
        try server.create(yaml: routeText("r2"))
        try server.restart()
        let resumed = try RunningWatch(server, routes + "?watch=1&resourceVersion=\(version)")
        #expect(try resumed.next().at("object", "metadata", "name") == .string("r2"))
        try server.restart(keepsWatchCache: false)
        let late = try RunningWatch(server, routes + "?watch=1&resourceVersion=\(version)")
        let event = try late.next()
        #expect(event["type"] == .string("ERROR"))
        #expect(event.at("object", "code") == .integer(410))
    }

    @Test("ends all watches in order, or each after a time")
    func endsWatches() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        let watch = try RunningWatch(server)
        #expect(waitUntil { server.statistics.watches == 1 })
        server.closeWatches()
        #expect(try watch.waitForEnd() == .fin)
        var faults = Faults()
        faults.closesWatchesAfter = .milliseconds(50)
        server.faults = faults
        #expect(try RunningWatch(server).waitForEnd() == .fin)
        #expect(waitUntil { server.statistics.watches == 0 })
    }

    @Test("a silenced watch says nothing and stays, and goes on where it was")
    func halfOpen() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        let watch = try RunningWatch(server)
        #expect(waitUntil { server.statistics.watches == 1 })
        var faults = Faults()
        faults.silencesWatches = true
        server.faults = faults
        try server.create(yaml: routeText("r"))
        #expect(throws: StreamError.self) { try watch.next(timeout: .milliseconds(200)) }
        server.faults = Faults()
        #expect(try watch.type() == "ADDED")
    }

    @Test("sends garbage once, trickles, delays")
    func oddities() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try server.create(yaml: routeText("r"))
        var faults = Faults()
        faults.garbage = #"{"type":"ADDED","object":{"kind":7}}"#
        faults.trickle = 64
        server.faults = faults
        let watch = try RunningWatch(server)
        let events = [try watch.next(), try watch.next()]
        #expect(events.contains { $0.at("object", "kind") == .integer(7) })
        faults = Faults()
        faults.latency = .milliseconds(80)
        server.faults = faults
        let start = MonotonicTime.now()
        #expect(try send("GET", routes, to: server).status == 200)
        #expect(MonotonicTime.now() - start >= .milliseconds(80))
    }

    @Test("tokens are refused, and rights follow their rules")
    func access() throws {
        var options = TestAPIServer.Options()
        options.tokens["narrow"] = AccessToken(
            user: "narrow",
            rules: [
                AccessRule(
                    verbs: ["get", "watch"], groups: [""], resources: ["secrets"], namespaces: ["default"], names: ["a"]
                )
            ])
        let server = try TestAPIServer.start(options)
        defer { server.stop() }
        let headers = ["Authorization": "Bearer narrow"]
        let secrets = "/api/v1/namespaces/default/secrets"
        #expect(try send("GET", secrets + "/a", to: server, headers: headers).status == 404)
        #expect(try send("GET", secrets + "/b", to: server, headers: headers).status == 403)
        #expect(try send("GET", secrets, to: server, headers: headers).status == 403)
        let byName = secrets + "?watch=1&timeoutSeconds=0&fieldSelector=metadata.name%3Da"
        #expect(try send("GET", byName, to: server, headers: headers).status == 200)
        var faults = Faults()
        faults.refusesTokens = true
        server.faults = faults
        #expect(try send("GET", secrets + "/a", to: server, headers: headers).status == 401)
    }

    @Test("a service account may do what the roles that are bound to it say, when they say it")
    func roles() throws {
        var options = TestAPIServer.Options()
        options.tokens["pod"] = .serviceAccount("default", "sluice")
        let server = try TestAPIServer.start(options)
        defer { server.stop() }
        func code(_ method: String, _ target: String) throws -> Int {
            try send(method, target, to: server, headers: ["Authorization": "Bearer pod"]).status
        }
        #expect(try code("GET", routes) == 403)
        try server.create(
            yaml: """
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRole
                metadata: {name: reader}
                rules: [{apiGroups: [gateway.networking.k8s.io], resources: [tcproutes], verbs: [list]}]
                ---
                apiVersion: rbac.authorization.k8s.io/v1
                kind: RoleBinding
                metadata: {name: reader}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
                subjects: [{kind: ServiceAccount, name: sluice, namespace: default}]
                """)
        #expect(try code("GET", routes) == 200)
        #expect(try code("GET", routes + "?watch=1") == 403)
        #expect(try code("GET", "/apis/gateway.networking.k8s.io/v1/tcproutes") == 403)
        try server.create(
            yaml: """
                apiVersion: rbac.authorization.k8s.io/v1
                kind: ClusterRoleBinding
                metadata: {name: reader}
                roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
                subjects: [{kind: ServiceAccount, name: sluice, namespace: default}]
                """)
        #expect(try code("GET", "/apis/gateway.networking.k8s.io/v1/tcproutes") == 200)
        try server.delete("ClusterRole", "", "reader")
        #expect(try code("GET", routes) == 403)
    }
}
