internal import Glibc
internal import Platform

/// A non-blocking socket that can be closed while others still hold it.
final class TestSocket: Sendable {
    private let descriptor: Locked<Int32?>

    init(_ socket: consuming FileDescriptor) {
        descriptor = Locked(socket.release())
        ignoreBrokenPipeSignal()
    }

    deinit { close() }

    func raw() throws -> Int32 {
        guard let raw = descriptor.withLock({ $0 }) else { throw TestFailure("the connection was closed by this test") }
        return raw
    }

    func close(reset: Bool = false) {
        descriptor.withLock { raw in
            guard let open = raw else { return }
            if reset {
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(open, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            }
            _ = Glibc.close(open)
            raw = nil
        }
    }

    func shutdownWrite() throws {
        guard shutdown(try raw(), Int32(SHUT_WR)) == 0 else { throw streamError(errno) }
    }

    /// Waits until it can be read or written.
    func wait(_ events: Int32, until deadline: MonotonicTime, for what: String) throws {
        let left = deadline - .now()
        var entry = pollfd(fd: try raw(), events: Int16(events), revents: 0)
        let result = poll(&entry, 1, Int32(clamping: max(0, left.wholeMilliseconds)))
        if result == 0 || (result < 0 && errno != EINTR) { throw StreamError.timedOut(what) }
    }
}

func streamError(_ number: Int32) -> StreamError {
    number == ECONNRESET || number == EPIPE ? .reset : .system(Errno(rawValue: number))
}
