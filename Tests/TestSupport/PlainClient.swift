internal import Glibc
public import Platform
public import Primitives

/// One TCP or Unix connection, whichever side opened it.
public final class PlainClient: TestStream {
    let socket: TestSocket
    /// Our end; nil on a Unix socket.
    public let localAddress: SocketAddress?
    /// The other end as the kernel of this side sees it; nil on a Unix socket.
    public let peerAddress: SocketAddress?

    public init(to address: StreamAddress, timeout: Duration = .seconds(5)) throws {
        let descriptor = try StreamSocket.connect(to: address, timeout: timeout)
        localAddress = StreamSocket.localAddress(of: descriptor)
        if case .ip(let address) = address { peerAddress = address } else { peerAddress = nil }
        socket = TestSocket(descriptor)
    }

    public convenience init(to address: SocketAddress, timeout: Duration = .seconds(5)) throws {
        try self.init(to: .ip(address), timeout: timeout)
    }

    /// From an address of this host, such as any of 127.0.0.0/8, to a port of the same address.
    public init(from source: IPAddress, port: UInt16, timeout: Duration = .seconds(5)) throws {
        let target = SocketAddress(source, port)
        let descriptor = try StreamSocket.connect(to: .ip(target), from: source, timeout: timeout)
        (localAddress, peerAddress) = (StreamSocket.localAddress(of: descriptor), target)
        socket = TestSocket(descriptor)
    }

    /// To 127.0.0.1.
    public convenience init(port: UInt16, timeout: Duration = .seconds(5)) throws {
        try self.init(to: SocketAddress(.loopbackV4, port), timeout: timeout)
    }

    init(accepted: consuming AcceptedSocket) {
        localAddress = StreamSocket.localAddress(of: accepted.socket)
        peerAddress = accepted.peer
        socket = TestSocket(accepted.takeSocket())
    }

    public var ordinaryEnd: StreamEnd { .fin }

    public func send(_ bytes: [UInt8], timeout: Duration) throws {
        let deadline = MonotonicTime.now() + timeout
        var offset = 0
        while offset < bytes.count {
            let raw = try socket.raw()
            let count = bytes.withUnsafeBytes {
                Glibc.send(raw, $0.baseAddress?.advanced(by: offset), $0.count - offset, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                offset += count
            } else if errno == EAGAIN {
                try socket.wait(POLLOUT, until: deadline, for: "sending \(bytes.count) bytes, \(offset) sent")
            } else if errno != EINTR {
                throw streamError(errno)
            }
        }
    }

    /// Sends what the kernel takes at once and returns how much that was.
    public func sendSome(_ bytes: [UInt8]) throws -> Int {
        let count = Glibc.send(try socket.raw(), bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if count < 0, errno != EAGAIN { throw streamError(errno) }
        return max(0, count)
    }

    /// Sends one byte as urgent data (RFC 9293 §3.8.5).
    public func sendUrgent(_ byte: UInt8) throws {
        guard Glibc.send(try socket.raw(), [byte], 1, Int32(MSG_NOSIGNAL) | Int32(MSG_OOB)) == 1 else {
            throw streamError(errno)
        }
    }

    public func receive(max: Int, timeout: Duration) throws -> [UInt8] {
        let deadline = MonotonicTime.now() + timeout
        while true {
            let raw = try socket.raw()
            var failure: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
                let result = recv(raw, buffer.baseAddress, max, 0)
                if result < 0 { failure = errno }
                count = Swift.max(0, result)
            }
            if failure == 0 { return bytes }
            if failure == EAGAIN {
                try socket.wait(POLLIN, until: deadline, for: "receiving")
            } else if failure != EINTR {
                throw streamError(failure)
            }
        }
    }

    /// FIN.
    public func halfClose() throws { try socket.shutdownWrite() }
    public func close() { socket.close() }
    /// RST.
    public func reset() { socket.close(reset: true) }

    /// From now on nothing that comes is received, nor acknowledged, as if its machine had lost its power: a filter drops it.
    public func vanish() throws {
        let raw = try socket.raw()
        // struct sock_filter: BPF_RET | BPF_K with 0, the bytes of each packet to keep.
        var instruction: (code: UInt16, ifTrue: UInt8, ifFalse: UInt8, k: UInt32) = (6, 0, 0, 0)
        let result = withUnsafeMutablePointer(to: &instruction) { instruction in
            // struct sock_fprog.
            var program = (UInt(1), UnsafeMutableRawPointer(instruction))
            return setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &program, 16)
        }
        guard result == 0 else { throw streamError(errno) }
    }

    /// A small receive buffer, so that a peer's writes soon stall. Bytes; the kernel doubles it.
    public func shrinkReceiveBuffer(to bytes: Int32) throws {
        var value = bytes
        guard setsockopt(try socket.raw(), SOL_SOCKET, SO_RCVBUF, &value, 4) == 0 else { throw streamError(errno) }
    }
}

/// A listening socket of a test.
public final class PlainServer: Sendable {
    private let listener: FileDescriptor
    public let address: SocketAddress
    public var port: UInt16 { address.port }

    /// Port 0 is the kernel's choice.
    public init(on address: SocketAddress = SocketAddress(.loopbackV4, 0), backlog: Int32 = 1024) throws {
        let socket = try StreamSocket.listen(on: address, backlog: backlog)
        guard let bound = StreamSocket.localAddress(of: socket) else { throw TestFailure("no local address") }
        self.address = bound
        listener = socket
    }

    public func accept(timeout: Duration = .seconds(10)) throws -> PlainClient {
        let deadline = MonotonicTime.now() + timeout
        while true {
            if let accepted = try StreamSocket.accept(from: listener) { return PlainClient(accepted: accepted) }
            let left = deadline - .now()
            guard left > .zero else { throw StreamError.timedOut("accepting on \(address)") }
            _ = try pollReadable([listener.raw], timeout: left)
        }
    }
}
