internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// `sluice doctor` against a gateway that runs.
    @Suite("doctor", .timeLimit(.minutes(2)))
    struct DoctorTests {
        private func contents(_ path: String) throws -> [String: String] {
            var files: [String: String] = [:]
            for name in try listDirectory(path) {
                files[name] = String(decoding: try readFile("\(path)/\(name)"), as: UTF8.self)
            }
            return files
        }

        @Test("a bundle of a gateway that serves TLS has everything but keys and clients, and says what is wrong")
        func bundle() throws {
            let backend = try EchoBackend("one")
            let certificate = try TestPKI.makeCA().issue(dnsNames: ["a.test"])
            let (port, plain, broken) = (try Ports.free(), try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.secret("tls", certificate),
                Manifest.gateway([
                    .init(name: "tls", port: port, mode: .terminate, hostname: "a.test", certificates: ["tls"]),
                    .init(name: "plain", port: plain), .init(name: "db", port: broken),
                ]), Manifest.tcpRoute("plain", to: "db", section: "plain"),
                Manifest.tlsRoute("a", to: "db", hostnames: ["a.test"], section: "tls"),
                Manifest.tcpRoute("orders", to: "missing", section: "db"), Manifest.service("db", at: backend.port))
            let client = try PlainClient(port: plain)
            _ = try client.receiveLine()
            let address = try #require(client.localAddress)
            let folder = try TemporaryDirectory()
            let doctor = [
                try Installation.sluice(), "doctor", "\(folder.path)/report", "--admin-address", "\(sluice.admin)",
                "--probe-address", "\(sluice.probes)",
            ]
            let result = try run(doctor)
            #expect(result.ending == .exited(code: 1))
            #expect(
                result.output.contains("ERROR  TCPRoute default/orders at Gateway default/gw/db: ResolvedRefs is False")
            )
            #expect(result.output.contains("sluice explain tcproute default/orders"))
            let files = try contents("\(folder.path)/report")
            #expect(
                Set(files.keys) == [
                    "findings.txt", "version.json", "status.json", "traffic.json", "history.json", "config.json",
                    "connections.json", "readyz.json", "metrics.txt", "host.json",
                ])
            #expect(result.output.hasPrefix(files["findings.txt"] ?? "-"))
            #expect(files["connections.json"]?.contains("client-1") == true)
            #expect(files["connections.json"]?.contains("\(address)") == false)
            #expect(files["metrics.txt"]?.contains("sluice_listener_connections_accepted_total") == true)
            let key = certificate.privateKeyPEM.split(separator: "\n")[1]
            for (name, content) in files {
                #expect(!content.contains(key) && !content.contains("PRIVATE KEY"), "\(name)")
            }
            client.close()
            try sluice.stop()
        }

        @Test("a pod is reached by kubectl port-forward, admin and probe address, and this host is left out")
        func pod() throws {
            let sluice = try Sluice.ready(Manifest.gateway([.init(name: "plain", port: try Ports.free())]))
            let kubectl = try KubectlStandIn(forwardingTo: sluice)
            let folder = try TemporaryDirectory()
            let doctor = [
                try Installation.sluice(), "doctor", "\(folder.path)/report", "--pod", "sluice-0", "-n", "edge",
            ]
            let result = try run(doctor, environment: ["PATH": kubectl.path])
            #expect(result.ending == .exited(code: 0), "\(result.output)\(result.errors)")
            let forward = "port-forward --namespace edge --address 127.0.0.1 pod/sluice-0 :"
            #expect(try kubectl.arguments == [forward + "19000", forward + "8081"])
            #expect(try kubectl.hasEnded)
            let files = try contents("\(folder.path)/report")
            #expect(
                Set(files.keys) == [
                    "findings.txt", "version.json", "status.json", "traffic.json", "history.json", "config.json",
                    "connections.json", "readyz.json", "metrics.txt",
                ])
            #expect(files["status.json"]?.contains("\"gw\"") == true)
            #expect(files["metrics.txt"]?.contains("sluice_build_info") == true)
            try sluice.stop()
        }

        @Test("a kubectl that fails says why, and no bundle is written")
        func brokenKubectl() throws {
            let kubectl = try KubectlStandIn("echo 'error: deployments.apps \"sluice\" not found' >&2; exit 1")
            let folder = try TemporaryDirectory()
            let result = try run(
                [try Installation.sluice(), "doctor", "\(folder.path)/report", "--deployment", "edge/sluice"],
                environment: ["PATH": kubectl.path])
            #expect(result.ending == .exited(code: 1))
            #expect(
                result.errors == "sluice doctor: kubectl says: error: deployments.apps \"sluice\" not found\n",
                "\(result.errors)")
            #expect(try listDirectory(folder.path).isEmpty)
        }

        @Test("where nobody answers that is what is wrong, and the host is looked at all the same")
        func nobody() throws {
            let folder = try TemporaryDirectory()
            let (admin, probes) = (try Ports.free(), try Ports.free())
            let path = "\(folder.path)/report.tar"
            let result = try run([
                try Installation.sluice(), "doctor", path, "--admin-address", "127.0.0.1:\(admin)", "--probe-address",
                "127.0.0.1:\(probes)",
            ])
            #expect(result.ending == .exited(code: 1))
            #expect(result.output.contains("ERROR  admin address: 127.0.0.1:\(admin) does not answer"))
            let names = try run(["tar", "-tf", path]).checked().split(separator: "\n").map(String.init)
            #expect(names == ["findings.txt", "version.json", "host.json"].map { "sluice-doctor/\($0)" })
        }
    }
}
