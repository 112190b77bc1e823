public import EngineModel
public import Observability
public import Platform

/// What `run` needs of an engine. The executable's engine conforms; tests have their own.
public protocol DataPlane: ConfigurationTarget, EngineObserving {
    /// Client connections open now.
    var activeConnections: Int { get }
    /// What is wrong though traffic flows, one sentence each; empty when all is well.
    var warnings: [String] { get }
    /// TLS session tickets are sealed and opened by these keys from the next handshake on; nil: by keys of the process's own.
    func setTicketKeys(_ ring: TicketKeyRing?)
    /// Takes what waits in the accept queues, closes every listener, and lets established connections go on.
    func beginDrain()
    /// Where listeners are bound.
    var boundBindings: Set<Binding> { get }
    /// Copies of every listening socket, all or none; the caller closes them.
    func copyListeners() throws(Errno) -> [Binding: [Int32]]
    /// While copies are with another process that is to take over, nothing new is bound.
    func setLending(_ isLending: Bool)
    /// As ``beginDrain()``, but what waits in the accept queues is left to the process that has copies of the sockets.
    func handOver()
    /// Ends ``DataPlaneLimits/holdsListeners``.
    func beginAccepting()
    /// Closes inherited listeners that no configuration has wanted, and says which.
    func closeUnusedInherited() -> [Binding]
    /// Ends what is left. Returns when every thread is gone.
    func stop()
    /// Opens the access log's file again under its name. False: it is not written to a file.
    func reopenAccessLog() -> Bool
    /// Appends the families that the engine counts.
    func writeMetrics(into text: inout PrometheusText)
}

/// What the process gives its data plane, worked out from flags and host.
public struct DataPlaneLimits: Sendable, Hashable {
    public var workers: Int
    public var maxConnections: Int
    /// Bytes.
    public var bufferMemory: Int
    /// That the process may have.
    public var descriptors = Int.max
    /// Listening sockets that the process was handed, by what they are bound to. The data plane owns them.
    public var inheritedListeners: [Binding: [Int32]] = [:]
    /// Listeners are bound, but accept nothing before ``DataPlane/beginAccepting()``.
    public var holdsListeners = false
}
