internal import Glibc
internal import TestSupport
internal import Testing

extension Process {
    @Suite("probes, metrics and /config", .timeLimit(.minutes(2)))
    struct ProbesTests {
        @Test("promtool accepts /metrics, and the counts are those of what the test did")
        func metrics() throws {
            let authority = try TestPKI.makeCA()
            let certificate = try authority.issue(dnsNames: ["app.example.com"])
            let echo = try EchoBackend("echo")
            let (plain, tls, unused) = (try Ports.free(), try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.gateway([
                    .init(name: "plain", port: plain),
                    .init(name: "tls", port: tls, mode: .terminate, certificates: ["app"]),
                    .init(name: "unrouted", port: unused),
                ]),
                Manifest.secret("app", certificate), Manifest.tcpRoute("plain", to: "echo", section: "plain"),
                Manifest.tlsRoute("app", to: "echo", hostnames: ["app.example.com"], section: "tls"),
                Manifest.service("echo", at: echo.port))

            var greetings = 0
            for number in 1...5 {
                let client = try PlainClient(port: plain)
                greetings += try client.receiveLine().utf8.count + 1
                try client.exchange(testBytes(number * 1000))
                try client.halfClose()
                #expect(try client.receiveAll().isEmpty)
            }
            for _ in 1...3 {
                let options = TLSClientOptions(serverName: "app.example.com", trust: authority.pem)
                let client = try TLSTestClient(port: tls, options)
                _ = try client.receiveLine()
                try client.exchange("over TLS")
                try client.finish()
                #expect(try client.waitForEnd() == .closeNotify)
            }
            #expect(throws: StreamError.alert(.unrecognizedName)) {
                try TLSTestClient(port: tls, TLSClientOptions(serverName: "other.example.com"))
            }
            try expectReset(port: unused)
            let open = try PlainClient(port: plain)
            _ = try open.receiveLine()

            let route = ["gateway_namespace": "default", "gateway": "gw", "route": "plain", "port": "\(plain)"]
            try sluice.waitForMetrics("8 closes") { $0.sum("sluice_tcp_connections_closed_total") == 8 }
            let metrics = try sluice.metrics()
            func count(_ name: String, _ labels: [String: String]) -> Double { metrics.sum(name, labels) }
            #expect(count("sluice_listener_connections_accepted_total", ["listener": "plain"]) == 6)
            #expect(count("sluice_listener_connections_active", ["listener": "plain"]) == 1)
            #expect(count("sluice_tcp_connections_opened_total", route) == 6)
            #expect(count("sluice_tcp_connections_active", route) == 1)
            #expect(count("sluice_tcp_connections_closed_total", route) == 5)
            #expect(
                count("sluice_tcp_connections_closed_total", ["reason": "client_closed", "side": "client"]) == 8)
            #expect(count("sluice_tcp_bytes_total", route.merging(["direction": "request"]) { $1 }) == 15000)
            let response = count("sluice_tcp_bytes_total", route.merging(["direction": "response"]) { $1 })
            #expect(response >= Double(15000 + greetings), "the greeting of the open connection comes on top")
            #expect(count("sluice_tls_handshakes_total", ["result": "ok", "mode": "terminate"]) == 3)
            #expect(
                count("sluice_listener_connections_rejected_total", ["listener": "tls", "reason": "tls_no_sni_match"])
                    == 1)
            #expect(
                count("sluice_listener_connections_rejected_total", ["listener": "unrouted", "reason": "no_route"]) == 1
            )
            #expect(count("sluice_backend_connects_total", ["backend": "echo", "result": "ok"]) == 9)
            #expect(count("sluice_backend_connect_duration_seconds_count", ["backend": "echo"]) == 9)
            #expect(count("sluice_config_generation", [:]) >= 1)
            #expect(count("sluice_build_info", [:]) == 1)
            #expect(count("process_resident_memory_bytes", [:]) > 1e6)

            let files = try TemporaryDirectory()
            let file = try files.write(try sluice.probe("/metrics").body, to: "metrics")
            let promtool = try Installation.program("promtool")
            let verdict = try run(["sh", "-c", "\"$1\" check metrics < \"$2\"", "sh", promtool, file])
            #expect(verdict.succeeded, "\(verdict.output)\(verdict.errors)")
            open.close()
            try sluice.stop()
        }

        @Test("/readyz and /livez answer; /config shows what runs, and no key")
        func readiness() throws {
            let authority = try TestPKI.makeCA()
            let certificate = try authority.issue(dnsNames: ["app.example.com"])
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "tls", port: port, mode: .terminate, certificates: ["app"])]),
                Manifest.secret("app", certificate),
                Manifest.tlsRoute("app", to: "echo", hostnames: ["app.example.com"], section: "tls"),
                Manifest.service("echo", at: 9))
            let ready = try sluice.probe("/readyz")
            #expect(ready.body == "{\"ready\":true}\n")
            #expect(try sluice.probe("/livez").status == 200)
            #expect(try sluice.probe("/nothing").status == 404)
            #expect(try sluice.probe("/config").status == 404, "the probe port shows nothing else")

            let config = try sluice.config()
            #expect(config.status == 200)
            for part in [
                "app.example.com", "127.0.0.1:\(port)", "TLSRoute default/app", "ECDSA P-256", certificate.fingerprint,
            ] {
                #expect(config.body.contains(part), "no '\(part)' in \(config.body)")
            }
            let key = certificate.privateKeyPEM.split(separator: "\n")[1]
            #expect(!config.body.contains("PRIVATE KEY") && !config.body.contains(key))
            #expect(!sluice.program.errors.contains(key))
            try sluice.stop()
        }
    }
}
