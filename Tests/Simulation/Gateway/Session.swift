import EngineCore
import EngineModel
import Primitives

@testable import Engine

/// What a worker knows of one connection: the part of its record that has nothing to do with sockets.
final class Session {
    enum Stage { case choose, pending, resolve, connect, retry, relay, over }

    let id: UInt64
    let slot: Int
    let client: Client
    let address: IPAddress
    let listener: ListenerRuntime
    let acceptedAt: Int64
    var stage = Stage.choose
    var route: RouteRuntime?
    var backend: BackendRuntime?
    var endpoint: EndpointState?
    var room: EndpointRoom?
    var held: HeldLimits = []
    var wait: PendingWait?
    var tried = TriedEndpoints()
    var attempts: UInt8 = 0
    var awaitsEndpoint = false
    /// Milliseconds.
    var stageDeadline: Int64 = 0
    var totalDeadline: Int64 = 0
    var lastActivity: Int64 = 0
    /// Nanoseconds.
    var dialledAt: Int64 = 0
    var connectedAt: Int64 = 0
    var hasAnswered = false
    /// Of the response.
    var bytesLeft = 0
    var isReady = false
    var throttle = Throttle()

    init(id: UInt64, slot: Int, client: Client, listener: ListenerRuntime, now: Int64) {
        (self.id, self.slot, self.client, self.listener) = (id, slot, client, listener)
        address = Names.source(client.source)
        acceptedAt = now
    }
}

/// What happens to a connection from outside, delivered to its worker.
enum Happening {
    case arrives(listener: Int, Client)
    case connected(UInt64, attempt: UInt8)
    case refused(UInt64, attempt: UInt8)
    case answers(UInt64)
    case resets(UInt64)
    case leaves(UInt64)
}

/// What another thread asks of a worker.
enum Order { case recheckWaiting, sweep }

/// One immutable table, as far as workers that have no sockets need it.
struct VirtualTable {
    var generation = 0
    var backends = BackendMap()
    /// By number; nil: not bound.
    var listeners: [ListenerRuntime?] = []
    var bandwidthChanges: UInt64 = 0
}
