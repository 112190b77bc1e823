internal import Glibc
internal import Platform
public import Primitives
public import TestSupport

/// nghttpx (Debian: nghttp2-proxy) before a server: TLS with HTTP/2 and HTTP/1.1 by ALPN on a loopback port, HTTP/1.1 to the
/// server. While the server does not listen it answers 502 or 503, as a cloud's balancer would.
public final class HTTP2Front: Sendable {
    private struct Running: Sendable {
        var process: ChildProcess
        var certificate: TestCertificate
    }

    public var address: SocketAddress { reservation.address }
    private let reservation: PortReservation
    /// The authority that signed its certificates, in PEM.
    public var authorityPEM: String { authority.withLock { $0.pem } }
    private let authority: Locked<TestCA>
    private let backend: SocketAddress
    private let names: [String]
    private let clientAuthorityPEM: String?
    private let folder: TemporaryDirectory
    private let running: Locked<Running?>

    /// Whether nghttpx is installed.
    public static var isAvailable: Bool { program != nil }

    /// In PATH, or in /usr/sbin, which is not in everyone's.
    private static var program: String? {
        let path = Host.environment("PATH") ?? "/usr/bin"
        return (path.split(separator: ":") + ["/usr/sbin"]).map { "\($0)/nghttpx" }.first { access($0, X_OK) == 0 }
    }

    /// Starts it and waits until it takes a connection. `names`: what the certificate is for beside 127.0.0.1.
    /// `clientAuthorityPEM`: clients must show a certificate of that authority.
    public init(
        before server: SocketAddress, authority: TestCA? = nil, names: [String] = ["kubernetes.default.svc"],
        clientAuthorityPEM: String? = nil
    ) throws {
        self.authority = Locked(try authority ?? TestPKI.makeCA("Test API server CA"))
        (backend, self.names, self.clientAuthorityPEM) = (server, names, clientAuthorityPEM)
        folder = try TemporaryDirectory()
        running = Locked(nil)
        reservation = try PortReservation(SocketAddress(.v4(0x7f00_0001), 0))
        try start()
    }

    deinit { stop() }

    /// Such as `https://127.0.0.1:43127`.
    public var url: String { "https://\(address)" }

    public var certificate: TestCertificate? { running.withLock { $0?.certificate } }

    /// Ends it at once; its connections break.
    public func stop() {
        guard
            let process = running.withLock({ running -> ChildProcess? in
                defer { running = nil }
                return running?.process
            })
        else { return }
        process.signal(SIGKILL)
        _ = process.wait()
    }

    /// Starts it again on the same port with a new certificate, of the same authority or of another.
    public func restart(authority other: TestCA? = nil) throws {
        stop()
        if let other { authority.withLock { $0 = other } }
        try start()
    }

    private func start() throws {
        let certificate = try authority.withLock { $0 }.issue(dnsNames: names + ["localhost"], ips: ["127.0.0.1"])
        let key = try folder.write(certificate.privateKeyPEM, to: "key.pem")
        let chain = try folder.write(certificate.chainPEM, to: "chain.pem")
        guard let program = Self.program else { throw TestFailure("nghttpx (Debian: nghttp2-proxy) is not installed") }
        var arguments = [
            program, "--conf=/dev/null", "--workers=1", "--no-ocsp",
            "--frontend=\(address.ip),\(address.port)", "--backend=\(backend.ip),\(backend.port)",
            "--backend-connections-per-host=4000", "--backend-read-timeout=1h", "--backend-write-timeout=1h",
            "--frontend-http2-read-timeout=1h", "--frontend-read-timeout=1h",
            "--frontend-http2-max-concurrent-streams=250",
            "--accesslog-file=/dev/null", "--errorlog-file=\(folder.path)/errors", "--log-level=WARN",
        ]
        if let pem = clientAuthorityPEM {
            arguments += ["--verify-client", "--verify-client-cacert=\(try folder.write(pem, to: "clients.pem"))"]
        }
        let log = FileDescriptor(
            owning: open("\(folder.path)/output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        let process = try ChildProcess(arguments + [key, chain], output: log.raw)
        let isReady = waitUntil(deadline: .seconds(20)) {
            process.poll() != nil || (try? PlainClient(to: address, timeout: .seconds(1))) != nil
        }
        guard isReady, process.poll() == nil else {
            process.signal(SIGKILL)
            let errors = (try? readFile("\(folder.path)/output")) ?? []
            throw TestFailure("nghttpx does not start: \(String(decoding: errors, as: UTF8.self))")
        }
        running.withLock { $0 = Running(process: process, certificate: certificate) }
    }
}
