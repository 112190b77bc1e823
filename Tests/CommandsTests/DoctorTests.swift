import EngineModel
import FoundationEssentials
import Inspection
import Platform
import Primitives
import TestSupport
import Testing

@testable import Commands

@Suite("doctor")
struct DoctorTests {
    /// Answers from a list; what is not in it is not found.
    private struct Source: DoctorSource {
        var answers: [String: DoctorAnswer] = [:]
        func admin(_ path: String) -> DoctorAnswer { answers["admin " + path] ?? DoctorAnswer(status: 404) }
        func probe(_ path: String) -> DoctorAnswer { answers["probe " + path] ?? DoctorAnswer(status: 404) }
    }

    private let now: Int64 = 1_800_000_000

    private func json(_ value: some Encodable) throws -> DoctorAnswer {
        DoctorAnswer(status: 200, body: Array(try JSONEncoder().encode(value)))
    }

    private func text(_ text: String, _ status: Int = 200) -> DoctorAnswer {
        DoctorAnswer(status: status, body: Array(text.utf8))
    }

    private func info(_ id: UInt64, _ client: String) throws -> ConnectionInfo {
        let address = try #require(SocketAddress(client))
        return ConnectionInfo(
            id: id, state: .relaying, client: address, peer: address, proxyUniqueID: "from \(client)",
            age: .seconds(Int(id)), idle: .zero)
    }

    /// A gateway with nothing wrong.
    private func healthy() throws -> Source {
        var tree = StatusTree()
        tree.gateways = [GatewayNode(namespace: "infra", name: "edge")]
        let connections = ConnectionList(
            total: 2,
            connections: [
                ConnectionView(try info(1, "203.0.113.7:1000")), ConnectionView(try info(2, "[2001:db8::7]:2000")),
            ])
        return Source(answers: [
            "admin /paths": text("/status\n"), "admin /status": try json(tree),
            "admin /traffic": try json(LiveTraffic()),
            "admin /history": try json([ConfigurationStep]()), "admin /config": text("{}"),
            "admin /connections?limit=10000": try json(connections),
            "probe /readyz?verbose": text("{\"ready\":true}\n"),
            "probe /metrics": text("# HELP x y\nprocess_open_fds 20\nprocess_max_fds 100000\n"),
        ])
    }

    private func report(_ source: Source, host: HostFacts? = nil, showsClientAddresses: Bool = false) -> DoctorReport {
        DoctorReport(source, host: host, now: now, showsClientAddresses: showsClientAddresses)
    }

    private func file(_ name: String, _ report: DoctorReport) throws -> String {
        String(decoding: try #require(report.files.first { $0.name == name }).content, as: UTF8.self)
    }

    @Test("a gateway with nothing wrong has no findings, and everything is in the bundle")
    func nothing() throws {
        let report = report(try healthy())
        #expect(report.findings == [])
        #expect(report.text == "Nothing is wrong, as far as can be seen from here.\n")
        #expect(
            report.files.map(\.name) == [
                "status.json", "traffic.json", "history.json", "config.json", "connections.json", "readyz.json",
                "metrics.txt",
            ])
    }

    @Test("addresses of clients are left out unless they are asked for; who is who can still be told")
    func clients() throws {
        let masked = try file("connections.json", report(try healthy()))
        #expect(!masked.contains("203.0.113") && !masked.contains("2001:db8"))
        #expect(masked.contains("client-1") && masked.contains("client-2"))
        let shown = try file("connections.json", report(try healthy(), showsClientAddresses: true))
        #expect(shown.contains("203.0.113.7:1000") && shown.contains("[2001:db8::7]:2000"))
        var mask = ClientMask()
        let list = ConnectionList(
            total: 3,
            connections: [
                ConnectionView(try info(1, "203.0.113.7:1000")), ConnectionView(try info(2, "203.0.113.7:2000")),
                ConnectionView(try info(3, "203.0.113.8:1000")),
            ])
        #expect(mask.masked(list).connections.map(\.client) == ["client-1", "client-1", "client-2"])
    }

    @Test("a list of connections that is not understood is not passed on")
    func unknownConnections() throws {
        var source = try healthy()
        source.answers["admin /connections?limit=10000"] = text("[\"203.0.113.7\"]")
        let report = report(source)
        #expect(!report.files.contains { String(decoding: $0.content, as: UTF8.self).contains("203.0.113") })
        #expect(report.findings.map(\.subject) == ["/connections"])
    }

