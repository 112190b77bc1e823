internal import COpenSSL
public import Observability
internal import Platform
public import Primitives

/// A test backend: tells each client in one JSON line which backend it is and whom it sees, then sends back every byte.
/// The end of a stream is answered in kind once everything was echoed: FIN by FIN, close_notify by close_notify.
///
/// A few threads with an epoll each; an idle connection owns no buffer, a busy one at most 64 KiB of what its client does
/// not take.
public final class EchoServer: Sendable {
    public struct Configuration: Sendable {
        /// `::` takes IPv4 too, and becomes 0.0.0.0 on a host without IPv6.
        public var address: IPAddress = .anyV6
        /// 0 is the kernel's choice.
        public var port: UInt16 = 0
        public var name = "echo"
        /// PEM: the chain, leaf first, and its key. nil: plain TCP.
        public var tls: (certificatePEM: [UInt8], privateKeyPEM: [UInt8])?
        /// PEM: where given, a client certificate that these verify is demanded.
        public var clientCA: [UInt8]?
        /// In order of preference; a client that offers only others is refused. Empty: ALPN is not answered.
        public var alpn: [String] = []
        /// nil: one per processor, at most 4.
        public var threads: Int?
        public var logger: Logger = .disabled

        public init() {}
    }

    private let configuration: Configuration
    private let run = Locked<EchoRun?>(nil)

    public init(_ configuration: Configuration) { self.configuration = configuration }

    deinit { stop() }

    /// Binds, listens and starts its threads; returns the port. Ignores SIGPIPE for the whole process. Once started it
    /// must be stopped before it is started again.
    public func start() throws(EchoServerError) -> UInt16 {
        let started = try EchoRun(configuration)
        let isFirst = run.withLock { run in
            if run == nil { run = started }
            return run === started
        }
        guard isFirst else { throw EchoServerError("the echo server \(configuration.name) is already running") }
        do {
            try started.start()
        } catch {
            stop()
            throw error
        }
        return started.port
    }

    /// Closes the listener and every connection, and returns when its threads have ended.
    public func stop() {
        let running = run.withLock { run in
            defer { run = nil }
            return run
        }
        running?.stop()
    }

    /// Connections that are open now.
    public var connectionCount: Int { run.withLock { $0 }?.connectionCount ?? 0 }
}

/// Why an echo server cannot start: one sentence.
public struct EchoServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
