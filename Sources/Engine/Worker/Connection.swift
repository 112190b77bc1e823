internal import EngineCore
internal import EngineModel
internal import Primitives

/// Where a connection stands in its life. Up to `.connected` it is the pipeline, in this order; each stage answers with a
/// ``StageOutcome``.
enum Stage: UInt8 {
    case free
    /// A header of the PROXY protocol may stand before what the client says.
    case proxyHeader
    /// The client may ask for TLS in its own protocol.
    case startTLS
    /// The ClientHello is being peeked at.
    case inspect
    /// TLS handshake with the client.
    case handshake
    /// Limits and authorization: with no flag set it costs one test.
    case admit
    case choose
    /// Waits for room at the backend, or at one of its endpoints.
    case pending
    /// Waits for a name's first answer, or for the first results of checks.
    case resolve
    case connect
    /// The endpoint has not taken all of what it is told before anything else.
    case greet
    /// Pause before the next endpoint is tried.
    case retry
    /// TLS handshake with the backend.
    case backendHandshake
    /// The backend was asked for TLS in its protocol, and its answer is awaited.
    case backendStartTLS
    case relay
    /// An alert was sent; the client's close is awaited.
    case linger
    /// Refused and counted; the client is told when the limit's delay is over.
    case delay
}

enum StageOutcome {
    case proceed(Stage)
    case wait
    case refuse(CloseReason, CloseSide)
    /// The connection is gone already.
    case gone
}

struct SideFlags: OptionSet {
    let rawValue: UInt8
    static let readable = SideFlags(rawValue: 1)
    static let writable = SideFlags(rawValue: 2)
    /// The peer's FIN is known to be queued: reads go on until they return 0.
    static let hungUp = SideFlags(rawValue: 4)
    static let failed = SideFlags(rawValue: 8)
    /// The SSL object met a fatal error and must not be used again.
    static let tlsBroken = SideFlags(rawValue: 16)
    /// …because the peer reset the connection.
    static let tlsReset = SideFlags(rawValue: 32)
    /// Urgent data has been seen: reads stop at its mark, so a short one does not mean an empty socket, and splice never
    /// passes the mark.
    static let urgent = SideFlags(rawValue: 64)
    /// Keepalive towards a backend was set.
    static let keptAlive = SideFlags(rawValue: 128)
    /// With either of them a short read does not mean that nothing is left.
    @inline(__always) static var moreAfterShortRead: SideFlags { SideFlags(rawValue: 4 | 64) }
}

/// What the stages before the ClientHello have learnt.
struct OpeningFlags: OptionSet {
    let rawValue: UInt8
    /// The proxy's own connection, such as a health check: a client only once it has sent something.
    static let local = OpeningFlags(rawValue: 1)
    /// The client asked for TLS in its protocol and was told to go on.
    static let requestedTLS = OpeningFlags(rawValue: 2)
    /// It asked for another encryption before and was told that there is none.
    static let refusedGSS = OpeningFlags(rawValue: 4)
}

/// One of a connection's two sockets. Raw memory owned by the worker's slot table.
struct Side {
    var descriptor: Int32 = -1
    var flags: SideFlags = []
    var silence = PeerSilence()
    /// `SSL *`, or nil for plain TCP.
    var tls: OpaquePointer?
}

enum Direction: Int {
    /// Client to backend.
    case request = 0
    /// Backend to client.
    case response = 1

    var opposite: Direction { self == .request ? .response : .request }
    var side: CloseSide { self == .request ? .client : .backend }
}

struct FlowFlags: OptionSet {
    let rawValue: UInt8
    /// The source's end of stream was read.
    static let ended = FlowFlags(rawValue: 1)
    /// …and it was a FIN without close_notify on a TLS source.
    static let truncated = FlowFlags(rawValue: 2)
    /// The end was passed on to the sink.
    static let shutDown = FlowFlags(rawValue: 4)
    /// TLS sink: close_notify waits for room.
    static let shutdownPending = FlowFlags(rawValue: 8)
    /// In the worker's ready list for another round.
    static let ready = FlowFlags(rawValue: 16)
    static let noSplice = FlowFlags(rawValue: 32)
    /// The sink refused bytes (reset): what is still read from the source is dropped.
    static let sinkFailed = FlowFlags(rawValue: 64)
    /// Steady bulk: its source is in the worker's second epoll.
    static let paced = FlowFlags(rawValue: 128)
}

/// One direction of a relayed connection.
struct Flow {
    /// Bytes that the sink did not take yet, oldest first.
    var held: UnsafeMutablePointer<Block>?
    var heldTail: UnsafeMutablePointer<Block>?
    /// A pipe that still holds bytes, or -1.
    var pipe: Int32 = -1
    var pipeBytes: Int = 0
    var flags: FlowFlags = []
    /// Full reads in a row, then rounds by splice: evidence of bulk. From ``Worker/steadyBulk`` on it is paced.
    var bulk: UInt8 = 0
    var bytes: UInt64 = 0
    /// Milliseconds of the last read in this direction, or write of what it held; before that, of the relay's begin.
    var lastByteAt: Int64 = 0
    /// Bytes this round may still move; `Int.max`: any number. Of a limited direction negative between two rounds.
    var allowance: Int = .max
    /// Milliseconds, when a pipe began to be held; 0: none is.
    var heldSince: Int64 = 0

    @inline(__always) var holdsData: Bool { held != nil || pipe >= 0 }
}

