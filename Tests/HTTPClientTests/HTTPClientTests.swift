import HTTPClient
import Platform
import TestSupport
import Testing

@Suite("HTTP client", .timeLimit(.minutes(1)))
struct HTTPClientTests {
    let options = HTTPClientOptions(userAgent: "sluice/test (linux/amd64)")

    @Test("a whole answer: status, header and body; the request says what it was given")
    func wholeAnswer() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.send(201, ["X-One: 1", "Retry-After:  7 "], body: "hello")
        }
        let client = try HTTPClient(options)
        let request = HTTPRequest(
            "PATCH", server.url + "/a?b=c%20d", headers: [HTTPHeader("X-Own", "yes")], body: Array("{}".utf8))
        let response = try client.perform(request)
        #expect(response.head.status == 201)
        #expect(response.head["x-one"] == "1")
        #expect(response.head["retry-after"] == "7")
        #expect(response.body == Array("hello".utf8))
        let seen = try #require(server.requests.first)
        #expect(seen.method == "PATCH")
        #expect(seen.target == "/a?b=c%20d")
        #expect(seen["X-Own"] == "yes")
        #expect(seen["User-Agent"] == "sluice/test (linux/amd64)")
        #expect(seen["Expect"] == nil)
        #expect(seen.body == Array("{}".utf8))
        client.close()
    }

    @Test("one connection serves one request after another; groups share none")
    func reuse() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200, body: "x") }
        let client = try HTTPClient(options)
        for _ in 0..<3 { _ = try client.perform(HTTPRequest("GET", server.url + "/")) }
        #expect(server.connections == 1)
        _ = try client.perform(HTTPRequest("GET", server.url + "/"), group: .init(1))
        #expect(server.connections == 2)
    }

    @Test("lines are cut where they end, whatever the chunks")
    func lines() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            for part in ["one\ntw", "o\r\n\nthr", "ee\nrest"] { try answer.chunk(part) }
            try answer.end()
        }
        let client = try HTTPClient(options)
        let stream = client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {}
        let all = try collect(stream)
        #expect(all.head?.status == 200)
        #expect(all.lines.map { String(decoding: $0, as: UTF8.self) } == ["one", "two", "three", "rest"])
        #expect(all.end == .finished)
    }
}

/// Everything until the end.
func collect(_ stream: any HTTPStream) throws -> HTTPStreamPart {
    var all = HTTPStreamPart()
    let hasEnded = waitUntil(deadline: .seconds(20)) {
        let part = stream.take()
        if let head = part.head { all.head = head }
        all.lines += part.lines
        all.end = part.end
        return part.end != nil
    }
    guard hasEnded else { throw TestFailure("the stream did not end") }
    return all
}
