internal import CLinux
internal import EngineModel
internal import Glibc
internal import Platform
internal import Primitives

/// The sockets of one binding: one per worker with SO_REUSEPORT, all listening before any is accepted from. They belong
/// to the process and none is closed while the binding lives, because closing one resets what waits in its queue.
final class ListenerGroup: Sendable {
    let binding: Binding
    /// One; more where the process was handed more sockets than it has workers.
    let rows: [Row]
    private let configured = Locked<ListenerSettings?>(nil)

    /// At most one socket for each worker.
    struct Row: Sendable {
        /// Index in ``RoutingTable/bindings``.
        let slot: Int
        /// By worker; -1: it accepts from another row only.
        var sockets: [Int32]
    }

    private init(binding: Binding, rows: [Row]) {
        self.binding = binding
        self.rows = rows
    }

    var sockets: [Int32] { rows.flatMap(\.sockets).filter { $0 >= 0 } }

    func close() {
        for socket in sockets { _ = sluice_close(socket) }
    }

    /// Takes over sockets that listen already, and which it owns from now on, whatever comes of it: each of them is accepted
    /// from. Workers beyond them get further members of the group, or share where it takes none (a socket that was bound
    /// without SO_REUSEPORT). `slots`: ``rowCount(_:workers:)`` of them.
    static func inherit(
        _ descriptors: [Int32], _ binding: Binding, slots: [Int], workers: Int, settings: ListenerSettings
    ) throws(BindFailure) -> ListenerGroup {
        var sockets = descriptors
        do throws(BindFailure) {
            for socket in descriptors { try check(sluice_set_nonblocking(socket, 1), binding) }
            while sockets.count < workers {
                if let socket = further(binding, settings) {
                    sockets.append(socket)
                } else {
                    sockets.append(try check(sluice_dup(descriptors[sockets.count % descriptors.count]), binding))
                }
            }
        } catch {
            for socket in sockets { _ = sluice_close(socket) }
            throw error
        }
        sockets += Array(repeating: -1, count: slots.count * workers - sockets.count)
        let rows = slots.enumerated().map { row, slot in
            Row(slot: slot, sockets: Array(sockets[row * workers..<(row + 1) * workers]))
        }
        let group = ListenerGroup(binding: binding, rows: rows)
        group.configure(settings)
        return group
    }

    /// The slots that so many sockets need.
    static func rowCount(_ sockets: Int, workers: Int) -> Int { max(1, (sockets + workers - 1) / workers) }

    /// Another member of a group that exists; nil where the group takes none.
    private static func further(_ binding: Binding, _ settings: ListenerSettings) -> Int32? {
        do throws(BindFailure) {
            let family = try addressFamily(for: binding)
            let socket = try bound(family, address(of: binding, family), binding, sharing: true)
            if sluice_listen(socket, settings.backlog) >= 0 { return socket }
            _ = sluice_close(socket)
            return nil
        } catch { return nil }
    }

    /// Binds and listens. Of a port in use the failure does not say who has it.
    ///
    /// `probes`: look for a foreign holder first; not where a group of ours has the port already.
    static func open(
        _ binding: Binding, slot: Int, workers: Int, settings: ListenerSettings, probes: Bool
    ) throws(BindFailure) -> ListenerGroup {
        let family = try addressFamily(for: binding)
        let address = address(of: binding, family)
        // Without SO_REUSEPORT first: a second process of the same user would otherwise share the port unseen.
        if probes { _ = sluice_close(try bound(family, address, binding, sharing: false)) }
        var sockets: [Int32] = []
        do throws(BindFailure) {
            for _ in 0..<workers {
                let socket = try bound(family, address, binding, sharing: true)
                sockets.append(socket)
                try check(sluice_listen(socket, settings.backlog), binding)
            }
        } catch {
            for socket in sockets { _ = sluice_close(socket) }
            throw error
        }
        let group = ListenerGroup(binding: binding, rows: [Row(slot: slot, sockets: sockets)])
        group.configure(settings)
        return group
    }