/// What a worker knows of one connection: one record per slot, raw memory, reset at accept. Times are monotonic
/// nanoseconds, 0 where it did not happen.
struct ConnectionRecord {
    /// Unique in the process: worker index in the top byte, then a count.
    var id: UInt64 = 0
    /// Goes up each time the slot is reused; late events carry an older one.
    var life: UInt32 = 0
    var stage: Stage = .free
    var queued = false
    var attempts: UInt8 = 0
    var tlsMode: TLSModeFlag = .none
    /// In ``Worker/waitingForEndpoints``, perhaps from an earlier life of the slot.
    var awaitsEndpoint = false
    /// Of the limits of its listener and route; given back when it is counted as closed.
    var held: HeldLimits = []
    /// Where it was accepted: index in ``RoutingTable/bindings``.
    var bindingSlot: Int32 = 0
    /// What SO_RCVLOWAT of the client's socket is.
    var lowWater: Int32 = 1
    /// Which direction ended first, and how: it names the close. ``Direction`` as a number, or -1.
    var endedFirst: Int8 = -1
    var endReason: CloseReason = .clientClosed
    var opening: OpeningFlags = []
    /// Next slot in the ready or handshake list, or -1.
    var next: Int32 = -1
    /// Who connects: the peer, until a PROXY header names another.
    var client = SocketAddress(.anyV4, 0)
    var peer = SocketAddress(.anyV4, 0)
    /// What it connected to, where its listener is bound to one address; port 0: the kernel knows.
    var destination = SocketAddress(.anyV4, 0)

    // Owned references: retained when set, released at close.
    /// Only until the listener is known: while a PROXY header, a request for TLS or the ClientHello is awaited.
    var binding: Unmanaged<BindingRuntime>?
    var listener: Unmanaged<ListenerRuntime>?
    var route: Unmanaged<RouteRuntime>?
    var backend: Unmanaged<BackendRuntime>?
    var endpoint: Unmanaged<EndpointState>?
    /// The route's counters of this worker, valid while `route` is held.
    var routeCells: Cells?
    var tried = TriedEndpoints()

    /// C string of the client's SNI, owned; nil without.
    var serverName: UnsafeMutablePointer<CChar>?

    var acceptedAt: Int64 = 0
    var inspectedAt: Int64 = 0
    var handshakenAt: Int64 = 0
    var dialledAt: Int64 = 0
    var connectedAt: Int64 = 0
    var firstRequestByteAt: Int64 = 0
    var firstResponseByteAt: Int64 = 0

    /// Deadlines and activity in milliseconds of the worker's clock; 0: none.
    var stageDeadline: Int64 = 0
    var totalDeadline: Int64 = 0
    var lastActivity: Int64 = 0
    var halfClosedAt: Int64 = 0
    var keepaliveAt: Int64 = 0

    /// What the PROXY header said, owned; nil without one.
    var proxyHeader: Unmanaged<ReceivedProxyHeader>?
    /// What limits each direction's bytes, owned; nil: nothing ever did.
    var throttles: UnsafeMutablePointer<Throttle>?

    // Owned references that few connections have, told by ``held``.
    /// Where it was counted before it was accepted.
    var reservation: Unmanaged<PauseSet>?
    var pending: Unmanaged<PendingAuthorization>?
    /// What the endpoint has still to be told; nil outside of ``Stage/greet``.
    var greeting: Unmanaged<PendingGreeting>?
    /// Where it is counted at its endpoint.
    var room: Unmanaged<EndpointRoom>?
    /// Of one that waited for room: also after that.
    var wait: Unmanaged<PendingWait>?

    /// Milliseconds of the worker's clock, when the access log has another line of it; 0: no such line.
    var nextLineAt: Int64 = 0
}

enum TLSModeFlag: UInt8 { case none, passthrough, terminate }

/// What epoll hands back: a slot, its life and the side, or one of the worker's own descriptors.
enum EventToken {
    private static let special: UInt64 = 1 << 63
    static let wake: UInt64 = .max
    /// The second epoll, of paced sources.
    static let paced: UInt64 = .max - 1

    @inline(__always) static func connection(slot: Int, life: UInt32, side: Int) -> UInt64 {
        UInt64(slot) << 31 | UInt64(life & 0x3fff_ffff) << 1 | UInt64(side)
    }
    @inline(__always) static func slot(_ token: UInt64) -> Int { Int(token >> 31) }
    @inline(__always) static func life(_ token: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: token >> 1) & 0x3fff_ffff
    }
    @inline(__always) static func side(_ token: UInt64) -> Int { Int(token & 1) }

    private static let race: UInt64 = special | 1 << 62
    /// A second attempt to connect (``Race``).
    static func race(slot: Int, life: UInt32) -> UInt64 { race | UInt64(slot) << 30 | UInt64(life & 0x3fff_ffff) }
    /// Of a special one that is none of those above.
    static func isRace(_ token: UInt64) -> Bool { token & race == race }
    static func raceSlot(_ token: UInt64) -> Int { Int((token & ~race) >> 30) }
    static func raceLife(_ token: UInt64) -> UInt32 { UInt32(token & 0x3fff_ffff) }

    @inline(__always) static func listener(_ binding: Int) -> UInt64 { special | UInt64(binding) }
    @inline(__always) static func isSpecial(_ token: UInt64) -> Bool { token & special != 0 }
    @inline(__always) static func binding(_ token: UInt64) -> Int { Int(token & ~special) }
}
