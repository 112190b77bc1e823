public import Observability
internal import Platform
public import Primitives

/// A small HTTP/1.1 server for operators: fixed paths, GET, HEAD and POST without a body, one thread of its own, one request per connection.
/// A client that is slow holds up nobody else. Safe to use from any thread.
public final class HTTPServer: Sendable {
    public struct Limits: Sendable {
        /// Connections at a time; further ones wait in the backlog.
        public var connections = 64
        /// Without a byte in either direction.
        public var idle = Duration.seconds(10)
        /// From the accept to the whole request, however often a byte comes; a fifth of it while all connections are in use.
        public var request = Duration.seconds(10)
        /// From the accept to the end of the answer.
        public var total = Duration.seconds(60)
        /// For the request line and the header fields.
        public var connectionMemory = 16 << 10
        /// Of answers that wait for slow clients; beyond it 503.
        public var answers = 64 << 20
        /// How long ``HTTPServer/stop()`` lets answers go out.
        public var grace = Duration.seconds(1)

        public init() {}
    }

    enum State: Sendable {
        case starting
        case running
        case failed(Errno)
        case stopped
    }

    /// Where it listens, with the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress
    /// The listening socket. Closed by ``stop()``.
    public let listener: Int32
    private let stopSignal: EventDescriptor
    private let state: Monitored<State>

    /// Binds, listens and serves. `name` names the thread (15 bytes) and the log lines. `inherited`: a socket that listens
    /// already at the address, and is the server's from now on; nil: it binds one.
    public init(
        name: String, address: SocketAddress, routes: [HTTPRoute], hosts: HostPolicy = .any, limits: Limits = Limits(),
        logger: Logger = .disabled, inherited: Int32? = nil
    ) throws(ListenError) {
        ignoreBrokenPipeSignal()
        let socket = if let inherited { FileDescriptor(owning: inherited) } else { try listen(on: address) }
        let bound = StreamSocket.localAddress(of: socket) ?? address
        let state = Monitored(State.starting)
        let raw = socket.release()
        do {
            let stopSignal = try EventDescriptor()
            let logger = logger.with(["server": LogValue(name), "address": LogValue(describing: bound)])
            // A long answer (a scrape, a list of connections) is a single burst of work, which bytes of clients must not wait for.
            try Thread(named: name, yielding: 10) {
                let loop = HTTPLoop(routes: routes, hosts: hosts, limits: limits, logger: logger)
                do throws(Errno) {
                    try loop.start(listeningOn: FileDescriptor(owning: raw))
                    state.update { $0 = .running }
                    loop.run(until: stopSignal)
                    state.update { $0 = .stopped }
                } catch {
                    state.update { $0 = .failed(error) }
                }
            }.detach()
            (self.address, self.stopSignal, self.state, listener) = (bound, stopSignal, state, raw)
        } catch {
            _ = FileDescriptor(owning: raw)
            throw ListenError(address, error)
        }
        let failure: Errno?? = state.wait { state in
            switch state {
            case .starting: nil
            case .failed(let error): .some(error)
            case .running, .stopped: .some(nil)
            }
        }
        if case .some(.some(let error)) = failure { throw ListenError(address, error) }
    }

    deinit { stopSignal.signal() }

    /// Closes the listening socket at once, lets answers that have begun go out (at most the grace), closes the rest and
    /// returns when the thread has ended. May be called again; not from a handler.
    public func stop() {
        stopSignal.signal()
        let _: Bool? = state.wait { state in
            switch state {
            case .stopped, .failed: true
            case .starting, .running: nil
            }
        }
    }
}
