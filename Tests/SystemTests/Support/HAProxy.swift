internal import Glibc
internal import TestSupport

/// HAProxy with a configuration of a test's own.
final class HAProxy: Sendable {
    private let program: Program
    private let directory: TemporaryDirectory

    /// `port`: where it listens once it is there.
    init(_ configuration: String, port: UInt16) throws {
        directory = try TemporaryDirectory()
        let file = try directory.write(configuration, to: "haproxy.cfg")
        program = try Program(
            "haproxy", [try Installation.program("haproxy"), "-db", "-f", file], endingSignal: SIGTERM)
        _ = try program.wait(for: "a connection") { try? PlainClient(port: port) }
    }

    /// What a configuration begins with.
    static let defaults = """
        global
          maxconn 100
        defaults
          mode tcp
          timeout connect 5s
          timeout client 1m
          timeout server 1m

        """
}
