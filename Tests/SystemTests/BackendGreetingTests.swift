internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    /// BackendPolicies that say something to endpoints before bytes flow, before servers that are not ours.
    @Suite("What backends are told first", .timeLimit(.minutes(2)))
    struct BackendGreetingTests {
        private static func policy(_ service: String, _ fields: String) -> String {
            """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: \(service)}
            spec:
              targetRefs: [{group: "", kind: Service, name: \(service)}]
            \(fields.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            ---

            """
        }

        // MARK: PROXY protocol

        /// HAProxy that answers with what it knows of its client; it refuses a wrong CRC32C.
        private func haproxy(_ port: UInt16) throws -> HAProxy {
            let facts = ["src", "src_port", "dst", "dst_port", "fc_pp_authority", "fc_pp_unique_id"]
                .map { "%[\($0)]" }.joined(separator: "|")
            return try HAProxy(
                HAProxy.defaults + """
                    frontend f
                      mode http
                      bind 127.0.0.1:\(port) accept-proxy
                      http-request return status 200 content-type text/plain lf-string "\(facts)"

                    """, port: port)
        }

        private func answer(over stream: any TestStream) throws -> [String] {
            try stream.send("GET / HTTP/1.1\r\nHost: db\r\nConnection: close\r\n\r\n")
            var bytes: [UInt8] = []
            while case let more = try stream.receive(), !more.isEmpty { bytes += more }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.firstRange(of: "\r\n\r\n") else { throw TestFailure("no answer: \(text)") }
            return text[end.upperBound...].split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        }

        @Test("HAProxy and nginx read versions 1 and 2", arguments: ["V1", "V2"])
        func addresses(version: String) throws {
            let (ports, behind) = ((try Ports.free(), try Ports.free()), (try Ports.free(), try Ports.free()))
            let haproxy = try haproxy(behind.0)
            let nginx = try Nginx(readingHeadersAt: behind.1)
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "one", port: ports.0), .init(name: "two", port: ports.1)]),
                Manifest.tcpRoute("haproxy", to: "haproxy", section: "one"),
                Manifest.tcpRoute("nginx", to: "nginx", section: "two"),
                Manifest.service("haproxy", at: behind.0), Manifest.service("nginx", at: behind.1),
                BackendGreetingTests.policy("haproxy", "proxyProtocol: {version: \(version)}"),
                BackendGreetingTests.policy("nginx", "proxyProtocol: {version: \(version)}"))
            for port in [ports.0, ports.1] {
                let client = try PlainClient(port: port)
                let own = try #require(client.localAddress)
                let fields = try answer(over: client)
                #expect(fields.prefix(4) == ["127.0.0.1", "\(own.port)", "127.0.0.1", "\(port)"])
            }
            withExtendedLifetime((haproxy, nginx)) {}
            try sluice.stop()
        }

        @Test("HAProxy reads the TLVs of a client with TLS, with a right CRC32C")
        func extended() throws {
            let (port, behind) = (try Ports.free(), try Ports.free())
            let authority = try TestPKI.makeCA()
            let haproxy = try haproxy(behind)
            let tlvs = """
                proxyProtocol:
                  version: V2
                  tlvs:
                  - {type: SSL}
                  - {type: ALPN}
                  - {type: Authority}
                  - {type: Custom, code: 224, value: edge}
                  - {type: CRC32C}
                  - {type: UniqueID}
                """
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "db", port: port, mode: .terminate, certificates: ["db"])]),
                Manifest.secret("db", try authority.issue(dnsNames: ["db.example.com"])),
                Manifest.tlsRoute("db", to: "haproxy", hostnames: ["db.example.com"], section: "db"),
                Manifest.service("haproxy", at: behind), BackendGreetingTests.policy("haproxy", tlvs))
            let client = try TLSTestClient(
                port: port, TLSClientOptions(serverName: "db.example.com", trust: authority.pem))
            let fields = try answer(over: client)
            #expect(fields.count == 6 && fields[4] == "db.example.com")
            #expect(!fields[5].isEmpty && fields[5].allSatisfy(\.isHexDigit))
            client.close()
            withExtendedLifetime(haproxy) {}
            try sluice.stop()
        }

        // MARK: PostgreSQL

        @Test(
            "PostgreSQL knows the gateway by its certificate, after its own request for TLS", arguments: [false, true])
        func postgres(clientHasTLS: Bool) throws {
            let (servers, clients) = (try TestPKI.makeCA("Servers"), try TestPKI.makeCA("Clients"))
            let postgres = try Postgres(
                certificate: try servers.issue(dnsNames: ["pg.internal"]), demanding: clients.pem)
            let port = try Ports.free()
            let gateway = Manifest.gateway([
                .init(
                    name: "db", port: port, mode: clientHasTLS ? .terminate : .tcp,
                    certificates: clientHasTLS ? ["db"] : [])
            ]).replacing(
                "gatewayClassName: sluice",
                with: "gatewayClassName: sluice\n  tls: {backend: {clientCertificateRef: {name: gateway}}}")
            let route =
                clientHasTLS
                ? Manifest.tlsRoute("db", to: "db", hostnames: ["db.example.com"], section: "db")
                : Manifest.tcpRoute("db", to: "db", section: "db")
            let sluice = try Sluice.ready(
                gateway, route, Manifest.service("db", at: postgres.port),
                Manifest.secret("gateway", try clients.issue(dnsNames: ["postgres"])),
                Manifest.secret("db", try servers.issue(dnsNames: ["db.example.com"])),
                Manifest.authority("ca", servers.pem),
                Manifest.backendTLS("db", authority: "ca", hostname: "pg.internal"),
                BackendGreetingTests.policy("db", "startTLS: {protocol: Postgres}"),
                clientHasTLS
                    ? """
                    apiVersion: sluice.dev/v1alpha1
                    kind: ClientPolicy
                    metadata: {name: edge}
                    spec:
                      targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]
                      startTLS: {protocol: Postgres}
                    ---

                    """ : "")
            let files = try TemporaryDirectory()
            let trust = try files.write(servers.pem, to: "ca.crt")
            let query = "select version || ' ' || client_dn from pg_stat_ssl where pid = pg_backend_pid()"
            let result = try run([
                try Installation.program("psql"), "-XAtc", query,
                "host=db.example.com hostaddr=127.0.0.1 port=\(port) user=postgres dbname=postgres connect_timeout=10 "
                    + (clientHasTLS ? "sslmode=verify-full sslrootcert=\(trust)" : "sslmode=disable"),
            ])
            #expect(try result.checked() == "TLSv1.3 /CN=postgres\n")
            try sluice.waitForMetrics("one connection") {
                $0.sum("sluice_backend_connects_total", ["backend": "db", "result": "ok"]) == 1
                    && $0.sum("sluice_backend_connects_total", ["result": "tls_error"]) == 0
            }
            try sluice.stop()
        }
    }
}
