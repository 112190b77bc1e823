import FoundationEssentials
import KubernetesAPI
import TestAPIServer
import TestSupport
import Testing

/// An exchange with a real server, from Tests/Recorded.
struct RecordedExchange {
    let name: String
    let json: JSONValue

    static func all() throws -> [RecordedExchange] {
        let root = #filePath.split(separator: "/").dropLast(2).reduce(into: "") { $0 += "/" + $1 } + "/Recorded"
        let names = try FileManager.default.contentsOfDirectory(atPath: root).filter { $0.hasSuffix(".json") }.sorted()
        return try names.map { name in
            let data = try Data(contentsOf: URL(filePath: "\(root)/\(name)"))
            return RecordedExchange(name: String(name.dropLast(5)), json: try JSONText.parse(Array(data)))
        }
    }

    var method: String { json.at("request", "method")?.text ?? "" }
    var path: String { json.at("request", "path")?.text ?? "" }
    var headers: [String: String] { (json.at("request", "headers")?.fields ?? [:]).compactMapValues(\.text) }
    var body: JSONValue? { json.at("request", "body").flatMap { $0 == .null ? nil : $0 } }
    var status: Int64 { json.at("response", "status")?.integer ?? 0 }
    func header(_ name: String) -> String? { json.at("response", "headers", name)?.text }
}

/// Sends what was sent to a real server, in order, and holds the answers against the recorded ones.
@Suite("Replay of a real server's exchanges", .timeLimit(.minutes(2)))
struct ReplayTests {
    @Test("every recorded request is answered with the recorded status, fields and body")
    func replay() throws {
        let exchanges = try RecordedExchange.all()
        #expect(exchanges.count == 51)
        let server = try TestAPIServer.start(options)
        defer { server.stop() }
        var replayed = ReplayedNames()
        for exchange in exchanges {
            let answer = try answer(exchange, server, &replayed)
            #expect(Int64(answer.status) == exchange.status, "\(exchange.name): \(answer.text.prefix(600))")
            for field in ["content-type", "warning", "retry-after"] {
                #expect(answer.headers[field] == exchange.header(field), "\(exchange.name): \(field)")
            }
            let differences = try self.differences(exchange, answer, &replayed)
            #expect(differences == [], "\(exchange.name)")
            try afterwards(exchange, server)
        }
    }

