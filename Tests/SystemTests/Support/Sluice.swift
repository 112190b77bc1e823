internal import FoundationEssentials
internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

/// `sluice run` on a folder of manifests of its own.
final class Sluice: Sendable {
    let program: Program
    /// Its manifests; write with ``TemporaryDirectory/replace(_:with:)``.
    let manifests: TemporaryDirectory
    let probes: SocketAddress
    let admin: SocketAddress
    let isInNetworkOfItsOwn: Bool

    /// Starts it; `manifests` are documents of one file. `network` (of ``Surrounding``) and `wrapper` are commands that
    /// start it in another surrounding.
    init(_ manifests: String..., flags: [String] = [], network: [String] = [], wrapper: [String] = []) throws {
        isInNetworkOfItsOwn = !network.isEmpty
        let folder = try TemporaryDirectory()
        try folder.write(manifests.joined(), to: "main.yaml")
        self.manifests = folder
        probes = SocketAddress(.loopbackV4, try Ports.free())
        admin = SocketAddress(.loopbackV4, try Ports.free())
        let arguments = [
            "run", "--manifests", folder.path, "--probe-address", "\(probes)", "--admin-address", "\(admin)",
            "--log-format", "json",
        ]
        program = try Program("sluice", network + wrapper + [try Installation.sluice()] + arguments + flags)
    }

    /// As ``init(_:flags:wrapper:)``, and waits until it is ready.
    static func ready(_ manifests: String..., flags: [String] = []) throws -> Sluice {
        let sluice = try Sluice(manifests.joined(), flags: flags)
        try sluice.waitUntilReady()
        return sluice
    }

    func waitUntilReady(within deadline: Duration = .seconds(15)) throws {
        _ = try program.wait(for: "200 at /readyz", within: deadline) {
            (try? probe("/readyz"))?.status == 200 ? true : nil
        }
    }

    func probe(_ path: String) throws -> HTTPAnswer { try fetch(path, from: probes) }
    func config() throws -> HTTPAnswer { try fetch("/config", from: admin) }

    private func fetch(_ path: String, from address: SocketAddress) throws -> HTTPAnswer {
        isInNetworkOfItsOwn ? try getInside(path, from: address) : try get(path, from: address)
    }

    func metrics() throws -> Metrics {
        let answer = try probe("/metrics")
        guard answer.status == 200 else { throw TestFailure("/metrics answered \(answer.status): \(answer.body)") }
        return try Metrics(answer.body)
    }

    /// Waits until a scrape satisfies `condition`: counters follow what a client sees by moments.
    func waitForMetrics(_ what: String, _ condition: (Metrics) -> Bool) throws {
        _ = try program.wait(for: what, within: .seconds(5)) { condition(try metrics()) ? true : nil }
    }

    /// How often the manifests were loaded and applied, in part or whole.
    var loads: Double { get throws { try metrics().sum("sluice_config_reloads_total") } }

    /// Replaces the main file, or another, at once, and waits until all workers run what it says.
    func apply(_ text: String, to file: String = "main.yaml") throws {
        let before = try loads
        try manifests.replace(file, with: text)
        try waitForLoad(after: before)
    }

    func remove(_ file: String) throws {
        let before = try loads
        try manifests.delete(file)
        try waitForLoad(after: before)
    }

    func waitForLoad(after before: Double) throws {
        _ = try program.wait(for: "load after the \(before)th", within: .seconds(10)) {
            try loads > before ? true : nil
        }
    }

    /// A log line that holds all of `parts`.
    func waitForLog(_ parts: String..., within deadline: Duration = .seconds(10)) throws {
        _ = try program.wait(for: "log line with \(parts)", within: deadline) { logLine(parts) }
    }

    /// The first log line that holds all of `parts`.
    func logLine(_ parts: [String]) -> String? {
        program.errors.split(separator: "\n").first { line in parts.allSatisfy { line.contains($0) } }.map(String.init)
    }

    /// Resident memory in KiB.
    func residentMemory() throws -> Int {
        let status = String(decoding: try readFile("/proc/\(program.identifier)/status"), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw TestFailure("no VmRSS of \(program.identifier)")
        }
        return kilobytes
    }

    /// Ends it as SIGINT does (no accept grace) and expects exit code 0.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) throws {
        program.signal(SIGINT)
        let ending = try program.waitForEnd(within: .seconds(10))
        #expect(ending == .exited(code: 0), sourceLocation: sourceLocation)
    }
}

/// The backend that says who it is: `sluice echo`.
final class EchoBackend: Sendable {
    let name: String
    let port: UInt16
    private let program: Program

    /// `surrounding` is a command that starts it elsewhere.
    init(_ name: String, certificate: TestCertificate? = nil, surrounding: [String] = []) throws {
        self.name = name
        var arguments = [try Installation.sluice(), "echo", "--port", "0", "--name", name]
        let files = try TemporaryDirectory()
        if let certificate {
            arguments += ["--tls-cert", try files.write(certificate.chainPEM, to: "tls.crt")]
            arguments += ["--tls-key", try files.write(certificate.privateKeyPEM, to: "tls.key")]
        }
        program = try Program("echo \(name)", surrounding + arguments)
        let text = try program.line(after: "echo \(name) listens on port ")
        guard let port = UInt16(text) else { throw TestFailure("no port: \(text)") }
        self.port = port
    }
}

/// The line by which `sluice echo` greets.
struct Greeting: Decodable, Hashable {
    var backend: String
    var client: String
    var sni: String?
    var alpn: String?
    var tls: String?

    /// Reads it from a new connection.
    static func receive(from stream: some TestStream) throws -> Greeting {
        try parse(try stream.receiveLine())
    }

    static func parse(_ line: String) throws -> Greeting {
        do {
            return try JSONDecoder().decode(Greeting.self, from: Data(line.utf8))
        } catch {
            throw TestFailure("no greeting of an echo backend: \(line)")
        }
    }
}

/// Connects to a port whose connections are refused by RST, which may come before or after connect returns.
func expectReset(port: UInt16, sourceLocation: SourceLocation = #_sourceLocation) throws {
    do {
        let client = try PlainClient(port: port)
        #expect(try client.waitForEnd() == .reset, sourceLocation: sourceLocation)
    } catch let error as Errno {
        #expect(error == .connectionReset, sourceLocation: sourceLocation)
    }
}
