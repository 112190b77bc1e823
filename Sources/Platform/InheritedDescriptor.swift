internal import CLinux
internal import Glibc
public import Primitives

/// Descriptors that another process made.
public enum InheritedDescriptor {
    /// A TCP socket that listens.
    public struct Listener: Hashable, Sendable {
        public var raw: Int32
        /// What it is bound to.
        public var address: SocketAddress
        /// An IPv6 socket that takes IPv4 too.
        public var isDualStack: Bool
        /// Of copies of one socket the same.
        public var inode: UInt64
    }

    /// What a descriptor is, where it is a TCP socket that listens; nil for any other.
    public static func listener(_ raw: Int32) -> Listener? {
        guard option(raw, SOL_SOCKET, SO_ACCEPTCONN) == 1, option(raw, SOL_SOCKET, SO_TYPE) == sockStream else {
            return nil
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard sluice_getsockname(raw, &storage, &length) == 0, let address = KernelAddress.read(storage) else {
            return nil
        }
        var inode: UInt64 = 0
        _ = sluice_descriptor_inode(raw, &inode)
        let isDualStack =
            Int32(storage.ss_family) == AF_INET6 && option(raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 0
        return Listener(raw: raw, address: address, isDualStack: isDualStack, inode: inode)
    }

    /// A copy, close-on-exec; the caller closes it.
    public static func copy(_ raw: Int32) throws(Errno) -> Int32 { try checked(sluice_dup(raw)) }

    /// Programs started from now on do not get it.
    public static func closeOnExec(_ raw: Int32) { _ = sluice_set_close_on_exec(raw) }

    public static func close(_ raw: Int32) { _ = sluice_close(raw) }

    /// What stands at standard input is read no more: /dev/null takes its place. Returns what stood there.
    public static func takeStandardInput() throws(Errno) -> FileDescriptor {
        let taken = FileDescriptor(owning: try checked(sluice_dup(0)))
        let nothing = try FileDescriptor(readingFileAt: "/dev/null")
        try checked(sluice_redirect(nothing.raw, 0))
        return taken
    }

    private static func option(_ raw: Int32, _ level: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        return sluice_get_option(raw, level, name, &value) == 0 ? value : nil
    }
}
