internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

/// The attackers of trials/hostile, each once and in a small way: what they are ended by, not how long others wait.
extension Process {
    @Suite("Hostile clients", .timeLimit(.minutes(2)))
    struct HostileClientTests {
        private static let name = "echo.bench.test"

        /// What one attacker does, and by what reason all of its connections end.
        struct Attack {
            var name: String
            var listener: String
            var reason: String
            var flags: [String]

            init(
                name: String, listener: String, reason: String,
                flags: [String] = ["--at-once", "10", "--in-all", "20", "--seconds", "20"]
            ) {
                (self.name, self.listener, self.reason, self.flags) = (name, listener, reason, flags)
            }

            static func flood(_ name: String, ends reason: String = "tls_error") -> Attack {
                Attack(
                    name: name, listener: "tls", reason: reason,
                    flags: ["--at-once", "2", "--records", "1000", "--once"])
            }
        }

        private static let attacks = [
            Attack(name: "silent", listener: "tls", reason: "inspection_timeout"),
            Attack(name: "half-header", listener: "proxy", reason: "proxy_protocol_timeout"),
            Attack(name: "half-request", listener: "postgres", reason: "inspection_timeout"),
            Attack(name: "requested-half-hello", listener: "postgres", reason: "inspection_timeout"),
            Attack(name: "half-hello", listener: "tls", reason: "inspection_timeout"),
            Attack(name: "byte-by-byte", listener: "tls", reason: "inspection_timeout"),
            Attack(name: "half-handshake", listener: "tls", reason: "tls_handshake_timeout"),
            Attack(name: "half-handshake-12", listener: "tls", reason: "tls_handshake_timeout"),
            Attack(name: "half-handshake-unread", listener: "tls", reason: "tls_handshake_timeout"),
            Attack(name: "tiny-hello-records", listener: "tls", reason: "tls_handshake_timeout"),
            Attack(name: "half-ticket", listener: "tls", reason: "tls_handshake_timeout"),
            Attack(name: "early-data", listener: "tls", reason: "tls_error"),
            Attack(name: "oversized-hello", listener: "tls", reason: "client_hello_too_large"),
            Attack(name: "oversized-name", listener: "tls", reason: "tls_no_sni_match"),
            Attack(name: "oversized-header", listener: "proxy", reason: "proxy_protocol_malformed"),
            Attack(name: "endless-line", listener: "proxy", reason: "proxy_protocol_malformed"),
            Attack(name: "oversized-start", listener: "postgres", reason: "starttls_error"),
            Attack(name: "garbage", listener: "tls", reason: "not_tls"),
            .flood("renegotiation"), .flood("key-updates"), .flood("key-updates-asking"),
            .flood("key-updates-and-bytes"),
            .flood("empty-records"), .flood("empty-records-12"),
            .flood("alerts"), .flood("alerts-12"),
            .flood("tiny-records", ends: "tls_truncated"), .flood("tiny-records-12", ends: "tls_truncated"),
        ]

        private let ports: [String: UInt16]
        private let sluice: Sluice
        private let echo: EchoBackend

        init() throws {
            let ports = try ["tls": Ports.free(), "postgres": Ports.free(), "proxy": Ports.free()]
            (self.ports, echo) = (ports, try EchoBackend("echo"))
            let listeners = ports.sorted { $0.key < $1.key }.map { name, port in
                name == "proxy"
                    ? Manifest.Listener(name: name, port: port)
                    : Manifest.Listener(name: name, port: port, mode: .terminate, certificates: ["server"])
            }
            let certificate = try TestPKI.makeCA().issue(dnsNames: [HostileClientTests.name])
            let times = "timeout: {tcp: {connectionInspectionTimeout: 300ms, tlsHandshakeTimeout: 600ms}}"
            sluice = try Sluice.ready(
                Manifest.gateway(listeners), Manifest.secret("server", certificate),
                Manifest.service("b", at: echo.port), Manifest.tcpRoute("proxy", to: "b", section: "proxy"),
                Manifest.tlsRoute("tls", to: "b", hostnames: [HostileClientTests.name], section: "tls"),
                Manifest.tlsRoute("postgres", to: "b", hostnames: [HostileClientTests.name], section: "postgres"),
                HostileClientTests.policy("tls", times),
                HostileClientTests.policy("postgres", times + "\n  startTLS: {protocol: Postgres}"),
                HostileClientTests.policy(
                    "proxy", "proxyProtocol: {trustedCIDRs: [127.0.0.0/8], headerTimeout: 300ms}"))
        }