    /// IPv6 for every local address where the host has it (one dual-stack socket), else IPv4.
    private static func addressFamily(for binding: Binding) throws(BindFailure) -> Int32 {
        if let address = binding.address { return address.isV4 ? AF_INET : AF_INET6 }
        let probe = sluice_socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return AF_INET }
        defer { _ = sluice_close(probe) }
        _ = sluice_set_option(probe, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
        let any = KernelAddress(SocketAddress(.anyV6, 0))
        return any.withPointer { sluice_bind(probe, $0, $1) } == 0 ? AF_INET6 : AF_INET
    }

    private static func address(of binding: Binding, _ family: Int32) -> SocketAddress {
        SocketAddress(binding.address ?? (family == AF_INET6 ? .anyV6 : .anyV4), binding.port)
    }

    private static func bound(
        _ family: Int32, _ address: SocketAddress, _ binding: Binding, sharing: Bool
    ) throws(BindFailure) -> Int32 {
        let socket = try check(sluice_socket(family, Int32(SOCK_STREAM.rawValue), 0), binding)
        do throws(BindFailure) {
            try check(sluice_set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1), binding)
            if sharing { try check(sluice_set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1), binding) }
            if family == AF_INET6 {
                let only: Int32 = binding.address == nil ? 0 : 1
                try check(sluice_set_option(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, only), binding)
            }
            try check(KernelAddress(address).withPointer { sluice_bind(socket, $0, $1) }, binding)
        } catch {
            _ = sluice_close(socket)
            throw error
        }
        return socket
    }

    /// Sets the options that connections accepted from now on inherit, where they are not set so already.
    func configure(_ settings: ListenerSettings) {
        let isNew = configured.withLock { known in
            defer { known = settings }
            return known != settings
        }
        guard isNew else { return }
        for socket in sockets {
            _ = sluice_set_option(socket, protocolTCP, TCP_NODELAY, 1)
            if let keepalive = settings.keepalive {
                setKeepalive(socket, keepalive)
            } else {
                _ = sluice_set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 0)
            }
            // A socket that another version opened may have one (see ``PeerSilence``).
            _ = sluice_set_option(socket, protocolTCP, TCP_USER_TIMEOUT, 0)
        }
    }

    @discardableResult
    private static func check(_ result: Int32, _ binding: Binding) throws(BindFailure) -> Int32 {
        guard result < 0 else { return result }
        throw BindFailure(errno: -result, message: explanation(Errno(rawValue: -result), binding))
    }

    private static func explanation(_ error: Errno, _ binding: Binding) -> String {
        switch error {
        case .addressInUse:
            return "port \(binding.port) is in use by another program"
        case .permissionDenied:
            return "port \(binding.port) is below 1024 and this user may not bind it: "
                + "grant CAP_NET_BIND_SERVICE or set net.ipv4.ip_unprivileged_port_start"
        case .addressNotAvailable:
            return "address \(binding.address.map(\.description) ?? "*") is not one of this host's"
        case .addressFamilyNotSupported:
            return "address \(binding.address.map(\.description) ?? "*") is IPv6, which this host does not have"
        default:
            return "\(binding) cannot be bound: \(error)"
        }
    }
}

/// Keepalive, without TCP_USER_TIMEOUT, which would end a peer that does not read for long: see ``PeerSilence``.
func setKeepalive(_ socket: Int32, _ keepalive: TCPKeepalive) {
    let tcp = Int32(IPPROTO_TCP)
    _ = sluice_set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1)
    _ = sluice_set_option(socket, tcp, TCP_KEEPIDLE, keepalive.idleSeconds)
    _ = sluice_set_option(socket, tcp, TCP_KEEPINTVL, keepalive.intervalSeconds)
    _ = sluice_set_option(socket, tcp, TCP_KEEPCNT, keepalive.probes)
}
