public import CLinux
internal import Glibc
public import Primitives

/// Where a stream socket connects to or is bound: an address, or a path in the file system.
public enum StreamAddress: Hashable, Sendable, CustomStringConvertible {
    case ip(SocketAddress)
    case unix(path: String)

    public var description: String {
        switch self {
        case .ip(let address): address.description
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// A stream socket (TCP or Unix), non-blocking and close-on-exec from its birth.
public enum StreamSocket {
    /// Makes a listening socket with SO_REUSEADDR. `dualStack`: an IPv6 socket that takes IPv4 too.
    public static func listen(on address: SocketAddress, dualStack: Bool = false, backlog: Int32 = 1024) throws(Errno)
        -> FileDescriptor
    {
        let socket = FileDescriptor(
            owning: try checked(sluice_socket(address.ip.isV4 ? AF_INET : AF_INET6, sockStream, 0)))
        try checked(sluice_set_option(socket.raw, SOL_SOCKET, SO_REUSEADDR, 1))
        if !address.ip.isV4 {
            try checked(sluice_set_option(socket.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, dualStack ? 0 : 1))
        }
        try checked(KernelAddress(.ip(address)).withPointer { sluice_bind(socket.raw, $0, $1) })
        try checked(sluice_listen(socket.raw, backlog))
        return socket
    }

    /// Connects and waits at most `timeout`. `source`: one of this host's addresses; nil is the kernel's choice.
    public static func connect(
        to address: StreamAddress, from source: IPAddress? = nil, timeout: Duration = .seconds(5)
    ) throws(Errno) -> FileDescriptor {
        let family =
            switch address {
            case .ip(let ip): ip.ip.isV4 ? AF_INET : AF_INET6
            case .unix: AF_UNIX
            }
        let socket = FileDescriptor(owning: try checked(sluice_socket(family, sockStream, 0)))
        if let source {
            // Its port stays free for those who listen.
            try checked(sluice_set_option(socket.raw, SOL_SOCKET, SO_REUSEADDR, 1))
            try checked(KernelAddress(SocketAddress(source, 0)).withPointer { sluice_bind(socket.raw, $0, $1) })
        }
        let result = KernelAddress(address).withPointer { sluice_connect(socket.raw, $0, $1) }
        if result == -EINPROGRESS {
            var entry = pollfd(fd: socket.raw, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, Int32(clamping: timeout.wholeMilliseconds)) == 1 else { throw .timedOut }
            let error = sluice_socket_error(socket.raw)
            guard error == 0 else { throw Errno(rawValue: error) }
        } else {
            try checked(result)
        }
        return socket
    }

    /// Accepts one connection, or nil where none waits.
    public static func accept(from listener: borrowing FileDescriptor) throws(Errno) -> AcceptedSocket? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = sluice_accept(listener.raw, &storage, &length)
        if result == -EAGAIN { return nil }
        return AcceptedSocket(socket: FileDescriptor(owning: try checked(result)), peer: KernelAddress.read(storage))
    }

    /// Ends both directions of a connection that somebody else owns and will close: its owner sees the end of the stream.
    public static func shutdownBoth(_ raw: Int32) { _ = sluice_shutdown_both(raw) }

    /// Sends FIN; the other direction goes on.
    public static func shutdownWrite(_ socket: borrowing FileDescriptor) throws(Errno) {
        try checked(sluice_shutdown_write(socket.raw))
    }

    public static func localAddress(of socket: borrowing FileDescriptor) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard sluice_getsockname(socket.raw, &storage, &length) == 0 else { return nil }
        return KernelAddress.read(storage)
    }
}

/// A connection taken from a listening socket; `peer` is nil for a Unix socket.
public struct AcceptedSocket: ~Copyable {
    public var socket: FileDescriptor
    public let peer: SocketAddress?

    /// Hands over the socket.
    public consuming func takeSocket() -> FileDescriptor { socket }
}

/// `SOCK_STREAM` as the integer that socket(2) takes.
let sockStream = Int32(SOCK_STREAM.rawValue)

/// A socket address in the kernel's layout.
public struct KernelAddress: Sendable {
    private var storage = sockaddr_storage()
    public private(set) var length: UInt32 = 0

    public init(_ address: StreamAddress) {
        switch address {
        case .ip(let address): self.init(address)
        case .unix(let path): self.init(path: path)
        }
    }

    public init(_ address: SocketAddress) {
        switch address.ip {
        case .v4(let value):
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = address.port.bigEndian
            v4.sin_addr.s_addr = value.bigEndian
            store(v4)
        case .v6(let high, let low):
            var v6 = sockaddr_in6()
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &v6.sin6_addr) {
                $0.storeBytes(of: high.bigEndian, as: UInt64.self)
                $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            store(v6)
        }
    }

    /// A Unix path; what does not fit the kernel's 107 bytes is cut, and connecting fails with ENOENT.
    private init(path: String) {
        var unix = sockaddr_un()
        unix.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &unix.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        store(unix)
    }

    private mutating func store<Address>(_ address: Address) {
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: Address.self) }
        length = UInt32(MemoryLayout<Address>.size)
    }

    /// Lends it as the system calls want it.
    public func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, UInt32) -> Result) -> Result {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// Reads an address that the kernel wrote; IPv4-mapped IPv6 becomes IPv4; nil for a family other than IP.
    public static func read(_ storage: sockaddr_storage) -> SocketAddress? {
        withUnsafeBytes(of: storage) { read($0) }
    }

    /// As ``read(_:)``, of memory with at least the bytes of a `sockaddr_in6`.
    public static func read(_ bytes: UnsafeRawBufferPointer) -> SocketAddress? {
        // A port follows the family, and then an IPv4 address, or a flow label and an IPv6 address, all of them big endian.
        let port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let value = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            return SocketAddress(.v4(value), port)
        case AF_INET6:
            let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
            return SocketAddress(IPAddress.v6(high: high, low: low).unmapped, port)
        default:
            return nil
        }
    }
}