    @Test("private keys are taken out wherever they are; certificates stay")
    func keys() throws {
        var source = try healthy()
        let key = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----"
        let certificate = "-----BEGIN CERTIFICATE-----\ncHVibGlj\n-----END CERTIFICATE-----"
        source.answers["admin /config"] = text(
            "a \(certificate) b \(key) c \(key) d \(certificate) -----BEGIN PRIVATE KEY-----\nc2VjcmV0")
        #expect(
            try file("config.json", report(source))
                == "a \(certificate) b (left out) c (left out) d \(certificate) (left out)")
    }

    @Test("what is wrong with objects, the worst first, with what to do")
    func objects() throws {
        var source = try healthy()
        var tree = StatusTree()
        var gateway = GatewayNode(namespace: "infra", name: "edge")
        var listener = ListenerNode(name: "db", port: 5432, mode: "TCP")
        listener.bindings = [BindingNode(address: "*:5432", isBound: false, problem: "address in use")]
        gateway.listeners = [listener]
        tree.gateways = [gateway]
        var (some, none, empty) = (
            BackendNode(kind: "Service", namespace: "infra", name: "some", port: 1),
            BackendNode(kind: "Service", namespace: "infra", name: "none", port: 2),
            BackendNode(kind: "Backend", namespace: "infra", name: "empty", port: 0)
        )
        some.endpoints = [
            EndpointNode(address: "a:1", state: "healthy"), EndpointNode(address: "b:1", state: "ejected"),
        ]
        none.endpoints = [EndpointNode(address: "c:1", state: "unhealthy")]
        none.endpoints[0].failure = "step 3 expect \"+PONG\": nothing that fits came in time"
        empty.conditions = [
            ConditionNode(
                type: "ResolvedRefs", status: "False", reason: "DNSFailed", message: "no such name", isProblem: true)
        ]
        tree.backends = [some, none, empty]
        let seconds: [Int64] = [-5, 3600, 86_400 * 5, 86_400 * 50]
        tree.certificates = seconds.map {
            CertificateNode(
                object: "Secret infra/\($0)", usage: "listener", usedBy: ["Gateway infra/edge/tls"], names: [],
                notAfter: now + $0)
        }
        source.answers["admin /status"] = try json(tree)
        let report = report(source)
        let severities = report.findings.map(\.severity)
        #expect(severities == severities.sorted { $0 == .error && $1 != .error })
        #expect(report.findings.allSatisfy { !$0.advice.isEmpty })
        func problem(_ subject: String) -> String? { report.findings.first { $0.subject == subject }?.problem }
        #expect(problem("listener infra/edge/db") == "*:5432 is not bound: address in use")
        #expect(problem("Service infra/some:1") == "1 of 2 endpoints cannot be used")
        #expect(problem("Service infra/none:2")?.hasSuffix("+PONG\": nothing that fits came in time") == true)
        #expect(problem("Backend infra/empty") == "ResolvedRefs is False (DNSFailed): no such name")
        let certificates = report.findings.filter { $0.subject.hasPrefix("Secret") }
        #expect(certificates.map(\.problem) == ["has expired", "expires in 1 hours", "expires in 5 days"])
        #expect(certificates.map(\.severity) == [.error, .error, .warning])
        #expect(
            report.text.hasPrefix(
                "\(report.findings.count(.error)) errors, 2 warnings\n\nERROR  listener infra/edge/db: "))
    }

    @Test("what is wrong with the process: readiness, metrics, refusals, an address where nobody answers")
    func process() throws {
        var source = try healthy()
        source.answers["probe /readyz?verbose"] = text(
            "{\"ready\":false,\"reasons\":[\"no configuration yet\"]}\n", 503)
        source.answers["probe /metrics"] = text(
            "sluice_config_last_reload_successful 0\nsluice_overload_active{resource=\"fds\"} 1\nsluice_overload_active{resource=\"memory\"} 0\n"
                + "process_open_fds 950\nprocess_max_fds 1000\nsluice_access_log_dropped_total 4\nsluice_drain_active 1\n"
        )
        var traffic = LiveTraffic()
        traffic.refusals = [
            .init(
                reason: "connect_refused", place: "TCPRoute infra/db", minutes: [0, 3, 4], meaning: "nobody listens",
                advice: "look there")
        ]
        source.answers["admin /traffic"] = try json(traffic)
        let found = report(source).findings
        #expect(
            found.map(\.subject) == [
                "/readyz", "sluice_config_last_reload_successful", "sluice_overload_active{resource=\"fds\"}",
                "process_open_fds",
                "TCPRoute infra/db", "sluice_access_log_dropped_total", "sluice_drain_active",
            ])
        #expect(found[0].problem.contains("no configuration yet"))
        #expect(found[4].problem == "7 connections ended with connect_refused in the last ten minutes: nobody listens")
        #expect(found.isBad && ![found[6]].isBad)
        let away = report(Source(answers: ["admin /paths": DoctorAnswer(problem: "nobody answers")]))
        #expect(
            away.findings.first
                == Finding(
                    .error, "admin address", "nobody answers",
                    advice: "check that the gateway runs, and where its --admin-address is"))
    }

    @Test("what is wrong with the host")
    func host() throws {
        let root = try TemporaryDirectory()
        for (path, content) in [
            ("sys/fs/cgroup/memory.max", "1000\n"), ("sys/fs/cgroup/memory.current", "950\n"),
            ("proc/sys/net/netfilter/nf_conntrack_count", "99\n"), ("proc/sys/net/netfilter/nf_conntrack_max", "100\n"),
            ("proc/sys/net/core/somaxconn", "128\n"), ("proc/sys/net/ipv4/ip_local_port_range", "32768\t33000\n"),
            (
                "proc/self/limits",
                "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n"
            ),
        ] {
            let file = "\(root.path)/\(path)"
            let folder = file.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            #expect(FileManager.default.createFile(atPath: file, contents: Data(content.utf8)))
        }
        let facts = HostFacts(root: root.path)
        #expect(facts.hardDescriptorLimit == 4096)
        #expect(
            findings(in: facts).map(\.subject) == [
                "memory of the cgroup", "limit of descriptors", "nf_conntrack", "net.core.somaxconn",
                "net.ipv4.ip_local_port_range",
            ])
        #expect(HostFacts().kernel?.hasPrefix("Linux version") == true)
    }

    // MARK: The bundle

    private func command(_ bundle: String, output: OutputFormat = .text) -> DoctorCommand {
        DoctorCommand(
            options: DoctorOptions(
                target: .address("127.0.0.1:1"), probeAddress: SocketAddress(.loopbackV4, 1), bundle: bundle,
                showsClientAddresses: false, output: output))
    }

    private func tar(_ arguments: String...) throws -> String {
        let pipe = try Pipe()
        try pipe.writing.setNonBlocking(false)
        let child = try ChildProcess(["tar"] + arguments, output: pipe.writing.raw)
        #expect(child.wait() == .exited(code: 0))
        var bytes = [UInt8](repeating: 0, count: 60_000)
        let count = try bytes.withUnsafeMutableBytes { try pipe.reading.read(into: $0) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    @Test("an archive that tar reads, with what was found; nothing is written over")
    func archive() throws {
        let folder = try TemporaryDirectory()
        let path = "\(folder.path)/report.tar"
        let (output, exitCode) = try command(path).run(try healthy(), host: HostFacts(), now: now)
        #expect(output.contains("The bundle is \(path): 10 files, without the addresses of clients."))
        #expect(exitCode == (output.contains("ERROR  ") || output.contains("WARNING  ") ? 1 : 0))
        let names = try tar("-tf", path).split(separator: "\n").map(String.init)
        #expect(
            names
                == [
                    "findings.txt", "version.json", "status.json", "traffic.json", "history.json", "config.json",
                    "connections.json",
                    "readyz.json", "metrics.txt", "host.json",
                ].map { "sluice-doctor/\($0)" })
        #expect(try tar("-xOf", path, "sluice-doctor/readyz.json") == "{\"ready\":true}\n")
        #expect(
            try tar("-xOf", path, "sluice-doctor/findings.txt")
                == String(output.prefix(upTo: try #require(output.firstRange(of: "\nThe bundle")).lowerBound)))
        #expect(try tar("-tvf", path).split(separator: "\n").allSatisfy { $0.hasPrefix("-rw-------") })
        let again = #expect(throws: StartFailure.self) { try command(path).run(try healthy(), host: nil, now: now) }
        #expect(again?.description == "sluice doctor: '\(path)' is there already")
    }

    @Test("a folder, and the exit code and JSON of something wrong")
    func folder() throws {
        let folder = try TemporaryDirectory()
        var source = try healthy()
        source.answers["probe /readyz?verbose"] = text("{\"ready\":false}", 503)
        let (output, exitCode) = try command("\(folder.path)/report", output: .json).run(source, host: nil, now: now)
        #expect(exitCode == 1)
        struct Said: Decodable {
            var findings: [Finding]
            var bundle: String
            var files: [String]
        }
        let said = try JSONDecoder().decode(Said.self, from: Data(output.utf8))
        #expect(said.findings.map(\.subject) == ["/readyz"])
        #expect(try listDirectory(said.bundle).sorted() == said.files.sorted())
    }

    @Test("files of any size end at a block, and a name that is too long is refused")
    func blocks() {
        for size in [0, 1, 511, 512, 513] {
            var archive = TarArchive(modified: now)
            let isAdded = archive.add("a", [UInt8](repeating: 7, count: size))
            #expect(isAdded)
            #expect(archive.bytes.count == 512 + (size + 511) / 512 * 512)
            #expect(archive.finished.count == archive.bytes.count + 1024)
        }
        var archive = TarArchive(modified: now)
        let isAdded = archive.add(String(repeating: "n", count: 101), [])
        #expect(!isAdded)
        #expect(archive.bytes.isEmpty)
    }
}
