internal import EngineModel
internal import Platform
internal import Primitives

/// Listening sockets that this process did not bind itself, until somebody takes them.
struct InheritedListeners {
    private var sockets: [InheritedDescriptor.Listener] = []

    var isEmpty: Bool { sockets.isEmpty }
    var count: Int { sockets.count }

    /// Owns the descriptors: copies of one socket, and what is no listening TCP socket, are closed.
    init(_ descriptors: [Int32]) {
        var known: Set<UInt64> = []
        for raw in descriptors {
            InheritedDescriptor.closeOnExec(raw)
            if let socket = InheritedDescriptor.listener(raw), known.insert(socket.inode).inserted {
                sockets.append(socket)
            } else {
                InheritedDescriptor.close(raw)
            }
        }
    }

    /// The socket for one server of ours. Any further ones of that address are closed: a server accepts from one.
    mutating func take(at address: SocketAddress) -> Int32? {
        let wanted = Binding(address)
        let found = sockets.filter { Binding($0) == wanted }
        sockets.removeAll { Binding($0) == wanted }
        for extra in found.dropFirst() { InheritedDescriptor.close(extra.raw) }
        return found.first?.raw
    }

    /// All that are left, for the data plane.
    mutating func takeAll() -> [Binding: [Int32]] {
        defer { sockets = [] }
        return Dictionary(grouping: sockets) { Binding($0) }.mapValues { $0.map(\.raw) }
    }
}

extension Binding {
    /// Every address of one family counts as every address.
    init(_ address: SocketAddress) {
        self.init(address: address.ip == .anyV6 || address.ip == .anyV4 ? nil : address.ip, port: address.port)
    }

    fileprivate init(_ listener: InheritedDescriptor.Listener) { self.init(listener.address) }
}
