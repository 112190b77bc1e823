internal import Glibc
internal import Platform

/// A listening unix socket of a test.
public final class UnixTestServer: Sendable {
    private let listener: FileDescriptor

    /// At a path of at most 107 bytes where nothing is yet.
    public init(_ path: String) throws {
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard raw >= 0 else { throw TestFailure("no socket") }
        listener = FileDescriptor(owning: raw)
        let bound = KernelAddress(.unix(path: path)).withPointer { bind(raw, $0, $1) }
        guard bound == 0, listen(raw, 8) == 0 else { throw TestFailure("cannot listen on \(path)") }
    }

    public func accept(timeout: Duration = .seconds(10)) throws -> PlainClient {
        let deadline = MonotonicTime.now() + timeout
        while true {
            if let accepted = try StreamSocket.accept(from: listener) { return PlainClient(accepted: accepted) }
            let left = deadline - .now()
            guard left > .zero else { throw StreamError.timedOut("accepting on a unix socket") }
            _ = try pollReadable([listener.raw], timeout: left)
        }
    }
}
