internal import FoundationEssentials
internal import Glibc
internal import Platform
internal import Primitives
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    /// Whatever a gateway is asked, and whatever is wrong with its keys: it says nothing of what they are.
    @Suite("keys are told to nobody", .timeLimit(.minutes(3)))
    struct KeyLeakTests {
        private let files: TemporaryDirectory
        private let backend: EchoBackend
        private let port: UInt16
        private let authority: TestCA

        init() throws {
            files = try TemporaryDirectory()
            backend = try EchoBackend("echo")
            port = try Ports.free()
            authority = try TestPKI.makeCA()
        }

        private func secret(_ name: String, certificate: String, key: String) -> String {
            """
            apiVersion: v1
            kind: Secret
            type: kubernetes.io/tls
            metadata: {name: \(name)}
            data:
              tls.crt: \(Data(certificate.utf8).base64EncodedString())
              tls.key: \(key)
            ---

            """
        }

        /// Manifests with a key that serves, one that is shown to backends, and keys that are damaged in every way.
        private func manifests(_ marks: inout SecretMarks) throws -> String {
            let (good, client, other) = (
                try authority.issue(dnsNames: ["a.test"], keyType: .rsa2048), try authority.issue(dnsNames: ["gw"]),
                try authority.issue(dnsNames: ["a.test"])
            )
            let encrypted = try other.key.pem(.encryptedPKCS8(passphrase: "sesame"))
            let cut = String(other.privateKeyPEM.prefix(other.privateKeyPEM.count - 60))
            let traditional = try good.key.pem(.traditional)
            for (name, text) in [
                ("the key that serves", good.privateKeyPEM), ("its other form", traditional),
                ("the key towards backends", client.privateKeyPEM),
                ("a key of another certificate", other.privateKeyPEM),
                ("an encrypted key", encrypted), ("a key that is cut off", cut),
            ] { marks.add(name, text) }
            func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
            let broken = [
                ("mismatched", encoded(other.privateKeyPEM)), ("encrypted", encoded(encrypted)), ("cut", encoded(cut)),
                ("twice", encoded(good.privateKeyPEM + other.privateKeyPEM)),
                ("bare", encoded(other.privateKeyPEM).lowercased()),
                ("plain", "\"\(other.privateKeyPEM.split(separator: "\n").dropFirst().joined(separator: " "))!\""),
                ("half", String(encoded(traditional).dropLast(101))),
            ]
            let listeners = ["good"] + broken.map(\.0)
            let gateway = Manifest.gateway(
                listeners.map { name in
                    .init(
                        name: name, port: port, mode: .terminate, hostname: name == "good" ? nil : "\(name).test",
                        certificates: [name])
                }
            ).replacing(
                "  listeners:", with: "  tls: {backend: {clientCertificateRef: {name: client}}}\n  listeners:",
                maxReplacements: 1)
            return gateway + Manifest.secret("good", good) + Manifest.secret("client", client)
                + broken.map { secret($0.0, certificate: good.chainPEM, key: $0.1) }.joined()
                + Manifest.tlsRoute("a", to: "echo", hostnames: ["a.test"], section: "good")
                + Manifest.service("echo", at: backend.port)
        }

        @Test(
            "a gateway on a folder: logs, access log, events, every path, every command, with good keys and damaged ones"
        )
        func folder() throws {
            var marks = SecretMarks()
            let text = try manifests(&marks)
            let ticket = Data((0..<80).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
            let token = "token-" + (0..<32).map { _ in String(Int.random(in: 0...9)) }.joined()
            marks.add("a key of tickets", ticket)
            marks.add("the token of the sink", token)
            let sink = try Ports.free()
            let sluice = try Sluice.ready(
                text,
                flags: [
                    "--log-level", "debug", "--access-log", "stdout", "--tls-ticket-key-file",
                    try files.write("\(ticket)\n", to: "tickets"), "--event-sink", "http://127.0.0.1:\(sink)/?key=none",
                    "--event-token-file", try files.write(token, to: "token"),
                ])
            try talk(to: sluice)
            // Text that is no YAML, at the key itself.
            try sluice.manifests.replace(
                "broken.yaml", with: text.replacing("tls.key: ", with: "tls.key: {: ", maxReplacements: 1))
            try sluice.waitForLog("broken.yaml")
            // Keys of tickets that are damaged: the line is named, and nothing of it.
            try files.replace("tickets", with: "\(ticket)\n\(ticket.dropLast(8))\n")
            try sluice.waitForLog("line 2", "tickets")
            try sluice.waitForLog("event", "127.0.0.1:\(sink)")
            try expectSilent(sluice, marks, manifests: sluice.manifests.path)
            #expect(sluice.program.errors.contains("\"level\":\"debug\""))
            try sluice.stop()
            marks.expectNone(in: sluice.program.errors + sluice.program.output, "the log")
        }

        /// A connection that works, one that is refused, one that stays.
        private func talk(to sluice: Sluice) throws {
            let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
            _ = try Greeting.receive(from: client)
            client.close()
            #expect(throws: (any Error).self) {
                try TLSTestClient(port: port, TLSClientOptions(serverName: "cut.test"))
            }
            try sluice.waitForAccessLine("\"event\":\"close\"", "\"requested_server_name\":\"a.test\"")
        }

        /// All that can be asked of it.
        private func expectSilent(_ sluice: Sluice, _ marks: SecretMarks, manifests: String) throws {
            let paths = try sluice.fetch("/paths", from: sluice.admin).body.split(separator: "\n")
                .compactMap { $0.split(separator: " ").first { $0.hasPrefix("/") } }.map { $0.prefix { $0 != "?" } }
            #expect(paths.count >= 8, "\(paths)")
            for path in paths + ["/explain?kind=secret&namespace=default&name=good", "/trace?port=\(port)&sni=a.test"] {
                let answer = try sluice.fetch(String(path), from: sluice.admin)
                marks.expectNone(in: answer.body + "\(answer.headers)", "admin \(path)")
            }
            for path in ["/livez", "/readyz?verbose", "/metrics"] {
                marks.expectNone(in: try sluice.probe(path).body, "probe \(path)")
            }
            let program = try Installation.sluice()
            let asked = ["--admin-address", "\(sluice.admin)"]
            var commands = [
                ["status", "-o", "wide"] + asked, ["status", "-o", "json"] + asked, ["connections"] + asked,
                ["trace", "--port", "\(port)", "--sni", "a.test"] + asked, ["check", manifests],
                ["check", manifests, "-o", "json"], ["trace", "--port", "\(port)", "--sni", "a.test", "-f", manifests],
                ["probe", "default/echo", "-f", manifests], ["inject", "-f", "\(manifests)/main.yaml"],
                ["doctor", "\(files.path)/report", "--probe-address", "\(sluice.probes)"] + asked,
                ["convert", "-f", "\(manifests)/broken.yaml"],
                ["echo", "--port", "0", "--tls-cert", "\(files.path)/tickets", "--tls-key", "\(manifests)/main.yaml"],
                ["run", "--manifests", manifests, "--tls-ticket-key-file", "\(manifests)/main.yaml"],
            ]
            for name in ["good", "client", "mismatched", "encrypted", "cut", "twice", "bare", "plain", "half"] {
                commands.append(["explain", "secret", "default/\(name)"] + asked)
                commands.append(["explain", "secret", "default/\(name)", "-o", "json", "-f", manifests])
            }
            for command in commands {
                let result = try run([program] + command)
                #expect(!(result.output + result.errors).isEmpty, "\(command)")
                marks.expectNone(in: result.output + result.errors, "sluice \(command)")
            }
            for name in try listDirectory("\(files.path)/report") {
                let content = try readFile("\(files.path)/report/\(name)")
                marks.expectNone(in: String(decoding: content, as: UTF8.self), "the bundle's \(name)")
            }
        }

        @Test("a replica in a cluster: its token, the keys of Secrets and of tickets")
        func cluster() throws {
            var marks = SecretMarks()
            let installation = try TestInstallation()
            let certificate = try authority.issue(dnsNames: ["a.test"])
            marks.add("the key that serves", certificate.privateKeyPEM)
            let token = "replica-" + (0..<40).map { _ in String(Int.random(in: 0...9)) }.joined()
            marks.add("the replica's token", token)
            try installation.rotateToken(to: token)
            try installation.kubectl.apply(
                Manifest.secret("cert", certificate),
                ClusterManifest.service("echo", address: ServedCluster.address, port: backend.port)
                    + "---\n"
                    + Manifest.gateway(
                        [.init(name: "tls", port: 9000, mode: .terminate, certificates: ["cert"])], address: nil)
                    + Manifest.tlsRoute("a", to: "echo", hostnames: ["a.test"], section: "tls").replacing(
                        "port: 1}", with: "port: 7}"))
            let replica = try installation.replica(environment: ServedCluster.environment)
            try replica.waitUntilReady()
            let port = try replica.program.wait(for: "a port") { try installation.kubectl.boundPort(of: "gw") }
            _ = try replica.program.wait(for: "an answer") { () -> Bool? in
                guard let client = try? TLSTestClient(port: port, TLSClientOptions(serverName: "a.test")) else {
                    return nil
                }
                return (try? Greeting.receive(from: client)) == nil ? nil : true
            }
            let path = "{.data.current} {.data.next}"
            let keys = try replica.program.wait(for: "keys of tickets", within: .seconds(30)) { () -> [Substring]? in
                let said = try installation.kubectl.run([
                    "get", "secret", "sluice.dev-gateway-controller-ticket-keys", "-n", "sluice-system", "-o",
                    "jsonpath=\(path)",
                ]).output.split(separator: " ")
                return said.count == 2 ? said : nil
            }
            for key in keys { marks.add("a key of tickets", String(key)) }
            // Its token is refused from now on, which it says.
            installation.server.tokens[token] = nil
            try replica.waitForLog("Unauthorized", within: .seconds(30))
            for path in [
                "/", "/config", "/status", "/history", "/connections",
                "/explain?kind=secret&namespace=default&name=cert",
            ] {
                marks.expectNone(in: try replica.fetch(path, from: replica.admin).body, "admin \(path)")
            }
            for path in ["/readyz?verbose", "/metrics"] {
                marks.expectNone(in: try replica.probe(path).body, "probe \(path)")
            }
            replica.program.signal(SIGINT)
            try replica.program.waitForEnd(within: .seconds(20))
            marks.expectNone(in: replica.program.errors + replica.program.output, "the log")
        }

        @Test("the marks are found where a key is")
        func marksAreFound() throws {
            let key = try authority.issue(dnsNames: ["a.test"]).privateKeyPEM
            var marks = SecretMarks()
            marks.add("a key", key)
            #expect(marks.found(in: "x \(key) y") == ["a key"])
            #expect(marks.found(in: Data(key.utf8).base64EncodedString()) == ["a key"])
            #expect(marks.found(in: try authority.issue(dnsNames: ["a.test"]).privateKeyPEM) == [])
        }
    }
}
