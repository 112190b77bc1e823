internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("health checks", .timeLimit(.minutes(2)))
    struct HealthCheckTests {
        /// Redis' operators' check for the master.
        private func policy(_ service: String, role: String = "master", extra: String = "") -> String {
            """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: \(service)}
            spec:
              targetRefs: [{group: "", kind: Service, name: \(service)}]
              healthCheck:
                active:
                  type: TCP
                  timeout: 2s
                  interval: 3s
                  initialJitter: 0s
                  \(extra)
                  tcp:
                    steps:
                    - send: {type: Text, text: "PING\\r\\n"}
                    - expect: {type: Text, text: "+PONG"}
                    - send: {type: Text, text: "info replication\\r\\n"}
                    - expect: {type: Regex, regex: "role:\(role)\\\\r"}
            ---

            """
        }

        private func manifests(_ listener: UInt16, backend: UInt16, _ policy: String) -> String {
            Manifest.gateway([.init(name: "redis", port: listener)], address: "127.0.0.1")
                + Manifest.tcpRoute("redis", to: "redis", section: "redis") + Manifest.service("redis", at: backend)
                + policy
        }

        @Test("/readyz waits for the first round of checks, and an endpoint that fails it does not hold it up for ever")
        func readiness() throws {
            // Takes connections and never says a word.
            let silent = try PlainServer()
            let port = try Ports.free()
            let sluice = try Sluice(manifests(port, backend: silent.port, policy("redis")))
            _ = try sluice.program.wait(for: "the reason", within: .seconds(10)) {
                (try? sluice.probe("/readyz"))?.body.contains("first health check") == true ? true : nil
            }
            #expect(try sluice.probe("/readyz").status == 503)
            try sluice.waitUntilReady()
            let labels = ["backend": "redis", "state": "unhealthy"]
            #expect(try sluice.metrics().value("sluice_backend_endpoints", labels) == 1)
            #expect(sluice.logLine(["endpoint is unhealthy", "step 2", "+PONG"]) != nil)
            try sluice.stop()
        }

        @Test("Redis is asked for its role")
        func redis() throws {
            let redis = try Redis()
            let port = try Ports.free()
            let sluice = try Sluice.ready(manifests(port, backend: redis.port, policy("redis")))
            #expect(try Redis.command(["PING"], at: port) == "PONG")
            let labels = ["backend": "redis", "state": "healthy"]
            #expect(try sluice.metrics().value("sluice_backend_endpoints", labels) == 1)
            try sluice.stop()
        }

        private func probe(_ folder: String, _ more: String...) throws -> CommandResult {
            try run([try Installation.sluice(), "probe", "-f", folder] + more)
        }

        @Test("probe shows each step, and says by its exit code whether all passed")
        func probe() throws {
            let redis = try Redis()
            let folder = try TemporaryDirectory()
            try folder.write(manifests(try Ports.free(), backend: redis.port, policy("redis")), to: "main.yaml")
            let passed = try probe(folder.path, "default/redis")
            #expect(passed.ending == .exited(code: 0), "\(passed.output)\(passed.errors)")
            #expect(passed.output.contains("✓ 127.0.0.1:\(redis.port)"))
            #expect(passed.output.contains(#"✓ send "PING\r\n""#), "\(passed.output)")
            #expect(passed.output.contains(#"received "+PONG""#))
            #expect(passed.output.hasSuffix("1 passed\n"))

            try folder.write(
                manifests(try Ports.free(), backend: redis.port, policy("redis", role: "slave")), to: "main.yaml")
            let failed = try probe(folder.path, "service/default/redis:1", "-o", "json")
            #expect(failed.ending == .exited(code: 1))
            #expect(failed.output.contains(#""passed" : false"#), "\(failed.output)")
            #expect(failed.output.contains("role:master"))
        }

        @Test("probe says what there is where the backend is not")
        func absent() throws {
            let folder = try TemporaryDirectory()
            try folder.write(manifests(try Ports.free(), backend: 1, ""), to: "main.yaml")
            let result = try probe(folder.path, "default/other")
            #expect(result.ending == .exited(code: 1))
            #expect(result.errors.contains("no route leads to default/other"), "\(result.errors)")
            #expect(result.errors.contains("Service default/redis:1"))
            let wrong = try probe(folder.path, "redis")
            #expect(wrong.ending == .exited(code: 2))
        }
    }
}
