internal import Glibc
internal import TestSupport

/// redis-server in memory.
final class Redis: Sendable {
    let port: UInt16
    private let program: Program

    init() throws {
        port = try Ports.free()
        program = try Program(
            "redis-server",
            [
                try Installation.program("redis-server"), "--port", "\(port)", "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no", "--dir", "/tmp",
            ])
        let port = port
        _ = try program.wait(for: "PONG") { try Redis.command(["PING"], at: port) == "PONG" ? true : nil }
    }

    /// Ends it and waits.
    func stop() throws {
        program.signal(SIGTERM)
        try program.waitForEnd(within: .seconds(10))
    }

    /// redis-cli's answer at a port, which may be a gateway's.
    static func command(_ words: [String], at port: UInt16) throws -> String {
        let result = try run([try Installation.program("redis-cli"), "-h", "127.0.0.1", "-p", "\(port)"] + words)
        return result.output.split(separator: "\n").joined(separator: "\n")
    }
}
