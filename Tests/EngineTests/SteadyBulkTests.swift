import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// Streams that have been bulk for long enough to be looked at by the clock.
@Suite("Steady bulk", .timeLimit(.minutes(2)))
struct SteadyBulkTests {
    @Test("streams arrive unchanged, also the one that is not read until the others are done")
    func oneStalls() throws {
        let harness = try EngineHarness(workers: 1)
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        let size = 32 << 20
        let stalled = try PlainClient(port: port)
        let stalledPeer = try server.accept()
        let sent = try BackgroundWork {
            [try stalledPeer.sendStream(size, seed: 1), try stalledPeer.sendStream(size, seed: 2)]
        }
        // It becomes steady before nobody reads it.
        var received = [try stalled.receiveStream(size)]
        for seed in UInt64(3)...4 {
            let client = try PlainClient(port: port)
            let peer = try server.accept()
            let other = try BackgroundWork { try peer.sendStream(size, seed: seed) }
            #expect(try client.receiveStream(size) == other.value())
        }
        received.append(try stalled.receiveStream(size))
        #expect(try sent.value() == received)
        #expect(waitUntil { harness.metric("sluice_tcp_bytes_total", "response") == Double(4 * size) })
    }

    @Test("a stream that turns to messages, and back, and ends", arguments: [UInt64(1), 2])
    func turnsToMessages(seed: UInt64) throws {
        let harness = try EngineHarness(workers: 1)
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        let client = try PlainClient(port: port)
        let peer = try server.accept()
        for turn in UInt64(0)..<3 {
            let size = 48 << 20
            let sent = try BackgroundWork { try peer.sendStream(size, seed: seed + 10 * turn) }
            #expect(try client.receiveStream(size) == sent.value())
            for message in 0..<50 {
                let (question, answer) = (testBytes(64 + message), testBytes(64 + 3 * message))
                try client.send(question)
                #expect(try peer.receive(exactly: question.count) == question)
                try peer.send(answer)
                #expect(try client.receive(exactly: answer.count) == answer)
            }
        }
        try client.halfClose()
        #expect(try peer.waitForEnd() == .fin)
        peer.close()
        #expect(waitUntil { harness.closed(.clientClosed) == 1 })
    }
}
