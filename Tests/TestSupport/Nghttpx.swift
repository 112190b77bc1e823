internal import Glibc
internal import Platform

/// nghttpx (Debian's nghttp2-proxy) before a plain HTTP/1.1 server: TLS, and HTTP/2 or HTTP/1.1 by ALPN.
public final class Nghttpx: Sendable {
    public let port: UInt16
    private let directory: TemporaryDirectory
    private let process: Locked<ChildProcess>
    private let arguments: [String]

    /// Waits until it accepts. `alpn`: what it offers, such as `h2,http/1.1`; `streams`: at once on one connection; `clientCA`: demands a client certificate.
    ///
    /// - Throws: with the command that installs it, where it is missing.
    public init(
        before backend: UInt16, _ certificate: TestCertificate, alpn: String = "h2,http/1.1", streams: Int = 100,
        clientCA: String? = nil
    ) throws {
        let directory = try TemporaryDirectory()
        let key = try directory.write(certificate.privateKeyPEM, to: "tls.key")
        let chain = try directory.write(certificate.chainPEM, to: "tls.crt")
        var extra: [String] = []
        if let clientCA {
            extra = ["--verify-client", "--verify-client-cacert=\(try directory.write(clientCA, to: "client.crt"))"]
        }
        let launched = try launch(in: directory.path) { port in
            [
                "nghttpx", "--conf=/dev/null", "--frontend=127.0.0.1,\(port)", "--backend=127.0.0.1,\(backend)",
                "--no-ocsp", "--single-process", "--workers=1", "--npn-list=\(alpn)", "--accesslog-file=/dev/null",
                "--errorlog-file=\(directory.path)/errors", "--backend-read-timeout=10m",
                "--frontend-http2-read-timeout=10m",
                "--frontend-http2-max-concurrent-streams=\(streams)",
            ] + extra + [key, chain]
        }
        self.directory = directory
        (port, arguments, process) = (launched.port, launched.arguments, Locked(launched.process))
    }

    deinit { stop() }

    /// `https://127.0.0.1:1234`
    public var url: String { "https://127.0.0.1:\(port)" }
    public var processIdentifier: Int32 { process.withLock { $0.identifier } }

    /// Ends it at once; its connections are reset.
    public func stop() {
        process.withLock { process in
            process.signal(9)
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
        let next = try start(arguments)
        process.withLock { $0 = next }
        guard try accepts(port, next) else { throw TestFailure("nghttpx does not accept again on port \(port)") }
    }
}

private struct Launched {
    var port: UInt16
    var arguments: [String]
    var process: ChildProcess
}

/// A port that is free now may be taken a moment later: a few are tried.
private func launch(in directory: String, _ arguments: (UInt16) -> [String]) throws -> Launched {
    for _ in 0..<5 {
        let port = try freePort()
        let process = try start(arguments(port))
        if try accepts(port, process) { return Launched(port: port, arguments: arguments(port), process: process) }
        process.signal(9)
        _ = process.wait()
    }
    let errors = (try? readFile("\(directory)/errors")) ?? []
    throw TestFailure("nghttpx does not accept: \(String(decoding: errors, as: UTF8.self).suffix(1000))")
}

private func start(_ arguments: [String]) throws -> ChildProcess {
    do throws(Errno) {
        // Its words go to the file; those before it knows of it go nowhere.
        let nowhere = FileDescriptor(owning: open("/dev/null", O_WRONLY | O_CLOEXEC))
        return try ChildProcess(arguments, output: nowhere.raw)
    } catch {
        guard error == .noEntry else { throw error }
        throw TestFailure("nghttpx is missing; install it:  apt-get install nghttp2-proxy   (or scripts/setup test)")
    }
}

private func freePort() throws -> UInt16 { try PlainServer().port }

private func accepts(_ port: UInt16, _ process: ChildProcess) throws -> Bool {
    var isUp = false
    _ = waitUntil(deadline: .seconds(10)) {
        isUp = (try? PlainClient(port: port, timeout: .milliseconds(500))) != nil
        return isUp || process.poll() != nil
    }
    return isUp
}
