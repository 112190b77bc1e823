internal import Observability
internal import Platform
internal import Primitives

/// One thread of an echo server: its epoll and its connections. Made, used and gone on that thread.
struct EchoLoop: ~Copyable {
    private static let listenerToken: UInt64 = 0
    private static let stopToken: UInt64 = 1
    /// Pause of accepting when the process has no descriptor or memory for one more connection.
    private static let acceptPause = Duration.milliseconds(50)

    private let shared: EchoRun
    private let listener: EchoListener
    private var poller: Poller
    private var connections: [UInt64: EchoConnection] = [:]
    private var nextToken: UInt64 = 2
    private var handshakes = DeadlineQueue(timeout: .seconds(10))
    /// Clients that were refused and have yet to take their alert.
    private var lingering = DeadlineQueue(timeout: .seconds(1))
    private var acceptsAgainAt: MonotonicTime?
    private let scratch: EchoBuffer

    init(_ shared: EchoRun, _ listener: EchoListener) throws(Errno) {
        self.shared = shared
        self.listener = listener
        scratch = EchoBuffer(capacity: 64 << 10)
        let poller = try Poller()
        try poller.add(shared.stopping.raw, token: EchoLoop.stopToken, .readable)
        try poller.add(listener.socket.raw, token: EchoLoop.listenerToken, [.readable, .exclusive])
        self.poller = poller
    }

    /// Serves until the server is stopped; then every connection of this thread is closed.
    mutating func run() throws(Errno) {
        defer { for connection in connections.values { close(connection, "stopped") } }
        while true {
            let wakeAt = [handshakes.next, lingering.next, acceptsAgainAt].compactMap { $0 }.min()
            let tokens = try poller.wait(timeout: wakeAt.map { $0 - .now() })
            if tokens.contains(EchoLoop.stopToken) { return }
            for token in tokens {
                if token == EchoLoop.listenerToken {
                    acceptSome()
                } else if let connection = connections[token] {
                    advance(connection)
                }
            }
            expire()
        }
    }

    private mutating func acceptSome() {
        for _ in 0..<16 {
            do {
                guard let accepted = try StreamSocket.accept(from: listener.socket) else { return }
                try add(accepted.peer, accepted.takeSocket())
            } catch .tooManyOpenFiles, .tooManyOpenFilesInSystem, .outOfMemory, .noBufferSpace {
                pauseAccepting()
                return
            } catch {
                // A connection that its client gave up while it waited: the next one is not concerned.
                shared.logger.debug(
                    "accept failed", ["backend": LogValue(shared.name), "error": LogValue(error: error)])
            }
        }
    }

    private mutating func pauseAccepting() {
        shared.logger.warning("echo server is out of descriptors or memory", ["backend": LogValue(shared.name)])
        poller.remove(listener.socket.raw)
        acceptsAgainAt = .now() + EchoLoop.acceptPause
    }

    private mutating func add(_ peer: SocketAddress?, _ socket: consuming FileDescriptor) throws(Errno) {
        let raw = socket.raw
        guard let transport = EchoTransport(consume socket, shared.context) else { throw .outOfMemory }
        let token = nextToken
        nextToken += 1
        let connection = EchoConnection(token: token, name: shared.name, client: peer, transport: transport)
        try poller.add(raw, token: token, .readable)
        connections[token] = connection
        shared.connectionOpened()
        if transport.isTLS { handshakes.add(token, now: .now()) }
        advance(connection)
    }

    private mutating func advance(_ connection: EchoConnection) {
        let wasLingering = connection.isLingering
        switch connection.advance(scratch) {
        case .waiting(let interest):
            if connection.isLingering, !wasLingering {
                lingering.add(connection.token, now: .now())
            }
            guard interest != connection.interest else { return }
            connection.interest = interest
            do {
                try poller.change(connection.raw, token: connection.token, interest)
            } catch {
                remove(connection, "epoll: \(error)")
            }
        case .closed(let reason): remove(connection, reason)
        }
    }

    private mutating func remove(_ connection: EchoConnection, _ reason: String) {
        connections[connection.token] = nil
        close(connection, reason)
    }

    private func close(_ connection: EchoConnection, _ reason: String) {
        shared.connectionClosed()
        shared.logger.debug(
            "echo connection closed",
            [
                "backend": LogValue(shared.name), LogKey.clientAddress: LogValue(connection.clientText),
                LogKey.bytesReceived: LogValue(connection.bytesReceived),
                LogKey.bytesSent: LogValue(connection.bytesSent), LogKey.closeReason: LogValue(reason),
            ])
    }

    private mutating func expire() {
        guard acceptsAgainAt != nil || handshakes.next != nil || lingering.next != nil else { return }
        let now = MonotonicTime.now()
        if let resumeAt = acceptsAgainAt, resumeAt <= now {
            do {
                try poller.add(listener.socket.raw, token: EchoLoop.listenerToken, [.readable, .exclusive])
                acceptsAgainAt = nil
            } catch {
                acceptsAgainAt = now + EchoLoop.acceptPause
            }
        }
        while let token = lingering.takeExpired(now) {
            if let connection = connections[token] { remove(connection, "refused client did not close") }
        }
        while let token = handshakes.takeExpired(now) {
            guard let connection = connections[token], connection.isHandshaking else { continue }
            remove(connection, "TLS handshake timed out")
        }
    }
}
