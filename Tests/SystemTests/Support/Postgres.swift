internal import Glibc
internal import TestSupport

/// A PostgreSQL server in a folder of its own, without a password for anyone. It refuses to run as root, so as root it
/// runs as the user that its package makes.
final class Postgres: Sendable {
    let port: UInt16
    private let program: Program
    private let directory: TemporaryDirectory

    /// With a certificate it takes TLS connections too.
    init(certificate: TestCertificate? = nil) throws {
        port = try Ports.free()
        directory = try TemporaryDirectory()
        let asUser =
            Installation.isRoot
            ? [try Installation.program("setpriv"), "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
        let data = "\(directory.path)/data"
        if Installation.isRoot { _ = try run(["chown", "postgres", directory.path]).checked() }
        _ = try run(
            asUser + [
                try Installation.postgresProgram("initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync",
                "--encoding=UTF8", "--locale=C",
            ], within: .seconds(60)
        ).checked()
        if let certificate { try Postgres.enableTLS(certificate, in: directory) }
        program = try Program(
            "postgres",
            asUser + [
                try Installation.postgresProgram("postgres"), "-D", data, "-p", "\(port)", "-k", directory.path,
                "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "ssl=\(certificate == nil ? "off" : "on")",
            ], endingSignal: SIGQUIT)
        let (port, socket) = (port, directory.path)
        let isReady = try Installation.program("pg_isready")
        _ = try program.wait(for: "pg_isready") {
            try run([isReady, "-h", socket, "-p", "\(port)", "-U", "postgres", "-d", "postgres"]).succeeded ? true : nil
        }
    }

    private static func enableTLS(_ certificate: TestCertificate, in directory: TemporaryDirectory) throws {
        let files = [
            try directory.write(certificate.chainPEM, to: "data/server.crt"),
            try directory.write(certificate.privateKeyPEM, to: "data/server.key"),
        ]
        _ = try run(["chmod", "600"] + files).checked()
        if Installation.isRoot { _ = try run(["chown", "postgres"] + files).checked() }
    }
}
