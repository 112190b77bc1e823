internal import Glibc
internal import TestSupport

/// A PostgreSQL server in a folder of its own, without a password for anyone. It refuses to run as root, so as root it
/// runs as the user that its package makes.
final class Postgres: Sendable {
    let port: UInt16
    private let program: Program
    private let directory: TemporaryDirectory

    /// With a certificate it takes TLS connections too; where it demands `clients`, a CA in PEM, over TCP only those of clients
    /// whose certificate names the user.
    init(certificate: TestCertificate? = nil, demanding clients: String? = nil) throws {
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
        if let clients { try Postgres.demand(clients, in: directory) }
        program = try Program(
            "postgres",
            asUser + [
                try Installation.postgresProgram("postgres"), "-D", data, "-p", "\(port)", "-k", directory.path,
                "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "ssl=\(certificate == nil ? "off" : "on")",
                "-c", "ssl_ca_file=\(clients == nil ? "" : "clients.crt")",
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
        try own(files)
    }

    private static func demand(_ clients: String, in directory: TemporaryDirectory) throws {
        let rules = "local all all trust\nhostssl all all 127.0.0.1/32 cert\n"
        try own([
            try directory.write(clients, to: "data/clients.crt"), try directory.write(rules, to: "data/pg_hba.conf"),
        ])
    }

    private static func own(_ files: [String]) throws {
        _ = try run(["chmod", "600"] + files).checked()
        if Installation.isRoot { _ = try run(["chown", "postgres"] + files).checked() }
    }
}
