internal import Platform
internal import TestSupport

/// A client that writes without pause, each time over a new connection, and notes which server said that the write is done.
final class RedisWriter: Sendable {
    struct Write: Sendable {
        let number: Int
        /// When the connection was begun, and when the answer was there.
        let begun: MonotonicTime
        let ended: MonotonicTime
        /// The port of the server that acknowledged it; nil: nobody did.
        let server: UInt16?
    }

    private struct State {
        var writes: [Write] = []
        var isStopping = false
    }
    private let state = Locked(State())
    private let work: Locked<BackgroundWork<Void>?>

    init(port: UInt16) throws {
        let state = state
        work = Locked(
            try BackgroundWork {
                var number = 0
                while !state.withLock({ $0.isStopping }), number < 200_000 {
                    number += 1
                    let begun = MonotonicTime.now()
                    let server = try? RedisWriter.write(number, at: port)
                    let write = Write(number: number, begun: begun, ended: .now(), server: server)
                    state.withLock { $0.writes.append(write) }
                    // As an application that is refused would.
                    if server == nil { pause(for: .milliseconds(2)) }
                }
            })
    }

    var writes: [Write] { state.withLock { $0.writes } }

    /// Ends it; everything that it did.
    func stop() throws -> [Write] {
        state.withLock { $0.isStopping = true }
        try work.withLock { $0 }?.value()
        return writes
    }

    /// Writes over a connection of its own, and returns the port of the server that did it.
    static func write(_ number: Int, at port: UInt16) throws -> UInt16 {
        let client = try PlainClient(port: port, timeout: .seconds(2))
        defer { client.close() }
        return try write(number, over: client)
    }

    /// In one transaction, so that who answers is who wrote.
    static func write(_ number: Int, over client: PlainClient) throws -> UInt16 {
        try client.send("MULTI\r\nSET written:\(number) \(number)\r\nCONFIG GET port\r\nEXEC\r\n")
        var answer = ""
        while !answer.hasSuffix("\r\n") || !RedisWriter.isWhole(answer) {
            let bytes = try client.receive(max: 4096, timeout: .seconds(2))
            guard !bytes.isEmpty else { throw TestFailure("the connection ended after '\(answer)'") }
            answer += String(decoding: bytes, as: UTF8.self)
        }
        let lines = answer.split(separator: "\r\n")
        guard answer.contains("*2\r\n+OK\r\n"), let port = lines.last.flatMap({ UInt16($0) }) else {
            throw TestFailure("not written: \(answer)")
        }
        return port
    }

    private static func isWhole(_ answer: String) -> Bool {
        let lines = answer.split(separator: "\r\n")
        return answer.contains("-EXECABORT") || answer.contains("*2\r\n+OK\r\n*2\r\n") && lines.count >= 10
    }
}
