internal import Observability
internal import Platform
internal import Primitives

/// Owns the listening socket.
final class EchoListener: Sendable {
    let socket: FileDescriptor
    init(_ socket: consuming FileDescriptor) { self.socket = socket }
}

/// What the threads of one started server share.
final class EchoRun: Sendable {
    let name: String
    let logger: Logger
    let context: EchoTLSContext?
    let port: UInt16
    /// nil once stopped.
    private let listening: Locked<EchoListener?>
    /// Signalled once, never drained: wakes every thread for good.
    let stopping: EventDescriptor
    private let threads: Int
    private let counts = Monitored(Counts())

    private struct Counts {
        var threads = 0
        var connections = 0
    }

    init(_ configuration: EchoServer.Configuration) throws(EchoServerError) {
        ignoreBrokenPipeSignal()
        name = configuration.name
        logger = configuration.logger
        threads = max(1, configuration.threads ?? min(4, Host.usableProcessors))
        context = try EchoTLSContext(configuration)
        do {
            stopping = try EventDescriptor()
            let listener = EchoListener(try EchoRun.listen(configuration))
            port = StreamSocket.localAddress(of: listener.socket)?.port ?? configuration.port
            listening = Locked(listener)
        } catch {
            let address = SocketAddress(configuration.address, configuration.port)
            throw EchoServerError("the echo server \(configuration.name) cannot listen on \(address): \(error)")
        }
    }

    /// A thread holds it while it serves, so that its number is not used for anything else meanwhile.
    var listener: EchoListener? { listening.withLock { $0 } }

    private static func listen(_ configuration: EchoServer.Configuration) throws(Errno) -> FileDescriptor {
        let address = SocketAddress(configuration.address, configuration.port)
        guard configuration.address == .anyV6 else { return try StreamSocket.listen(on: address, backlog: 4096) }
        do {
            return try StreamSocket.listen(on: address, dualStack: true, backlog: 4096)
        } catch {
            guard error == .addressFamilyNotSupported || error == .addressNotAvailable else { throw error }
            return try StreamSocket.listen(on: SocketAddress(.anyV4, configuration.port), backlog: 4096)
        }
    }

    func start() throws(EchoServerError) {
        for number in 0..<threads {
            counts.update { $0.threads += 1 }
            do {
                let thread = try Thread(named: "echo-\(number)") { [self] in
                    serve()
                    counts.update { $0.threads -= 1 }
                }
                thread.detach()
            } catch {
                counts.update { $0.threads -= 1 }
                throw EchoServerError("the echo server \(name) cannot start a thread: \(error)")
            }
        }
        logger.info(
            "echo server listens", ["backend": LogValue(name), "port": LogValue(port), "tls": LogValue(context != nil)])
    }

    private func serve() {
        guard let listener else { return }
        do {
            var loop = try EchoLoop(self, listener)
            try loop.run()
        } catch {
            logger.error(
                "echo server thread failed", ["backend": LogValue(name), LogKey.error: LogValue(error: error)])
        }
    }

    func stop() {
        stopping.signal()
        _ = counts.wait { $0.threads == 0 ? true : nil }
        listening.withLock { $0 = nil }
    }

    var connectionCount: Int { counts.update { $0.connections } }
    func connectionOpened() { counts.update { $0.connections += 1 } }
    func connectionClosed() { counts.update { $0.connections -= 1 } }
}
