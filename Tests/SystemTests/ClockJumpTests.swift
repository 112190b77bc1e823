internal import FoundationEssentials
internal import Glibc
internal import KubernetesAPI
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    /// What becomes of sessions, timers and certificates where the wall clock is set while the process runs.
    @Suite("the wall clock is set", .timeLimit(.minutes(2)))
    struct ClockJumpTests {
        private let clock: ShiftedClock
        private let echo: EchoBackend
        private let ports: [UInt16]
        private let authority: TestCA
        private let certificate: TestCertificate

        init() throws {
            (clock, echo, authority) = (try ShiftedClock(), try EchoBackend("echo"), try TestPKI.makeCA())
            ports = try (0..<5).map { _ in try Ports.free() }
            certificate = try authority.issue(dnsNames: ["app.example.com"])
        }

        private var plain: UInt16 { ports[0] }
        private var tls: UInt16 { ports[1] }
        private var brief: UInt16 { ports[2] }
        private var limited: UInt16 { ports[3] }
        private var mutual: UInt16 { ports[4] }

        private static let policies = """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: checked}
            spec:
              targetRefs: [{group: "", kind: Service, name: echo}]
              healthCheck: {active: {type: TCP, timeout: 2s, interval: 200ms, initialJitter: 0s, unhealthyThreshold: 1}}
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: brief}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw, sectionName: brief}]
              timeout: {tcp: {idleTimeout: 1s}}
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: limited}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw, sectionName: limited}]
              connectionRateLimit: {connections: 1, unit: Hour}
            ---

            """

        private static let revocation = """
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: revocation}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: guarded}]
              tls: {clientValidation: {crlRefs: [{name: revoked, key: ca.crl}]}}
            ---

            """

        private var manifests: String {
            Manifest.gateway([
                .init(name: "plain", port: plain),
                .init(name: "tls", port: tls, mode: .terminate, certificates: ["app"]),
                .init(name: "brief", port: brief), .init(name: "limited", port: limited),
            ])
                + """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: guarded}
                spec:
                  gatewayClassName: sluice
                  addresses: [{type: IPAddress, value: 127.0.0.1}]
                  listeners:
                  - {name: mutual, protocol: TLS, port: \(mutual), tls: {mode: Terminate, certificateRefs: [{name: app}]}}
                  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}}
                ---

                """
                + Manifest.secret("app", certificate) + Manifest.authority("ca", authority.pem)
                + ["plain", "brief", "limited"].map { Manifest.tcpRoute($0, to: "echo", section: $0) }.joined()
                + Manifest.tlsRoute("app", to: "echo", hostnames: ["app.example.com"], section: "tls")
                + Manifest.tlsRoute(
                    "mutual", to: "echo", hostnames: ["app.example.com"], section: "mutual", gateway: "guarded")
                + Manifest.service("echo", at: echo.port) + ClockJumpTests.policies
        }

        private func options(_ change: (inout TLSClientOptions) -> Void = { _ in }) -> TLSClientOptions {
            var options = TLSClientOptions(serverName: "app.example.com", trust: authority.pem)
            change(&options)
            return options
        }

        private struct Line: Decodable {
            var start_time: String
            var duration_ms: Double
            var close_reason: String?
            var listener: String
            /// Seconds since 1970.
            var started: Double { Timestamp(start_time).map { Double($0.seconds) } ?? .nan }
        }

        private func lines(_ sluice: Sluice) throws -> [Line] {
            try sluice.program.output.split(separator: "\n").map {
                try JSONDecoder().decode(Line.self, from: Data($0.utf8))
            }
        }

        private struct Status: Decodable {
            var time: Int64
            var startedAt: Int64
        }

        /// Processor time that the process took while `work` ran for so long.
        private func used(by sluice: Sluice, during time: Duration) throws -> Duration {
            func ticks() throws -> Int {
                let text = String(decoding: try readFile("/proc/\(sluice.program.identifier)/stat"), as: UTF8.self)
                let fields = text.split(separator: ")").last?.split(separator: " ").compactMap { Int($0) } ?? []
                guard fields.count > 11 else { throw TestFailure("no times: \(text)") }
                return fields[10] + fields[11]
            }
            let (before, end) = (try ticks(), MonotonicTime.now() + time)
            #expect(waitUntil(deadline: time + .seconds(5)) { MonotonicTime.now() >= end })
            return .seconds(1) * Double(try ticks() - before) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }

        @Test("sessions, timers, checks, rates and tickets go on, the log tells the new time, and nothing spins")
        func jumps() throws {
            let sluice = try Sluice(manifests, wrapper: clock.wrapper)
            try sluice.waitUntilReady()
            let clients: [any TestStream] =
                try (0..<20).map { _ in try PlainClient(port: plain) }
                + (0..<5).map { _ in try TLSTestConnection(port: tls, options()) }
            for client in clients { _ = try client.receiveLine() }
            let first = try PlainClient(port: limited)
            _ = try first.receiveLine()
            let visit = try TLSTestConnection(port: tls, options())
            _ = try visit.receiveLine()
            let session = visit.session
            try visit.finish()

            for (round, shift) in [Duration.days(1), .days(-1), .days(3653), .zero].enumerated() {
                let idle = try PlainClient(port: brief)
                _ = try idle.receiveLine()
                let begun = MonotonicTime.now()
                try clock.set(off: shift)
                let wall = Double(clock.now(off: shift) / 1_000_000_000)

                // What goes by intervals, not by dates.
                try idle.exchange("not idle yet")
                for (index, client) in clients.enumerated() { try client.exchange("\(index) at \(shift)") }
                try expectReset(port: limited)
                let checks = try sluice.metrics().sum("sluice_backend_health_checks_total", ["result": "success"])
                #expect(try idle.waitForEnd() == .fin)
                let lasted = MonotonicTime.now() - begun
                // Workers count whole milliseconds from their turn's begin.
                #expect(lasted >= .milliseconds(990), "\(shift): idle for \(lasted)")
                try sluice.waitForMetrics("checks at \(shift)") {
                    $0.sum("sluice_backend_health_checks_total", ["result": "success"]) > checks + 3
                }
                #expect(try Greeting.receive(from: try PlainClient(port: plain)).backend == "echo")

                // A ticket has a date: it ends early or late, and a handshake succeeds without it.
                let again = try TLSTestConnection(port: tls, options { $0.session = session })
                #expect(try Greeting.receive(from: again).backend == "echo")
                if shift > .days(1) { #expect(!again.isResumed, "\(shift)") }
                if shift == .zero { #expect(again.isResumed, "\(shift)") }

                // What shows dates shows the new ones.
                try sluice.waitForMetrics("the end of round \(round)") {
                    $0.sum("sluice_tcp_connections_closed_total", ["reason": "idle_timeout"]) == Double(round + 1)
                }
                let line = try sluice.program.wait(for: "the line of round \(round)") {
                    let ends = try lines(sluice).filter { $0.close_reason == "idle_timeout" }
                    return ends.count == round + 1 ? ends.last : nil
                }
                #expect(abs(line.started - wall) < 30, "\(shift): \(line)")
                #expect(line.duration_ms >= 1000 && line.duration_ms < 30_000, "\(shift): \(line)")
                let answer = try sluice.fetch("/status", from: sluice.admin).body
                let status = try JSONDecoder().decode(Status.self, from: Data(answer.utf8))
                #expect(abs(Double(status.time) / 1000 - wall) < 60, "\(shift): \(status)")
                let up = status.time / 1000 - status.startedAt
                #expect((0..<300).contains(up), "\(shift): up for \(up) s")
                #expect(try sluice.probe("/readyz").status == 200)
                #expect(try sluice.metrics().samples.filter { $0.value < 0 }.map(\.name) == [])
                // A thread that spins takes all of it.
                #expect(try used(by: sluice, during: .milliseconds(500)) < .milliseconds(200), "\(shift)")
            }
            let metrics = try sluice.metrics()
            #expect(metrics.sum("sluice_backend_health_checks_total", ["result": "failure"]) == 0)
            #expect(metrics.sum("sluice_backend_health_transitions_total") == 0)
            #expect(metrics.sum("sluice_config_sessions_disrupted_total") == 0)
            // The greeted ones of the rounds have gone by themselves.
            #expect(metrics.sum("sluice_tcp_connections_active") >= Double(clients.count + 1))
            try first.exchange("to the end")
            first.close()
            for client in clients { client.close() }
            try sluice.stop()
        }

        @Test("certificates are judged by the new time, and by the old one again, though nothing else changes")
        func certificates() throws {
            let secure = try EchoBackend("secure", certificate: try authority.issue(dnsNames: ["secure.internal"]))
            let port = try Ports.free()
            let sluice = try Sluice(
                manifests + Manifest.gateway([.init(name: "db", port: port)], name: "edge")
                    + Manifest.tcpRoute("db", to: "secure", section: "db", gateway: "edge")
                    + Manifest.service("secure", at: secure.port)
                    + Manifest.backendTLS("secure", authority: "ca", hostname: "secure.internal")
                    + Manifest.authority("revoked", try authority.revocationList(nextUpdate: 3600).pem, key: "ca.crl")
                    + ClockJumpTests.revocation,
                wrapper: clock.wrapper)
            try sluice.waitUntilReady()
            let own = try authority.issue(dnsNames: ["client"])
            func greeting(with certificate: TestCertificate) throws -> (TLSTestConnection, Greeting) {
                let client = try TLSTestConnection(port: mutual, options { $0.certificate = certificate })
                return (client, try Greeting.receive(from: client))
            }
            func waitForStatus(_ words: String, isThere: Bool = true) throws {
                let what = "\(isThere ? "" : "no ")'\(words)' in the status"
                _ = try sluice.program.wait(for: what, within: .seconds(25)) {
                    try sluice.fetch("/status", from: sluice.admin).body.contains(words) == isThere ? true : nil
                }
            }
            let (established, _) = try greeting(with: own)
            let behind = try PlainClient(port: port)
            #expect(try Greeting.receive(from: behind).backend == "secure")

            // Of all that has an end the list of revoked certificates is the first.
            try clock.set(off: .seconds(7200))
            #expect(throws: (any Error).self, "a list that has run out") { try greeting(with: own) }
            try sluice.waitForMetrics("the refusal by the list") {
                $0.sum("sluice_tls_handshakes_total", ["result": "client_crl_expired"]) == 1
            }
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "secure")
            try established.exchange("by then")
            try clock.set(off: .zero)
            #expect(try greeting(with: own).1.backend == "echo")

            for (shift, words) in [(Duration.days(2), "the certificate has expired"), (.days(-2), nil)] {
                try clock.set(off: shift)
                #expect(throws: (any Error).self, "a client's certificate, \(shift)") { try greeting(with: own) }
                #expect(throws: (any Error).self, "a backend's certificate, \(shift)") {
                    try Greeting.receive(from: try PlainClient(port: port))
                }
                // Its own it serves on: who judges it is the client.
                let client = try TLSTestConnection(port: tls, options())
                #expect(try Greeting.receive(from: client).backend == "echo")
                // Nobody is told at once: the clock is looked at every few seconds.
                if let words { try waitForStatus(words) }
                try established.exchange("by then")
                try behind.exchange("by then")

                try clock.set(off: .zero)
                #expect(try greeting(with: own).1.backend == "echo")
                #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "secure")
                if let words { try waitForStatus(words, isThere: false) }
            }
            let metrics = try sluice.metrics()
            #expect(metrics.sum("sluice_config_sessions_disrupted_total") == 0)
            try established.exchange("to the end")
            established.close()
            behind.close()
            try sluice.stop()
        }

        @Test("a drain lasts as long as it is told", arguments: [1, -1, 3653])
        func drain(days: Int) throws {
            let sluice = try Sluice(
                manifests, flags: ["--accept-grace", "500ms", "--drain-deadline", "2s"], wrapper: clock.wrapper)
            try sluice.waitUntilReady()
            let client = try PlainClient(port: plain)
            _ = try client.receiveLine()
            let begun = MonotonicTime.now()
            sluice.program.signal(SIGTERM)
            try sluice.waitForLog("SIGTERM")
            try clock.set(off: .days(days))
            try client.exchange("during the drain")
            #expect(try sluice.program.waitForEnd(within: .seconds(20)) == .exited(code: 0))
            let lasted = MonotonicTime.now() - begun
            #expect(lasted >= .milliseconds(1990), "\(lasted)")
        }
    }
}