        private static func policy(_ listener: String, _ fields: String) -> String {
            """
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: \(listener)}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw, sectionName: \(listener)}]
              \(fields)
            ---

            """
        }

        /// Closes and refusals so far, by reason.
        private func reasons() throws -> [String: Double] {
            let metrics = try sluice.metrics()
            let names = ["sluice_tcp_connections_closed_total", "sluice_listener_connections_rejected_total"]
            return metrics.samples.reduce(into: [:]) { found, sample in
                guard names.contains(sample.name), let reason = sample.labels["reason"] else { return }
                found[reason, default: 0] += sample.value
            }
        }

        private func launch(_ attack: Attack) throws -> Program {
            let target = "127.0.0.1:\(ports[attack.listener] ?? 0)"
            let command = [try Installation.python(), "-B", "-m", "trials.hostile.attacker", attack.name]
            return try Program(
                attack.name, command + ["--to", target] + attack.flags,
                environment: ["PYTHONPATH": Installation.root])
        }

        private func begun(_ program: Program) throws -> Int {
            struct Report: Decodable { var begun: Int }
            guard try program.waitForEnd(within: .seconds(40)) == .exited(code: 0) else {
                throw TestFailure("\(program.name): \(program.errors)")
            }
            let line = program.output.split(separator: "\n").last ?? ""
            return try JSONDecoder().decode(Report.self, from: Data(line.utf8)).begun
        }

        @Test("each is ended by the reason that fits, counted once; those inside are served, and so are newcomers")
        func attacks() throws {
            let options = TLSClientOptions(serverName: HostileClientTests.name)
            let port = try #require(ports["tls"])
            let inside = try TLSTestClient(port: port, options)
            _ = try inside.receiveLine()
            // Those that differ by their reason may be under way together: each is a process that mostly waits.
            var left = HostileClientTests.attacks
            while !left.isEmpty {
                var together: [Attack] = []
                for attack in left where together.allSatisfy({ $0.reason != attack.reason }) {
                    together.append(attack)
                }
                left.removeAll { attack in together.contains { $0.name == attack.name } }
                try run(together, beside: inside)
            }
            #expect(try Greeting.receive(from: try TLSTestClient(port: port, options)).backend == "echo")
            inside.close()
            try sluice.stop()
        }

        private func run(_ attacks: [Attack], beside inside: TLSTestClient) throws {
            let before = try reasons()
            func grown() throws -> [String: Double] {
                try reasons().merging(before, uniquingKeysWith: -).filter { $0.value != 0 }
            }
            func count(_ attack: Attack) throws -> Double {
                try grown()[attack.reason] ?? 0
            }
            let programs = try attacks.map(launch)
            try inside.exchange("beside \(attacks.map(\.name))")
            for (attack, program) in zip(attacks, programs) {
                let expected = Double(try begun(program))
                #expect(expected > 0, "\(attack.name) was not there at all")
                let counted = waitUntil(deadline: .seconds(5)) { (try? count(attack)) == expected }
                let ends = try grown()
                #expect(counted, "\(attack.name): \(expected) have ended as \(ends), \(program.output)")
            }
            // And nothing else was counted.
            let ends = try grown()
            #expect(Set(attacks.map(\.reason)).isSuperset(of: ends.keys), "\(attacks.map(\.name)): \(ends)")
        }
    }
}
