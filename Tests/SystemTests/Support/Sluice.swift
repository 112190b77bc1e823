internal import FoundationEssentials
internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

/// `sluice run` on a folder of manifests of its own.
final class Sluice: RunningSluice {
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

    func fetch(_ path: String, from address: SocketAddress) throws -> HTTPAnswer {
        isInNetworkOfItsOwn ? try getInside(path, from: address) : try get(path, from: address)
    }

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
