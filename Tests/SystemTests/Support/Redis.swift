internal import Glibc
internal import TestSupport

/// redis-server in memory.
final class Redis: Sendable {
    let port: UInt16
    private let program: Program

    /// `port` nil: a free one.
    init(port: UInt16? = nil, _ arguments: [String] = []) throws {
        self.port = try port ?? Ports.free()
        program = try Program(
            "redis-server",
            [
                try Installation.program("redis-server"), "--port", "\(self.port)", "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no", "--dir", "/tmp",
            ] + arguments)
        let port = self.port
        _ = try program.wait(for: "PONG") { try Redis.command(["PING"], at: port) == "PONG" ? true : nil }
    }

    /// Sends it a signal, such as one that halts it.
    func signal(_ number: Int32) { program.signal(number) }

    /// Ends it without warning, and waits.
    func kill() throws {
        program.signal(SIGKILL)
        try program.waitForEnd(within: .seconds(10))
    }

    /// What it says that it is: `master` or `slave`.
    var role: String {
        get throws { try Redis.command(["ROLE"], at: port).split(separator: "\n").first.map(String.init) ?? "" }
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
