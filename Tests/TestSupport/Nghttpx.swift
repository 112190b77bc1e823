internal import Glibc
internal import Platform
public import Primitives

/// nghttpx (Debian's nghttp2-proxy) before a plain HTTP/1.1 server: TLS, and HTTP/2 or HTTP/1.1 by ALPN, on a loopback port
/// that it keeps. While the server does not listen it answers 502 or 503, as a cloud's balancer would.
public final class Nghttpx: Sendable {
    private let reservation: PortReservation
    private let directory: TemporaryDirectory
    private let arguments: [String]
    private let process: Locked<ChildProcess>

    /// Waits until it accepts. `alpn`: what it offers, such as `h2,http/1.1`; `streams`: at once on one connection;
    /// `clientCA`: demands a client certificate of that authority, in PEM.
    ///
    /// - Throws: with the command that installs it, where it is missing.
    public init(
        before server: SocketAddress, _ certificate: TestCertificate, alpn: String = "h2,http/1.1", streams: Int = 250,
        clientCA: String? = nil
    ) throws {
        reservation = try PortReservation(SocketAddress(.loopbackV4, 0))
        directory = try TemporaryDirectory()
        let key = try directory.write(certificate.privateKeyPEM, to: "tls.key")
        let chain = try directory.write(certificate.chainPEM, to: "tls.crt")
        var arguments = [
            try program(), "--conf=/dev/null", "--workers=1", "--single-process", "--no-ocsp",
            "--frontend=\(reservation.address.ip),\(reservation.address.port)", "--backend=\(server.ip),\(server.port)",
            "--npn-list=\(alpn)", "--frontend-http2-max-concurrent-streams=\(streams)",
            "--backend-connections-per-host=4000", "--backend-read-timeout=1h", "--backend-write-timeout=1h",
            "--frontend-http2-read-timeout=1h", "--frontend-read-timeout=1h",
            // By default it leaves a server that was away for minutes alone for up to two more.
            "--backend-max-backoff=1s",
            "--accesslog-file=/dev/null", "--errorlog-file=\(directory.path)/errors", "--log-level=WARN",
        ]
        if let clientCA {
            arguments += [
                "--verify-client", "--verify-client-cacert=\(try directory.write(clientCA, to: "client.crt"))",
            ]
        }
        self.arguments = arguments + [key, chain]
        process = Locked(try start(self.arguments, reservation.address, directory))
    }

    deinit { stop() }

    public var address: SocketAddress { reservation.address }
    /// Such as `https://127.0.0.1:43127`.
    public var url: String { "https://\(address)" }
    public var processIdentifier: Int32 { process.withLock { $0.identifier } }

    /// Ends it at once; its connections break, and its port refuses.
    public func stop() {
        process.withLock { process in
            process.signal(SIGKILL)
            _ = process.wait()
        }
    }

    /// Stops it (SIGSTOP): connections stay open and nothing answers, until ``resume()``.
    public func freeze() throws {
        let identifier = process.withLock { process in
            process.signal(SIGSTOP)
            return process.identifier
        }
        // The signal takes effect a little later.
        let isStopped = try waitUntil {
            let text = String(decoding: try readFile("/proc/\(identifier)/stat"), as: UTF8.self)
            return text.split(separator: ")").last?.hasPrefix(" T") ?? false
        }
        guard isStopped else { throw TestFailure("nghttpx does not stop") }
    }

    public func resume() { process.withLock { $0.signal(SIGCONT) } }

    /// Starts it again on the same port, with another certificate where one is given.
    public func restart(_ certificate: TestCertificate? = nil) throws {
        stop()
        if let certificate {
            try directory.replace("tls.key", with: certificate.privateKeyPEM)
            try directory.replace("tls.crt", with: certificate.chainPEM)
        }
        let next = try start(arguments, address, directory)
        process.withLock { $0 = next }
    }
}

/// In PATH, or in /usr/sbin, which is not in everyone's.
private func program() throws -> String {
    let path = Host.environment("PATH") ?? "/usr/bin"
    let files: [String] = (path.split(separator: ":") + ["/usr/sbin"]).map { "\($0)/nghttpx" }
    let found = files.first { access($0, X_OK) == 0 }
    guard let found else {
        throw TestFailure("nghttpx is missing; install it:  apt-get install nghttp2-proxy   (or scripts/setup test)")
    }
    return found
}

private func start(
    _ arguments: [String], _ address: SocketAddress, _ directory: TemporaryDirectory
) throws -> ChildProcess {
    // What it says before it has read which file its words go to.
    let output = FileDescriptor(
        owning: open("\(directory.path)/output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
    let process = try ChildProcess(arguments, output: output.raw)
    var isUp = false
    _ = waitUntil(deadline: .seconds(20)) {
        isUp = (try? PlainClient(to: address, timeout: .seconds(1))) != nil
        return isUp || process.poll() != nil
    }
    guard isUp, process.poll() == nil else {
        process.signal(SIGKILL)
        _ = process.wait()
        let said = ["output", "errors"].compactMap { try? readFile("\(directory.path)/\($0)") }.joined()
        throw TestFailure("nghttpx does not accept: \(String(decoding: said, as: UTF8.self).suffix(1000))")
    }
    return process
}
