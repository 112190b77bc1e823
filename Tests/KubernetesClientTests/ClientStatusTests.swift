import FoundationEssentials
import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform
import Testing

@Suite("What the server says of a failure")
struct ClientStatusTests {
    /// The repository's folder of recorded exchanges.
    private static let folder = "\(#filePath)".split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Recorded"

    private func status(_ name: String) throws -> APIStatus {
        let exchange = try JSONDecoder().decode(
            JSONValue.self, from: Data(try readFile("\(Self.folder)/\(name).json")))
        let response = try #require(exchange["response"])
        let body = try JSONEncoder().encode(try #require(response["body"]))
        let headers = (response["headers"]?.fields ?? [:]).map { HTTPHeader($0.key, $0.value.text ?? "") }
        let code = Int(try #require(response["status"]?.integer))
        return APIStatus(head: HTTPHead(status: code, headers: headers), body: Array(body))
    }

    @Test(
        "codes and reasons of a real server",
        arguments: [
            ("07-openid-unauthorized", 403, "Forbidden"), ("08-bad-token", 401, "Unauthorized"),
            ("11-rbac-denied-list", 403, "Forbidden"), ("14-gatewayclass-create-again", 409, "AlreadyExists"),
            ("22-continue-token-bad", 400, "BadRequest"), ("31-update-conflict", 409, "Conflict"),
            ("35-status-invalid", 422, "Invalid"), ("38-service-ssa-conflict", 409, "Conflict"),
            ("45-get-absent", 404, "NotFound"), ("51-create-in-terminating", 403, "Forbidden"),
        ])
    func reasons(name: String, code: Int, reason: String) throws {
        let status = try status(name)
        #expect(status.code == code)
        #expect(status.reason == reason)
        #expect(!status.message.isEmpty)
        #expect(status.description == status.message)
    }

    @Test("causes with their fields")
    func causes() throws {
        #expect(
            try status("38-service-ssa-conflict").causes == [
                APIStatus.Cause(
                    reason: "FieldManagerConflict", message: "conflict with \"sluice\"",
                    field: #".spec.ports[port=5432,protocol="TCP"].targetPort"#)
            ])
        #expect(
            try status("35-status-invalid").causes.map(\.field)
                == ["status.parents[0].conditions[0].status", "<nil>"])
    }

    @Test("a path that nobody serves: text rather than a Status")
    func noStatus() throws {
        let status = APIStatus(
            head: HTTPHead(status: 404), body: Array("404 page not found\n".utf8))
        #expect(status == APIStatus(code: 404, reason: "", message: "the API server answered 404: 404 page not found"))
        let empty = APIStatus(head: HTTPHead(status: 502), body: [])
        #expect(empty.description == "the API server answered 502")
    }

    @Test(
        "when to come back: the body's word, else the header's",
        arguments: [
            (#"{"kind":"Status","details":{"retryAfterSeconds":3}}"#, "9", Duration.seconds(3)),
            (#"{"kind":"Status"}"#, "9", .seconds(9)), ("busy", "2", .seconds(2)),
            ("busy", "Sat, 21 Nov 2026 15:00:00 GMT", nil), ("busy", "-1", nil), ("busy", "99999999", .seconds(3600)),
        ])
    func retryAfter(body: String, header: String, expected: Duration?) {
        let head = HTTPHead(status: 429, headers: [HTTPHeader("retry-after", header)])
        #expect(APIStatus(head: head, body: Array(body.utf8)).retryAfter == expected)
    }
}
