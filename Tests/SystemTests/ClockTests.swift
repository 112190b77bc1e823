internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    /// What becomes of sessions and checks where time has passed without the process.
    @Suite("clocks that jump", .timeLimit(.minutes(2)))
    struct ClockTests {
        private func policies(idle: String) -> String {
            """
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
                + Manifest.service("echo", at: echo.port) + policies(idle: idle)
        }

        /// Whether each of its threads is.
        private func isStopped(_ process: Int32) throws -> Bool {
            try listDirectory("/proc/\(process)/task").allSatisfy { thread in
                let status = String(decoding: try readFile("/proc/\(process)/task/\(thread)/stat"), as: UTF8.self)
                return status.split(separator: ")").last?.hasPrefix(" T") == true
            }
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
            sluice.program.signal(SIGSTOP)
            #expect(try waitUntil { try isStopped(sluice.program.identifier) })
            let end = MonotonicTime.now() + .seconds(6)
            for client in clients { try client.send("while it was stopped") }
            let late = try PlainClient(port: plain)
            #expect(waitUntil(deadline: .seconds(20)) { MonotonicTime.now() >= end })
            sluice.program.signal(SIGCONT)

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
    }
}
