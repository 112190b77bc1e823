internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    /// What becomes of sessions and checks where time has passed without the process.
    @Suite("clocks that jump", .timeLimit(.minutes(2)))
    struct ClockTests {
        private static let checked = """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: checked}
            spec:
              targetRefs: [{group: "", kind: Service, name: echo}]
              healthCheck:
                active:
                  type: TCP
                  timeout: 2s
                  interval: 2s
                  initialJitter: 0s
                  unhealthyThreshold: 1
            ---

            """

        private func policy(idle: String) -> String {
            """
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: idle}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]
              timeout: {tcp: {idleTimeout: \(idle)}}
            ---

            """
        }

        private func manifests(
            _ echo: EchoBackend, _ plain: UInt16, _ tls: UInt16, _ certificate: TestCertificate, idle: String
        ) -> String {
            Manifest.gateway([
                .init(name: "plain", port: plain),
                .init(name: "tls", port: tls, mode: .terminate, certificates: ["app"]),
            ])
                + Manifest.secret("app", certificate) + Manifest.tcpRoute("plain", to: "echo", section: "plain")
                + Manifest.tlsRoute("app", to: "echo", hostnames: ["app.example.com"], section: "tls")
                + Manifest.service("echo", at: echo.port) + ClockTests.checked + policy(idle: idle)
        }

        /// Whether each of its threads is.
        private func isStopped(_ process: Int32) throws -> Bool {
            try listDirectory("/proc/\(process)/task").allSatisfy { thread in
                let status = String(decoding: try readFile("/proc/\(process)/task/\(thread)/stat"), as: UTF8.self)
                return status.split(separator: ")").last?.hasPrefix(" T") == true
            }
        }

        /// Stops the process, does the work, and lets it go on after so long.
        private func stop(_ sluice: Sluice, for time: Duration, during work: () throws -> Void) throws {
            sluice.program.signal(SIGSTOP)
            defer { sluice.program.signal(SIGCONT) }
            #expect(try waitUntil { try isStopped(sluice.program.identifier) })
            let end = MonotonicTime.now() + time
            try work()
            #expect(waitUntil(deadline: time + .seconds(14)) { MonotonicTime.now() >= end })
        }

        /// Stopped while it sleeps, or while it wakes: then the turn that goes on afterwards has the events of before.
        @Test(
            "a process that is stopped for longer than its timeouts: what has come meanwhile is in time",
            arguments: [true, false])
        func stopped(isAsleep: Bool) throws {
            let authority = try TestPKI.makeCA()
            let echo = try EchoBackend("echo")
            let (plain, tls) = (try Ports.free(), try Ports.free())
            let certificate = try authority.issue(dnsNames: ["app.example.com"])
            let sluice = try Sluice.ready(manifests(echo, plain, tls, certificate, idle: "4s"))
            let clients = try (0..<50).map { _ in try PlainClient(port: plain) }
            for client in clients { _ = try client.receiveLine() }
            let silent = try PlainClient(port: plain)
            _ = try silent.receiveLine()

            // Who is idle for that long is not spared; perhaps nor is the one whose bytes wake the process as it is stopped.
            if !isAsleep { try silent.send("while it is being stopped") }
            var newcomer: PlainClient?
            try stop(sluice, for: .seconds(6)) {
                for client in clients { try client.send("while it was stopped") }
                newcomer = try PlainClient(port: plain)
            }
            let late = try #require(newcomer)

            for client in clients {
                #expect(try client.receive(exactly: 20) == Array("while it was stopped".utf8))
                try client.exchange("and after")
            }
            _ = try late.receiveLine()
            if isAsleep { #expect(try silent.waitForEnd() == .fin) }
            let metrics = try sluice.metrics()
            #expect(metrics.sum("sluice_backend_health_checks_total", ["result": "failure"]) == 0)
            #expect(metrics.sum("sluice_backend_health_transitions_total") == 0)
            let idle = metrics.sum("sluice_tcp_connections_closed_total", ["reason": "idle_timeout"])
            #expect(isAsleep ? idle == 1 : idle <= 1)
            #expect(metrics.sum("sluice_tcp_connections_closed_total") == idle)
            try sluice.stop()
        }

        /// Backends have said nothing, so that the bytes wait for the share of a turn that new sessions have. The turns that only
        /// look do not serve so many.
        @Test("bytes that came in time and wait in a line until the timers may expire keep their session")
        func inLine() throws {
            let server = try PlainServer()
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "plain", port: port)])
                    + Manifest.tcpRoute("plain", to: "silent", section: "plain")
                    + Manifest.service("silent", at: server.port) + policy(idle: "3s"),
                flags: ["--workers", "1"])
            let sessions = try (0..<200).map { index in
                let client = try PlainClient(port: port)
                let peer = try server.accept()
                try client.send("hello \(index)\n")
                #expect(try peer.receiveLine() == "hello \(index)")
                return (client, peer)
            }
            let bytes = testBytes(12 << 10)
            try stop(sluice, for: .seconds(4)) {
                for (client, _) in sessions { try client.send(bytes) }
            }
            for (_, peer) in sessions { #expect(try peer.receive(exactly: bytes.count) == bytes) }
            let metrics = try sluice.metrics()
            #expect(metrics.sum("sluice_tcp_connections_closed_total") == 0)
            #expect(metrics.sum("sluice_tcp_connections_active") == Double(sessions.count))
            for (client, peer) in sessions {
                client.close()
                peer.close()
            }
            try sluice.stop()
        }
    }
}
