internal import FoundationEssentials
internal import Glibc
internal import Inspection
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    /// What is said of connections that are not made, against what becomes of those that are.
    @Suite("trace and traffic", .timeLimit(.minutes(4)))
    struct TraceAgreementTests {
        private static let names = [
            "a.example.com", "b.example.com", "x.b.example.com", "y.x.b.example.com", "a.example.org", nil,
        ]
        private static let sources = [IPAddress.v4(0x7f00_0002), .v4(0x7f00_0003), .v4(0x7f00_0004)]

        @Test("of random configurations the trace says listener, route and refusal that the access log has")
        func agreement() throws {
            let seed = UInt64.random(in: 0..<1 << 32)
            var random = SplitMix64(seed: seed)
            let certificate = try TestPKI.selfSigned(TestCertificateRequest(commonName: "any"))
            let backend = try EchoBackend("live", certificate: certificate)
            let (plain, secure) = (try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(Self.configuration(&random, plain, secure, backend.port))
            var seen = 0
            for round in 0..<6 {
                if round > 0 { try sluice.apply(Self.configuration(&random, plain, secure, backend.port)) }
                for _ in 0..<10 {
                    let name = Self.names.randomElement(using: &random) ?? nil
                    let source = Self.sources.randomElement(using: &random) ?? .loopbackV4
                    let port = Bool.random(using: &random) ? plain : secure
                    let answer = try trace(sluice, port, name, source)
                    if answer.listener == nil { continue }
                    connect(port, name, source, isTLS: port == secure)
                    seen += 1
                    let line = try newest(sluice, seen)
                    let what: Comment = """
                        seed \(seed), round \(round): \(name ?? "no name") from \(source) at \(port == secure ? "tls" : "tcp")
                        \(answer) \(line)
                        """
                    if let refusal = answer.refusal {
                        #expect(line.reason == refusal, what)
                    } else {
                        #expect(["client_closed", "backend_closed", "client_reset"].contains(line.reason), what)
                    }
                    // A name that no listener has belongs to one of those that share the port.
                    if answer.refusal != "tls_no_sni_match" { #expect(line.listener == answer.listener, what) }
                    #expect(line.route == answer.route, what)
                }
            }
            #expect(seen > 20)
            try sluice.stop()
        }

        private func trace(
            _ sluice: Sluice, _ port: UInt16, _ name: String?, _ source: IPAddress
        ) throws -> TraceAnswer {
            let path = "/trace?port=\(port)&from=\(source)" + (name.map { "&sni=\($0)" } ?? "")
            let body = try sluice.fetch(path, from: sluice.admin).body
            return try JSONDecoder().decode(TraceAnswer.self, from: Data(body.utf8))
        }

        /// However it ends.
        private func connect(_ port: UInt16, _ name: String?, _ source: IPAddress, isTLS: Bool) {
            guard let client = try? PlainClient(from: source, port: port) else { return }
            if isTLS {
                guard let secured = try? TLSTestConnection(over: client, TLSClientOptions(serverName: name)) else {
                    return client.close()
                }
                _ = try? secured.receiveLine()
                secured.close()
            } else {
                // The backend speaks TLS: what it says to this is enough.
                try? client.send("hello\n")
                _ = try? client.waitForEnd()
                client.close()
            }
        }

        private struct Line: Decodable {
            var gateway: String?
            var listenerName: String?
            var kind: String?
            var name: String?
            var reason: String

            enum CodingKeys: String, CodingKey {
                case gateway
                case listenerName = "listener"
                case kind = "route_kind"
                case name = "route"
                case reason = "close_reason"
            }

            var listener: String? { gateway.flatMap { gateway in listenerName.map { "\(gateway)/\($0)" } } }
            var route: String? { kind.flatMap { kind in name.map { "\(kind) \($0)" } } }
        }

        /// The line of the last of so many connections.
        private func newest(_ sluice: Sluice, _ count: Int) throws -> Line {
            let text = try sluice.program.wait(for: "the \(count)th line", within: .seconds(10)) {
                let lines = sluice.program.output.split(separator: "\n")
                return lines.count >= count ? String(lines[count - 1]) : nil
            }
            return try JSONDecoder().decode(Line.self, from: Data(text.utf8))
        }

        // MARK: Configurations

        private static func configuration(
            _ random: inout SplitMix64, _ plain: UInt16, _ secure: UInt16, _ backend: UInt16
        ) -> String {
            let hostnames = ["a.example.com", "*.example.com", "*.b.example.com", nil]
            var listeners = [Manifest.Listener(name: "plain", port: plain)]
            for (index, hostname) in hostnames.enumerated() where Bool.random(using: &random) {
                listeners.append(.init(name: "l\(index)", port: secure, mode: .passthrough, hostname: hostname))
            }
            var text = Manifest.gateway(listeners, address: nil) + Manifest.service("live", at: backend)
            text +=
                "apiVersion: v1\nkind: Service\nmetadata: {name: empty}\nspec: {ports: [{name: main, port: 1}]}\n---\n"
            func service() -> String { ["live", "live", "empty", "missing"].randomElement(using: &random) ?? "live" }
            for listener in listeners {
                let name = listener.name
                if Bool.random(using: &random) {
                    text += Manifest.tcpRoute("tcp-\(name)", to: service(), section: name)
                }
                guard name != "plain", Bool.random(using: &random) else { continue }
                let own = ["a.example.com", "*.example.com", "x.b.example.com"].filter { _ in
                    Bool.random(using: &random)
                }
                guard !own.isEmpty else { continue }
                text += Manifest.tlsRoute("tls-\(name)", to: service(), hostnames: own, section: name)
            }
            text += policy("gateway", "Gateway", "gw", nil, &random)
            text += policy("listener", "Gateway", "gw", "plain", &random)
            text += policy("route", "TCPRoute", "tcp-plain", nil, &random)
            return text
        }

        private static func policy(
            _ name: String, _ kind: String, _ target: String, _ section: String?, _ random: inout SplitMix64
        ) -> String {
            guard Int.random(in: 0..<3, using: &random) == 0 else { return "" }
            let source = Int.random(in: 2...4, using: &random)
            let allows = Bool.random(using: &random)
            return """
                apiVersion: sluice.dev/v1alpha1
                kind: ClientPolicy
                metadata: {name: \(name)}
                spec:
                  targetRefs: [{group: gateway.networking.k8s.io, kind: \(kind), name: \(target)\(section.map { ", sectionName: \($0)" } ?? "")}]
                  authorization:
                    defaultAction: \(allows ? "Deny" : "Allow")
                    rules:
                    - name: rule
                      action: \(allows ? "Allow" : "Deny")
                      principal: {clientCIDRs: [127.0.0.\(source)/32]}
                ---

                """
        }
    }
}
