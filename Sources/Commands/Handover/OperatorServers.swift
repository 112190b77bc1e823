internal import AdminServer
internal import Platform
internal import Primitives

/// Where the servers for probes and operators will listen.
struct ServerPlaces {
    var probes: SocketAddress
    var admin: SocketAddress
    /// Sockets that listen there already; nil: to be bound.
    var probeSocket: Int32?
    var adminSocket: Int32?

    init(_ options: RunOptions, _ inherited: inout InheritedListeners) {
        (probes, admin) = (options.probeAddress, options.adminAddress)
        (probeSocket, adminSocket) = (inherited.take(at: probes), inherited.take(at: admin))
    }

    /// Known before they are bound: all but those that the kernel chooses.
    var ports: Set<UInt16> { Set([probes.port, admin.port].filter { $0 != 0 }) }
}

/// The servers for probes and operators, running.
struct OperatorServers {
    let probes: ProbeServer
    let admin: AdminServer

    var ports: Set<UInt16> { [probes.address.port, admin.address.port] }

    /// Copies of their listening sockets, for the caller to close. Not after ``stop()``.
    func copyListeners() throws(Errno) -> [Int32] {
        let first = try InheritedDescriptor.copy(probes.listener)
        do throws(Errno) { return [first, try InheritedDescriptor.copy(admin.listener)] } catch {
            InheritedDescriptor.close(first)
            throw error
        }
    }

    func stop() {
        probes.stop()
        admin.stop()
    }
}
