import Platform
import Primitives
import TestSupport
import Testing

@Suite("Plain peers of the tests", .timeLimit(.minutes(1)))
struct PlainPeersTests {
    private func pair() throws -> (client: PlainClient, server: PlainClient) {
        let listening = try PlainServer()
        let client = try PlainClient(port: listening.port)
        return (client, try listening.accept())
    }

    @Test("each end sees the other's address")
    func addresses() throws {
        let (client, server) = try pair()
        #expect(server.peerAddress == client.localAddress)
        #expect(client.peerAddress == server.localAddress)
    }

    @Test("receive stops at a line, at a count and at the end")
    func receive() throws {
        let (client, server) = try pair()
        try client.send("line\n12345rest")
        try client.halfClose()
        #expect(try server.receiveLine() == "line")
        #expect(try server.receive(exactly: 5) == Array("12345".utf8))
        #expect(try server.receiveAll() == Array("rest".utf8))
        try server.send("back")
        #expect(throws: StreamError.ended(after: Array("back".utf8))) {
            server.close()
            _ = try client.receive(exactly: 5)
        }
    }

    @Test("a reset is told from an end, and silence is a timeout")
    func ends() throws {
        let (client, server) = try pair()
        #expect(throws: StreamError.timedOut("receiving")) { try client.receive(max: 1, timeout: .milliseconds(5)) }
        server.reset()
        #expect(try client.waitForEnd() == .reset)
        let (second, other) = try pair()
        other.close()
        #expect(try second.waitForEnd() == .fin)
    }

    @Test("a directory goes with everything in it")
    func temporaryDirectory() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(directory?.path)
        try directory?.write("a", to: "x/y/z.txt")
        try directory?.replace("x/y/z.txt", with: "bb")
        #expect(try readFile(path + "/x/y/z.txt") == Array("bb".utf8))
        directory = nil
        #expect(throws: Errno.noEntry) { try readFile(path + "/x/y/z.txt") }
    }
}
