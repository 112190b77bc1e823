import Glibc
import Platform
import TestSupport

/// Blocking sockets and one buffer, so that a hundred thousand messages take seconds. Every wait ends after ten seconds.
final class StraightConnection {
    private let raw: Int32
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: messageSize, alignment: 16)
    static let messageSize = 64

    init(to port: UInt16) throws {
        raw = try blockingSocket()
        var address = loopback(port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(raw, $0, size) }
        }
        guard result == 0 else { throw TestFailure("connect: \(errno)") }
        buffer.initializeMemory(as: UInt8.self, repeating: 7, count: StraightConnection.messageSize)
    }

    deinit {
        close(raw)
        buffer.deallocate()
    }

    func send() throws {
        let size = StraightConnection.messageSize
        guard Glibc.send(raw, buffer, size, Int32(MSG_NOSIGNAL)) == size else { throw TestFailure("send: \(errno)") }
    }

    func receive() throws {
        let size = StraightConnection.messageSize
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        guard recv(raw, buffer, size, Int32(MSG_WAITALL)) == size else {
            throw TestFailure("receive: \(errno)")
        }
        let bytes = buffer.assumingMemoryBound(to: UInt8.self)
        guard bytes[0] == 7, bytes[size - 1] == 7 else { throw TestFailure("other bytes than were sent") }
    }
}

/// Sends back what it receives, on a fixed number of threads: each serves one connection to its end.
final class StraightEcho: Sendable {
    let port: UInt16
    private let listener: Int32

    init(threads: Int) throws {
        listener = try blockingSocket()
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (raw, length) = (listener, size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(raw, $0, length) == 0 && listen(raw, 1024) == 0 && getsockname(raw, $0, &size) == 0
            }
        }
        guard bound else { throw TestFailure("listen: \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        for _ in 0..<threads {
            try Thread(named: "straight-echo") { while StraightEcho.serve(raw) {} }.detach()
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func serve(_ listener: Int32) -> Bool {
        let raw = accept(listener, nil, nil)
        guard raw >= 0 else { return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED }
        defer { close(raw) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer in
            while true {
                let count = recv(raw, buffer.baseAddress, buffer.count, 0)
                guard count > 0, Glibc.send(raw, buffer.baseAddress, count, Int32(MSG_NOSIGNAL)) == count else {
                    return true
                }
            }
        }
    }
}

private func blockingSocket() throws -> Int32 {
    let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { throw TestFailure("socket: \(errno)") }
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var on: Int32 = 1
    setsockopt(raw, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    return raw
}

private func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}
