public import EngineModel

/// What the process gives the engine; fixed for its life.
public struct EngineOptions: Hashable, Sendable {
    /// Data-plane threads, 1–64.
    public var workers: Int
    /// Client connections open at once, refused-and-lingering ones included; at least 1.
    public var maxConnections: Int
    /// Bytes that all pooled buffers and filled pipes of the process may hold; at least 1 MiB.
    public var bufferMemory: Int
    /// Descriptors that the process may have. The last of them, an eighth and at most 64, are not for connections.
    public var descriptors = Int.max
    /// DNS servers, `address:port` separated by commas; nil for those of /etc/resolv.conf.
    public var dnsServers: String?
    /// Listening sockets that the process was handed (socket activation, a predecessor's), by what they are bound to: a
    /// binding named here is not bound when it is wanted first, but taken over. The engine owns the descriptors.
    public var inheritedListeners: [Binding: [Int32]] = [:]
    /// Listeners are bound, but nothing is accepted before ``Engine/beginAccepting()``: somebody else still does.
    public var holdsListeners = false

    /// From this one on a descriptor is one of those that are kept: whoever is accepted with one is the last for now.
    var descriptorCeiling: Int { descriptors - min(64, descriptors / 8) }
    /// From this one on not even those who were accepted before get one, for their backend: the last half of what is kept.
    var backendDescriptorCeiling: Int { descriptors - min(32, descriptors / 16) }

    public init(workers: Int, maxConnections: Int, bufferMemory: Int = 64 << 20, dnsServers: String? = nil) {
        self.workers = min(max(workers, 1), 64)
        self.maxConnections = max(maxConnections, 1)
        self.bufferMemory = max(bufferMemory, 1 << 20)
        self.dnsServers = dnsServers
    }
}
