internal import Platform
internal import Primitives
internal import TestSupport

/// Accepts connections on one port and serves each on a thread of its own. Can be closed and opened again.
final class HTTPListener: Sendable {
    private struct Open: Sendable {
        var stop: EventDescriptor
        var connections: [Int: HTTPConnection] = [:]
        var nextNumber = 0
    }

    private let state: Locked<ClusterState>
    private let current: Monitored<Open?>
    private let running = Monitored(0)
    private let reservation: PortReservation
    var address: SocketAddress { reservation.address }

    /// Listens at once.
    init(address: SocketAddress, state: Locked<ClusterState>) throws {
        self.state = state
        current = Monitored(nil)
        reservation = try PortReservation(address)
        try open()
    }

    /// Listens, also again, on the same port. Nothing happens where it does already.
    func open() throws {
        guard current.wait(until: .now(), { $0 == nil ? true : nil }) != nil else { return }
        try start(try StreamSocket.listen(on: address))
    }

    /// How many clients are connected.
    var connectionCount: Int { current.update { $0?.connections.count ?? 0 } }

    /// Stops listening, resets every connection, and waits until their threads are gone.
    func close() {
        let wasOpen = current.update { open -> Bool in
            guard let now = open else { return false }
            now.stop.signal()
            now.connections.values.forEach { $0.reset() }
            open = nil
            return true
        }
        guard wasOpen else { return }
        state.withLock { $0.wake() }
        _ = running.wait(until: .now() + .seconds(10)) { $0 == 0 ? true : nil }
    }

    func dropConnections() {
        current.update { $0?.connections.values.forEach { $0.reset() } }
        state.withLock { $0.wake() }
    }

    private func start(_ socket: consuming FileDescriptor) throws {
        let stop = try EventDescriptor()
        current.update { $0 = Open(stop: stop) }
        let raw = socket.release()
        running.update { $0 += 1 }
        let thread = try Thread(named: "api-accept") { [self] in
            // The socket is closed before anyone who waits for it may listen again.
            accept(on: FileDescriptor(owning: raw), until: stop)
            running.update { $0 -= 1 }
        }
        thread.detach()
    }

    private func accept(on socket: consuming FileDescriptor, until stop: EventDescriptor) {
        while true {
            guard let ready = try? pollReadable([socket.raw, stop.raw], timeout: nil), !ready.contains(1) else {
                return
            }
            while true {
                guard let accepted = try? StreamSocket.accept(from: socket) else { break }
                serve(HTTPConnection(accepted.takeSocket()), stop: stop)
            }
        }
    }

    private func serve(_ connection: HTTPConnection, stop: EventDescriptor) {
        let number = current.update { open -> Int? in
            guard open?.stop === stop, let number = open?.nextNumber else { return nil }
            open?.nextNumber = number + 1
            open?.connections[number] = connection
            return number
        }
        guard let number else { return }
        running.update { $0 += 1 }
        do {
            let thread = try Thread(named: "api-conn") { [self] in
                ConnectionService(connection, state: state, listener: self).run()
                current.update { open in
                    if open?.stop === stop { open?.connections[number] = nil }
                }
                running.update { $0 -= 1 }
            }
            thread.detach()
        } catch {
            running.update { $0 -= 1 }
        }
    }
}
