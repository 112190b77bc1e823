internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    @Suite("session tickets of replicas", .timeLimit(.minutes(3)))
    struct TicketTests {
        @Test(
            "a client that comes back to another replica resumes, with the rights of the manifests",
            arguments: ["1_2", "1_3"])
        func resumption(version: String) throws {
            let installation = try TestInstallation()
            let files = try TemporaryDirectory()
            let backend = try EchoBackend("echo")
            let name = "db.example.com"
            try installation.serveTLS(name, with: try TestPKI.makeCA().issue(dnsNames: [name]), by: backend)
            let first = try installation.replica("sluice-a", environment: ServedCluster.environment)
            try first.waitUntilReady()
            let port = try installation.waitForPort(of: "echo", by: first)
            try first.waitForMetrics("keys that may seal", within: .seconds(80)) {
                $0.sum("sluice_tls_ticket_key_age_seconds", ["source": "shared"]) >= 0
                    && $0.sum("sluice_tls_ticket_keys_rotated_timestamp_seconds") > 0
            }
            let session = "\(files.path)/session"
            let flags = ["-tls\(version)", "-servername", name]
            _ = try first.program.wait(for: "a session in tickets") { () -> Bool? in
                let client = try SClient(port: port, flags + ["-sess_out", session])
                return try SClient(port: port, flags + ["-sess_in", session]).isReused && !client.isReused ? true : nil
            }
            _ = try SClient(port: port, flags + ["-sess_out", session])
            try first.stop()

            let second = try installation.replica("sluice-b", environment: ServedCluster.environment)
            try second.waitUntilReady()
            try second.waitForMetrics("the same keys") {
                $0.sum("sluice_tls_ticket_keys_rotated_timestamp_seconds") > 0
            }
            let back = try second.program.wait(for: "a listener") { () -> SClient? in
                let client = try SClient(port: port, flags + ["-sess_in", session])
                return client.subject == name ? client : nil
            }
            #expect(back.isReused, "\(back.output)")
            let path = "{.data.current} {.data.next}"
            let keys = try installation.kubectl.value(
                path, of: "secret", "sluice.dev-gateway-controller-ticket-keys", "-n", "sluice-system")
            #expect(keys.split(separator: " ").count == 2)
            let configuration = try second.config().body
            for key in keys.split(separator: " ") {
                let text = String(key.prefix(40))
                #expect(!configuration.contains(text) && first.logLine([text]) == nil && second.logLine([text]) == nil)
            }
            #expect(first.logLine(["forbidden"]) == nil && second.logLine(["forbidden"]) == nil)
            try second.stop()
        }
    }
}