    @Test("the comparison finds what differs: a value, a type, a missing and an additional field, a length, an order")
    func comparison() throws {
        let recorded = try JSONText.parse(Array(#"{"a":1,"b":["x","y"],"metadata":{"uid":"1","name":"n"}}"#.utf8))
        func differences(_ text: String) throws -> [String] {
            var names = ReplayedNames()
            return BodyComparison.differences(recorded, try JSONText.parse(Array(text.utf8)), &names)
        }
        #expect(try differences(#"{"a":1,"b":["x","y"],"metadata":{"uid":"2","name":"n"}}"#) == [])
        #expect(try differences(#"{"a":2,"b":["x","y"],"metadata":{"uid":"2","name":"n"}}"#).count == 1)
        #expect(try differences(#"{"a":"1","b":["x","y"],"metadata":{"uid":"2","name":"n"}}"#).count == 1)
        #expect(try differences(#"{"a":1,"b":["x"],"metadata":{"uid":"2","name":"n"}}"#).count == 1)
        #expect(try differences(#"{"a":1,"b":["y","x"],"metadata":{"uid":"2","name":"n"}}"#).count == 2)
        #expect(try differences(#"{"a":1,"b":["x","y"],"metadata":{"name":"n"}}"#).count == 1)
        #expect(try differences(#"{"a":1,"b":["x","y"],"c":0,"metadata":{"uid":"2","name":"n"}}"#).count == 1)
        #expect(try differences(#"{"a":1,"b":["x","y"],"metadata":{"uid":2,"name":"n"}}"#).count == 1)
    }

    private var options: TestAPIServer.Options {
        var options = TestAPIServer.Options()
        options.tokens = [
            "admin": .admin, "limited": AccessToken(user: "system:serviceaccount:rec:limited", rules: []),
        ]
        options.namespaceTermination = .seconds(600)
        options.authorityPEM = "kept by the server"
        return options
    }

    private func answer(_ exchange: RecordedExchange, _ server: TestAPIServer, _ replayed: inout ReplayedNames) throws
        -> APIAnswer
    {
        var headers = exchange.headers
        switch exchange.name {
        case "07-openid-unauthorized": headers["Authorization"] = nil
        case "08-bad-token": headers["Authorization"] = "Bearer wrong"
        case "11-rbac-denied-list", "12-rbac-denied-watch": headers["Authorization"] = "Bearer limited"
        default: headers["Authorization"] = "Bearer admin"
        }
        // One second is time enough here for what happened there in four.
        let target = replayed.translate(exchange.path).replacing(/timeoutSeconds=\d+/, with: "timeoutSeconds=1")
        let body = exchange.body.map { JSONText.string(replayed.translate($0)) }
        let connection = try PlainClient(to: server.address)
        defer { connection.close() }
        try connection.send(requestText(exchange.method, target, headers: headers, body: body))
        if exchange.path.contains("timeoutSeconds") {
            #expect(waitUntil { server.statistics.watches > 0 }, "\(exchange.name): no watch began")
            try during(exchange, server)
        }
        return try parse(try connection.receiveAll(timeout: .seconds(20)))
    }

    /// What was done to the real server while a watch ran.
    private func during(_ exchange: RecordedExchange, _ server: TestAPIServer) throws {
        switch exchange.name {
        case "26-watch-resume":
            let rule = "{backendRefs: [{group: \"\", kind: Service, name: db, port: 5433, weight: 1}]}"
            try patch(
                server, "/apis/gateway.networking.k8s.io/v1/namespaces/rec/tcproutes/r1", "{spec: {rules: [\(rule)]}}")
            try createRoute("r7", server)
            _ = try send(
                "DELETE", "/apis/gateway.networking.k8s.io/v1/namespaces/rec/tcproutes/r2", to: server,
                headers: ["Authorization": "Bearer admin"])
        case "47-secret-watch-by-name":
            try patch(server, "/api/v1/namespaces/rec/secrets/cert", "{metadata: {annotations: {a: b}}}")
        default: break
        }
    }

    /// What was done to the real server between two recorded requests.
    private func afterwards(_ exchange: RecordedExchange, _ server: TestAPIServer) throws {
        guard exchange.name == "16-tcproute-create" else { return }
        for number in 1...4 { try createRoute("r\(number)", server) }
    }

    private func createRoute(_ name: String, _ server: TestAPIServer) throws {
        let exchange = try RecordedExchange.all().first { $0.name == "16-tcproute-create" }
        var route = try #require(exchange?.body)
        route.set("metadata", "name", to: .string(name))
        let answer = try send(
            "POST", "/apis/gateway.networking.k8s.io/v1/namespaces/rec/tcproutes", to: server,
            headers: ["Authorization": "Bearer admin"], body: JSONText.string(route))
        #expect(answer.status == 201)
    }

    private func patch(_ server: TestAPIServer, _ path: String, _ yaml: String) throws {
        let patch = try #require(try JSONValue.documents(yaml).first)
        let answer = try send(
            "PATCH", path, to: server,
            headers: ["Authorization": "Bearer admin", "Content-Type": "application/merge-patch+json"],
            body: JSONText.string(patch))
        #expect(answer.status == 200, "\(answer.text)")
    }

    private func differences(_ exchange: RecordedExchange, _ answer: APIAnswer, _ replayed: inout ReplayedNames) throws
        -> [String]
    {
        if let stream = exchange.json.at("response", "stream")?.elements {
            // Bookmarks come by the clock, but for the one that ends the initial events.
            func told(_ events: [JSONValue]) -> [JSONValue] {
                events.filter { event in
                    event["type"]?.text != "BOOKMARK" || event.at("object", "metadata", "annotations") != nil
                }
            }
            return BodyComparison.differences(
                .array(told(stream)), .array(told(try answer.events())), &replayed)
        }
        let recorded = exchange.json.at("response", "body") ?? .null
        if let text = recorded.text { return text == answer.text ? [] : ["\(text) ≠ \(answer.text)"] }
        var served = try answer.json()
        var expected = recorded
        if exchange.name.contains("-discovery-") {
            (expected, served) = (BodyComparison.served(expected, in: served), BodyComparison.sorted(served))
            expected = BodyComparison.sorted(expected)
        }
        return BodyComparison.differences(expected, served, &replayed)
    }
}
