internal import Observability
internal import Platform
internal import Primitives

/// One connection: greeting, echo, end. Belongs to its loop's thread.
final class EchoConnection {
    enum Progress {
        case waiting(Poller.Interest)
        case closed(String)
    }

    private enum Phase {
        case handshaking
        case echoing
        /// The client ended its direction: what is pending goes out, then our end in kind.
        case ending(cleanly: Bool)
        /// A failed handshake: the alert is out, and what still comes is dropped until the client closes.
        case lingering(reason: String)
    }

    private enum Step {
        case again
        case wait(Poller.Interest)
        case close(String)
    }

    let token: UInt64
    var interest: Poller.Interest = .readable
    private(set) var bytesReceived: UInt64 = 0
    private(set) var bytesSent: UInt64 = 0
    private let name: String
    private let client: SocketAddress?
    private let transport: EchoTransport
    private var phase = Phase.handshaking
    /// Read, or written by us, and not yet taken by the client: from `offset` on.
    private var pending: [UInt8] = []
    private var offset = 0

    init(token: UInt64, name: String, client: SocketAddress?, transport: EchoTransport) {
        (self.token, self.name, self.client, self.transport) = (token, name, client, transport)
    }

    var raw: Int32 { transport.socket.raw }
    var clientText: String { client?.description ?? "unknown" }
    var isHandshaking: Bool { if case .handshaking = phase { true } else { false } }
    var isLingering: Bool { if case .lingering = phase { true } else { false } }

    /// Whether the next step writes. A client that ended its direction with close_notify need not send anything more.
    private var hasToWrite: Bool { if case .ending = phase { true } else { !pending.isEmpty } }

    /// Goes on until it must wait, or until others should have their turn (then it waits for what is there already).
    func advance(_ scratch: EchoBuffer) -> Progress {
        for _ in 0..<16 {
            switch step(scratch) {
            case .again: continue
            case .wait(let interest): return .waiting(interest)
            case .close(let reason): return .closed(reason)
            }
        }
        return .waiting(hasToWrite ? .writable : .readable)
    }

    private func step(_ scratch: EchoBuffer) -> Step {
        switch phase {
        case .handshaking: return handshake()
        case .echoing: return pending.isEmpty ? echo(scratch) : flush()
        case .ending(let cleanly):
            guard pending.isEmpty else { return flush() }
            guard cleanly else { return .close("FIN without close_notify") }
            return finish()
        case .lingering(let reason):
            return switch transport.discard(scratch) {
            case .done: .again
            case .wantRead, .wantWrite: .wait(.readable)
            case .ended, .truncated, .failed: .close(reason)
            }
        }
    }

    private func handshake() -> Step {
        switch transport.handshake() {
        case .done:
            pending = greeting(name: name, client: clientText, tls: transport.facts)
            phase = .echoing
            return .again
        case .wantRead: return .wait(.readable)
        case .wantWrite: return .wait(.writable)
        case .ended, .truncated: return .close("gone before the end of the handshake")
        case .failed(let reason):
            phase = .lingering(reason: reason)
            transport.shutdownWrite()
            return .again
        }
    }

    private func echo(_ scratch: EchoBuffer) -> Step {
        switch transport.read(scratch) {
        case .done(let count):
            bytesReceived += UInt64(count)
            return write(scratch, count)
        case .wantRead: return .wait(.readable)
        case .wantWrite: return .wait(.writable)
        case .ended: phase = .ending(cleanly: true)
        case .truncated: phase = .ending(cleanly: false)
        case .failed(let reason): return .close(reason)
        }
        return .again
    }

    /// Writes what was just read; what the client does not take is kept, and nothing is read before it is gone.
    private func write(_ scratch: EchoBuffer, _ count: Int) -> Step {
        let outcome = transport.write(UnsafeRawBufferPointer(rebasing: scratch.bytes[..<count]))
        var written = 0
        switch outcome {
        case .done(let count): written = count
        case .wantRead, .wantWrite: break
        case .ended, .truncated: return .close("closed by the client")
        case .failed(let reason): return .close(reason)
        }
        bytesSent += UInt64(written)
        if written < count { pending = Array(scratch.bytes[written..<count]) }
        if case .wantRead = outcome { return .wait(.readable) }
        if case .wantWrite = outcome { return .wait(.writable) }
        return .again
    }

    private func flush() -> Step {
        switch pending.withUnsafeBytes({ transport.write(UnsafeRawBufferPointer(rebasing: $0[offset...])) }) {
        case .done(let count):
            bytesSent += UInt64(count)
            offset += count
            if offset == pending.count { (pending, offset) = ([], 0) }
            return .again
        case .wantRead: return .wait(.readable)
        case .wantWrite: return .wait(.writable)
        case .ended, .truncated: return .close("closed by the client")
        case .failed(let reason): return .close(reason)
        }
    }

    private func finish() -> Step {
        switch transport.finish() {
        case .wantRead: .wait(.readable)
        case .wantWrite: .wait(.writable)
        case .done, .ended, .truncated: .close("ended by the client")
        case .failed(let reason): .close(reason)
        }
    }
}
