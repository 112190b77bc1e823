internal import CLinux
internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

/// What all workers share; everything in it is Sendable.
final class EngineShared: Sendable {
    let options: EngineOptions
    let logger: Logger
    let accessLog: AccessLog?
    let budget: MemoryBudget
    /// Client connections open, over all workers. Taken before a connection is accepted, given back after it is closed.
    let connections = Atomic<Int>(0)
    let lingering = Atomic<Int>(0)
    /// Refused connections that are told so later.
    let delayed = Atomic<Int>(0)
    /// The most there may be: they must not take from those that are served.
    let delayedLimit: Int
    /// What wakes each worker, by its index.
    let wakes = Locked<[EventDescriptor]>([])
    /// Sessions closed because of a configuration.
    let disrupted = Atomic<UInt64>(0)
    /// Workers that stopped accepting for want of descriptors or memory, or at the connection limit.
    let pausedForDescriptors = Atomic<Int>(0)
    let pausedAtLimit = Atomic<Int>(0)
    let table: Published<RoutingTable>
    /// The newest table each worker runs, and which retired bindings it let go of.
    let progress: Monitored<Progress>
    let checker: HealthChecker

    struct Progress {
        var seen: [UInt64]
        /// Workers that still accept from bindings that are retired.
        var retiring = 0
        var running: Int
    }

    static let lingeringLimit = 1024

    init(options: EngineOptions, logger: Logger, checker: HealthChecker, accessLog: AccessLog? = nil) {
        self.accessLog = accessLog
        self.checker = checker
        self.options = options
        self.logger = logger
        budget = MemoryBudget(limit: options.bufferMemory)
        delayedLimit = min(4096, max(1, options.maxConnections / 8))
        table = Published(RoutingTable(generation: 0, bindings: [], backends: BackendMap()))
        progress = Monitored(Progress(seen: Array(repeating: 0, count: options.workers), running: options.workers))
    }
}

/// One immutable value, many readers. A reader with nothing new to see takes no lock: it does one atomic load.
final class Published<Value: AnyObject & Sendable>: Sendable {
    private let state: Locked<Value>
    private let generation = Atomic<UInt64>(1)

    init(_ initial: Value) { state = Locked(initial) }

    func publish(_ value: Value) {
        state.withLock { $0 = value }
        generation.add(1, ordering: .releasing)
    }

    struct Reader {
        private let source: Published
        private(set) var value: Value
        private var seen: UInt64 = 0

        init(_ source: Published) { (self.source, value) = (source, source.state.withLock { $0 }) }

        /// Whether a newer value was taken.
        @inline(__always) mutating func refresh() -> Bool {
            let now = source.generation.load(ordering: .acquiring)
            guard now != seen else { return false }
            (value, seen) = (source.state.withLock { $0 }, now)
            return true
        }
    }
}

/// One worker's socket of a binding.
struct ListeningSocket: Sendable {
    /// Of the binding: index in ``RoutingTable/bindings``.
    let slot: Int
    let socket: Int32
}

/// Asks a worker to do something between two turns.
enum WorkerCommand: Sendable {
    case listen([ListeningSocket])
    /// Accept what waits, by the newest table, unless it is left to somebody else; then let go of them.
    case retire([ListeningSocket], servesQueue: Bool)
    /// Go through the slots from there.
    case walk(SlotCursor)
    /// Close the sessions that a changed policy no longer allows.
    case recheck(AuthorizationChange)
    /// Close the sessions whose listener or route has been gone for long enough.
    case sweep
    /// Look again for an endpoint for those that wait for one: the first results of checks are there.
    case recheckWaiting
    /// Stop accepting from a binding, or go on; its queue waits meanwhile.
    case pause(slot: Int, Bool)
    case stop
}

/// Owns an epoll descriptor.
final class Epoll: Sendable {
    let raw: Int32

    init() throws(Errno) {
        let result = sluice_epoll_create()
        guard result >= 0 else { throw Errno(rawValue: -result) }
        raw = result
    }

    deinit { _ = sluice_close(raw) }

    func add(_ descriptor: Int32, _ events: UInt32, _ token: UInt64) throws(Errno) {
        let result = sluice_epoll_control(raw, epollAdd, descriptor, events, token)
        guard result == 0 else { throw Errno(rawValue: -result) }
    }
}

/// What other threads may hold of a worker.
final class WorkerHandle: Sendable {
    let index: Int
    let shared: EngineShared
    let wake: EventDescriptor
    /// Made here, so that a worker that cannot wait is known before the engine starts.
    let epoll: Epoll
    /// Sources of steady bulk. It stands in the first one, which it wakes once after each time it had nothing.
    let pacedEpoll: Epoll
    let commands = Locked<[WorkerCommand]>([])
    /// Turns of the worker's loop; only it writes.
    let turns = Atomic<UInt64>(0)

    init(index: Int, shared: EngineShared) throws(Errno) {
        self.index = index
        self.shared = shared
        wake = try EventDescriptor()
        epoll = try Epoll()
        pacedEpoll = try Epoll()
        try epoll.add(wake.raw, epollIn, EventToken.wake)
        try epoll.add(pacedEpoll.raw, epollIn | epollOnce, EventToken.paced)
    }

    func start() throws(Errno) {
        let thread = try Thread(named: "worker-\(index)") { [self] in
            Worker(handle: self).run()
            shared.progress.update { $0.running -= 1 }
        }
        thread.detach()
    }

    func post(_ command: WorkerCommand) {
        commands.withLock { $0.append(command) }
        wake.signal()
    }
}
