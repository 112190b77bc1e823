internal import Glibc
internal import Platform
public import Primitives

/// Keeps a port of an address while nobody listens on it: a socket that is bound and does not listen. Connections are
/// refused, the kernel gives the port to nobody who asks for any, and whoever sets SO_REUSEADDR may listen on it.
public final class PortReservation: Sendable {
    public let address: SocketAddress
    private let socket: FileDescriptor

    /// Port 0: the kernel chooses.
    public init(_ wanted: SocketAddress) throws {
        let raw = Glibc.socket(wanted.ip.isV4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard raw >= 0 else { throw Errno(rawValue: errno) }
        socket = FileDescriptor(owning: raw)
        _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
        var on: Int32 = 1
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let result = KernelAddress(wanted).withPointer { bind(raw, $0, $1) }
        guard result == 0 else { throw Errno(rawValue: errno) }
        guard let address = StreamSocket.localAddress(of: socket) else { throw Errno.addressNotAvailable }
        self.address = address
    }
}
