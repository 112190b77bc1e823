public import Platform
public import Primitives

/// Why a server's address could not be bound.
public struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    public let address: SocketAddress
    public let cause: Errno
    /// Who holds the port, where that is the cause and may be seen.
    public let holder: PortHolder?

    init(_ address: SocketAddress, _ cause: Errno) {
        (self.address, self.cause) = (address, cause)
        holder = cause == .addressInUse ? PortHolders()[address.port] : nil
    }

    /// `cannot listen on 127.0.0.1:19000: port 19000 is in use by redis-server (pid 812)`
    public var description: String {
        let reason =
            switch cause {
            case .addressInUse: "port \(address.port) is in use" + (holder.map { " by \($0)" } ?? "")
            case .addressNotAvailable: "this host has no such address"
            case .permissionDenied where address.port < 1024:
                "ports below 1024 need the capability CAP_NET_BIND_SERVICE"
            default: cause.description
            }
        return "cannot listen on \(address): \(reason)"
    }
}

/// Binds and listens: `[::]` takes IPv4 too, and becomes 0.0.0.0 on a host without IPv6.
func listen(on address: SocketAddress) throws(ListenError) -> FileDescriptor {
    do {
        return try StreamSocket.listen(on: address, dualStack: address.ip == .anyV6)
    } catch {
        let hasNoIPv6 = error == .addressFamilyNotSupported || error == .addressNotAvailable
        guard address.ip == .anyV6, hasNoIPv6 else { throw ListenError(address, error) }
        return try listen(on: SocketAddress(.anyV4, address.port))
    }
}
