internal import TestSupport
internal import Testing

extension Process {
    @Suite("PostgreSQL", .timeLimit(.minutes(2)))
    struct PostgresTests {
        @Test("psql verifies the server's own certificate through a TCPRoute")
        func verifyFull() throws {
            let authority = try TestPKI.makeCA()
            let postgres = try Postgres(certificate: try authority.issue(dnsNames: ["db.example.com"]))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "db", port: port)]),
                Manifest.tcpRoute("db", to: "db", section: "db"), Manifest.service("db", at: postgres.port))
            let files = try TemporaryDirectory()
            let trust = try files.write(authority.pem, to: "ca.crt")
            let query = """
                select version from pg_stat_ssl where pid = pg_backend_pid();
                select sum(length(repeat('x', n))) from generate_series(1, 2000) as t(n)
                """
            func psql(_ host: String, _ query: String) throws -> CommandResult {
                try run([
                    try Installation.program("psql"), "-XAtc", query,
                    "host=\(host) hostaddr=127.0.0.1 port=\(port) user=postgres dbname=postgres sslmode=verify-full "
                        + "sslrootcert=\(trust) connect_timeout=10",
                ])
            }

            #expect(try psql("db.example.com", query).checked() == "TLSv1.3\n2001000\n")
            // The certificate is looked at: another name is refused by the client.
            let refused = try psql("other.example.com", "select 1")
            #expect(!refused.succeeded && refused.errors.contains("does not match host name"), "\(refused)")
            try benchmark(postgres, through: port, trust)
            let bulk = try psql("db.example.com", "select repeat('0123456789', 400000)").checked()
            #expect(bulk == String(repeating: "0123456789", count: 400_000) + "\n")
            try sluice.stop()
        }

        /// Twenty clients of pgbench over TLS: every transaction succeeds and is in the server.
        private func benchmark(_ postgres: Postgres, through port: UInt16, _ trust: String) throws {
            let pgbench = try Installation.postgresProgram("pgbench")
            let server = ["-h", "127.0.0.1", "-p", "\(postgres.port)", "-U", "postgres", "postgres"]
            _ = try run([pgbench, "-i", "-q", "-s", "1"] + server).checked()
            let result = try run(
                [pgbench, "-n", "-c", "20", "-j", "2", "-t", "50", "-N"]
                    + ["-h", "db.example.com", "-p", "\(port)", "-U", "postgres", "postgres"],
                environment: ["PGHOSTADDR": "127.0.0.1", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": trust],
                within: .seconds(40))
            let output = try result.checked()
            #expect(output.contains("transactions actually processed: 1000/1000"), "\(output)")
            let count = try run([
                try Installation.program("psql"), "-XAtc", "select count(*) from pgbench_history",
                "host=127.0.0.1 port=\(postgres.port) user=postgres dbname=postgres sslmode=disable",
            ])
            #expect(try count.checked() == "1000\n")
        }

        @Test("libpq 17 negotiates TLS directly, by ALPN, with the gateway; the server behind it is plain")
        func direct() throws {
            let authority = try TestPKI.makeCA()
            let postgres = try Postgres()
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([
                    .init(name: "db", port: port, mode: .terminate, certificates: ["db"], alpn: "postgresql")
                ]),
                Manifest.secret("db", try authority.issue(dnsNames: ["db.example.com"])),
                Manifest.tlsRoute("db", to: "db", hostnames: ["db.example.com"], section: "db"),
                Manifest.service("db", at: postgres.port))
            let files = try TemporaryDirectory()
            let trust = try files.write(authority.pem, to: "ca.crt")

            let result = try run(try Installation.peer("direct_tls_query.py", "\(port)", "db.example.com", trust))
            let lines = try result.checked().split(separator: "\n")
            let version = lines.first?.split(separator: " ").last.flatMap { Int($0) }
            #expect((version ?? 0) >= 17, "libpq must be 17 or later: \(lines)")
            #expect(lines.dropFirst() == ["encrypted True", "sum 5000050000", "server False"])
            try sluice.waitForMetrics("one handshake") {
                $0.sum("sluice_tls_handshakes_total", ["mode": "terminate", "result": "ok"]) == 1
            }
            try sluice.stop()
        }
    }
}
