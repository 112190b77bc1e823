internal import TestSupport
internal import Testing

extension Process {
    @Suite("PostgreSQL by name", .timeLimit(.minutes(3)))
    struct PostgresByNameTests {
        private static let hosts = ["orders.example.com", "users.example.com"]

        private static func policy(_ mode: String) -> String {
            """
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: postgres}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]
              startTLS: {protocol: Postgres, mode: \(mode)}
            ---

            """
        }

        @Test("the commands of the example: two servers on one port, and who asks for no TLS is told so")
        func example() throws {
            let servers = [try Postgres(), try Postgres()]
            let port = try Ports.free()
            let folder = try TemporaryDirectory()
            let examples = "\(Installation.root)/examples"
            _ = try run(["cp", "-r", "\(examples)/postgres/.", folder.path]).checked()
            let names = PostgresByNameTests.hosts.joined(separator: ",")
            _ = try run(["\(examples)/certificates", folder.path, names]).checked()
            let sluice = try Sluice.ready(
                try Example(
                    "postgres", in: folder.path, ports: [5433: port, 5441: servers[0].port, 5442: servers[1].port]
                ).text)
            let client = PSQL(port: port, trust: "\(folder.path)/pem/server-ca.crt")

            for (host, server) in zip(PostgresByNameTests.hosts, servers) {
                #expect(try client.query("show port", host: host).checked() == "\(server.port)\n")
                // The server is plain: the gateway ended TLS.
                let direct = try run(try Installation.peer("direct_tls_query.py", "\(port)", host, client.trust))
                let lines = try direct.checked().split(separator: "\n").dropFirst()
                #expect(lines == ["encrypted True", "sum 5000050000", "server False"])
            }
            let unknown = try client.query("select 1", host: "other.example.com")
            #expect(!unknown.succeeded && unknown.errors.contains("unrecognized name"), "\(unknown)")
            let plain = try client.query("select 1", host: "orders.example.com", mode: "disable")
            #expect(!plain.succeeded && plain.errors.contains("FATAL:  TLS required"), "\(plain)")
            try sluice.waitForMetrics("the refusals") {
                $0.sum("sluice_listener_connections_rejected_total", ["reason": "starttls_error"]) == 1
                    && $0.sum("sluice_listener_connections_rejected_total", ["reason": "tls_no_sni_match"]) == 1
            }
            try sluice.stop()
        }

        @Test("passed through, each client sees the certificate of the server that its name chose")
        func passthrough() throws {
            let authority = try TestPKI.makeCA()
            let servers = try PostgresByNameTests.hosts.map {
                try Postgres(certificate: try authority.issue(dnsNames: [$0]))
            }
            let withoutTLS = try Postgres()
            let port = try Ports.free()
            var manifests = Manifest.gateway([.init(name: "db", port: port, mode: .passthrough)])
            let places = zip(PostgresByNameTests.hosts + ["plain.example.com"], servers + [withoutTLS])
            for (index, (host, server)) in places.enumerated() {
                manifests += Manifest.tlsRoute("db\(index)", to: "db\(index)", hostnames: [host], section: "db")
                manifests += Manifest.service("db\(index)", at: server.port)
            }
            let sluice = try Sluice.ready(manifests, PostgresByNameTests.policy("Required"))
            let files = try TemporaryDirectory()
            let client = PSQL(port: port, trust: try files.write(authority.pem, to: "ca.crt"))

            for (host, server) in zip(PostgresByNameTests.hosts, servers) {
                let query = "show port; select version from pg_stat_ssl where pid = pg_backend_pid()"
                #expect(try client.query(query, host: host).checked() == "\(server.port)\nTLSv1.3\n")
                let bulk = try client.query("select repeat('0123456789', 100000)", host: host).checked()
                #expect(bulk == String(repeating: "0123456789", count: 100_000) + "\n")
            }
            let refused = try client.query("select 1", host: "plain.example.com")
            #expect(!refused.succeeded, "\(refused)")
            _ = try sluice.program.wait(for: "a line of the access log") {
                sluice.program.output.contains("\"close_detail\":\"the backend has no TLS\"") ? true : nil
            }
            try sluice.waitForMetrics("the refusal") {
                $0.sum("sluice_tcp_connections_closed_total", ["reason": "backend_tls_error"]) == 1
            }
            try sluice.stop()
        }

        @Test("where TLS is optional, a client without it goes to the catch-all TCPRoute")
        func optional() throws {
            let authority = try TestPKI.makeCA()
            let (named, fallback) = (try Postgres(), try Postgres())
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "db", port: port, mode: .terminate, certificates: ["db"])]),
                Manifest.secret("db", try authority.issue(dnsNames: ["orders.example.com"])),
                Manifest.tlsRoute("orders", to: "orders", hostnames: ["orders.example.com"], section: "db"),
                Manifest.tcpRoute("others", to: "others", section: "db"),
                Manifest.service("orders", at: named.port), Manifest.service("others", at: fallback.port),
                PostgresByNameTests.policy("Optional"))
            let files = try TemporaryDirectory()
            let client = PSQL(port: port, trust: try files.write(authority.pem, to: "ca.crt"))
            #expect(try client.query("show port", host: "orders.example.com").checked() == "\(named.port)\n")
            let plain = try client.query("show port", host: "orders.example.com", mode: "disable")
            #expect(try plain.checked() == "\(fallback.port)\n")
            try sluice.stop()
        }
    }
}

/// psql through a port of ours.
private struct PSQL {
    let port: UInt16
    /// File with the CA.
    let trust: String

    func query(_ text: String, host: String, mode: String = "verify-full") throws -> CommandResult {
        try run([
            try Installation.program("psql"), "-XAtc", text,
            "host=\(host) hostaddr=127.0.0.1 port=\(port) user=postgres dbname=postgres sslmode=\(mode) "
                + "sslrootcert=\(trust) connect_timeout=10",
        ])
    }
}
