internal import Glibc
internal import Platform

/// What a request is and how it is sent.
struct TransferStart: Sendable {
    var request: HTTPRequest
    var options: HTTPClientOptions
    var group: HTTPClient.Group
    var isFresh: Bool
}

/// Who gets the answer.
enum TransferSink: Sendable {
    case whole(@Sendable (Result<HTTPResponse, TransportError>) -> Void)
    case lines(LineBuffer)
}

/// Commands to the client's thread.
final class CurlMailbox: Sendable {
    enum Command: Sendable {
        case start(TransferStart, TransferSink)
        case cancel(LineBuffer)
        case stop
    }

    private struct State {
        var commands: [Command] = []
        var thread: pthread_t?
        var isOpen = true
        var hasEnded = false
    }

    private let state = Monitored(State())
    private let event: EventDescriptor

    init() throws(Errno) { event = try EventDescriptor() }

    /// False when the thread takes no more.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let taken = state.update { state in
            guard state.isOpen else { return false }
            state.commands.append(command)
            return true
        }
        if taken { event.signal() }
        return taken
    }

    /// Readable while commands wait.
    var descriptor: Int32 { event.raw }

    func takeAll() -> [Command] {
        event.drain()
        return state.update { state in
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// The thread says that it runs.
    func begin() { state.update { $0.thread = pthread_self() } }

    /// Nothing is taken any more; what was posted and not taken yet.
    func close() -> [Command] {
        state.update { state in
            state.isOpen = false
            defer { state.commands = [] }
            return state.commands
        }
    }

    /// The thread touches nothing any more.
    func end() {
        state.update { state in
            state.hasEnded = true
            state.thread = nil
        }
    }

    var isOwnThread: Bool { state.update { $0.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false } }

    func waitForEnd() {
        guard !isOwnThread else { return }
        _ = state.wait { $0.hasEnded ? true : nil }
    }
}
