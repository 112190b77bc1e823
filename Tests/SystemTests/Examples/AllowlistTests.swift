internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("Example: an IP allowlist for a database", .timeLimit(.minutes(2)))
    struct AllowlistTests {
        @Test("who is not listed is reset before the database hears of it, and the list acts at once")
        func allowlist() throws {
            let redis = try Redis()
            let port = try Ports.free()
            let example = try Example("allowlist", ports: [6380: port, 6379: redis.port])
            let sluice = try Sluice.ready(example.text)

            #expect(try Redis.command(["SET", "key", "value"], at: port) == "OK")
            let connections = try redis.connectionsReceived()
            for _ in 0..<5 { #expect(try answer(on: "::1", port) == nil) }
            // One more: the one that asks.
            #expect(try redis.connectionsReceived() == connections + 1)
            // redis-cli tries again, or not, by when it hears of the reset.
            try sluice.waitForMetrics("the refusals") { metrics in
                metrics.sum("sluice_tcp_connections_closed_total", ["reason": "authz_denied"]) >= 5
                    || metrics.sum("sluice_listener_connections_rejected_total", ["reason": "authz_denied"]) >= 5
            }

            try sluice.apply(example.replacing("127.0.0.1/32", with: "127.0.0.1/32\n    ::1/128").text)
            #expect(try answer(on: "::1", port) == "value")

            let session = try PlainClient(port: port)
            try session.send("PING\r\n")
            #expect(try session.receiveLine() == "+PONG\r")
            try sluice.apply(example.replacing("127.0.0.1/32", with: "::1/128").text)
            #expect([.fin, .reset].contains(try session.waitForEnd()))
            #expect(try answer(on: "::1", port) == "value")
            try sluice.stop()
        }

        /// What `key` holds; nil where the connection is refused.
        private func answer(on host: String, _ port: UInt16) throws -> String? {
            let cli = try Installation.program("redis-cli")
            let result = try run([cli, "-h", host, "-p", "\(port)", "GET", "key"])
            let output = result.output.split(separator: "\n").first.map(String.init) ?? ""
            if result.succeeded, !output.hasPrefix("Error") { return output }
            let words = output + result.errors
            guard words.contains("Connection reset") || words.contains("Server closed the connection") else {
                throw TestFailure("redis-cli says: \(words)")
            }
            return nil
        }
    }
}

extension Redis {
    /// Connections since it was started, this question's own included.
    fileprivate func connectionsReceived() throws -> Int {
        let field = "total_connections_received:"
        let line = try Redis.command(["INFO", "stats"], at: port).split(whereSeparator: \.isNewline)
            .first { $0.hasPrefix(field) }
        guard let count = line.flatMap({ Int($0.dropFirst(field.count)) }) else { throw TestFailure("no \(field)") }
        return count
    }
}
