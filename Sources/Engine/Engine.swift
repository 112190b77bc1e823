public import EngineModel
internal import EngineCore
public import Observability
public import Platform
internal import COpenSSL
internal import Resolver
internal import Synchronization

/// The data plane: listens, routes and relays as the newest ``EngineConfiguration`` says. Safe to call from any thread.
///
/// One worker per thread owns its connections from accept to close. Listening sockets belong to the process. The routing
/// table is compiled here, off the workers, and published by one pointer; applying never touches what is established.
public final class Engine: ConfigurationTarget {
    let shared: EngineShared
    let workers: [WorkerHandle]
    let control: Locked<Control>
    let signals = Monitored(Signals())
    let names: NameWatcher
    let ticketKeys: TicketKeyStore
    let observer = Locked<(@Sendable (Acknowledgement) -> Void)?>(nil)

    /// What wakes the control thread.
    struct Signals {
        var namesChanged = false
        var bindFailed = false
        /// Listeners or routes have left the table, or there are sessions to close for another reason.
        var haveLeft = false
        /// Oldest first.
        var healthChanges: [HealthChange] = []
        var stopped = false
    }

    /// Starts the workers; nothing is bound yet. `accessLog`: nobody else's; nil: there is none.
    public init(options: EngineOptions, logger: Logger, accessLog: AccessLog? = nil) throws(Errno) {
        sluice_tls_prepare()
        let checker = try HealthChecker(reports: HealthMailbox(signals), logger: logger)
        let shared = EngineShared(options: options, logger: logger, checker: checker, accessLog: accessLog)
        self.shared = shared
        var workers: [WorkerHandle] = []
        for index in 0..<options.workers { workers.append(try WorkerHandle(index: index, shared: shared)) }
        self.workers = workers
        shared.wakes.withLock { $0 = workers.map(\.wake) }
        let ticketKeys = TicketKeyStore()
        self.ticketKeys = ticketKeys
        let compiler = TableCompiler(
            workers: options.workers, logger: logger, ticketKeys: ticketKeys,
            accessFormats: accessLog?.formats ?? AccessFormats())
        control = Locked(Control(compiler: compiler, options: options))
        let signals = signals
        let resolver = try Resolver(logger: logger, servers: options.dnsServers)
        names = NameWatcher(resolver: resolver) { signals.update { $0.namesChanged = true } }
        var started = 0
        do throws(Errno) {
            try accessLog?.start(workers: options.workers)
            for worker in workers {
                try worker.start()
                started += 1
            }
            try checker.start()
            let thread = try Thread(named: "engine-control") { [weak self] in
                while let more = self?.controlTurn(signals), more {}
            }
            thread.detach()
        } catch {
            abandon(workersStarted: started)
            throw error
        }
    }

    /// An engine that could not be started leaves no thread behind.
    private func abandon(workersStarted: Int) {
        shared.progress.update { $0.running -= workers.count - workersStarted }
        for worker in workers { worker.post(.stop) }
        shared.checker.stop()
        shared.accessLog?.close()
        _ = shared.progress.wait { $0.running == 0 ? true : nil }
    }

    public func onListenerChange(_ body: @escaping @Sendable (Acknowledgement) -> Void) {
        observer.withLock { $0 = body }
    }

    public func apply(_ configuration: EngineConfiguration) -> Acknowledgement { apply(configuration, change: nil) }

    public func apply(_ configuration: EngineConfiguration, change: ConfigurationChange?) -> Acknowledgement {
        let started = MonotonicTime.now()
        return control.withLock { control in
            if let changed = control.compiler.changedNames(configuration, change) { names.watch(changed) }
            control.configuration = configuration
            control.generation += 1
            reconcile(&control)
            control.applyDurations.record(.now() - started)
            return control.acknowledgement
        }
    }

    /// Takes what waits in the accept queues, closes every listener, and lets established connections go on.
    public func beginDrain() {
        control.withLock { control in
            control.isDraining = true
            reconcile(&control)
        }
    }

    /// Ends every connection that is left (`drain`) and the workers. Returns when they are gone.
    public func stop() {
        beginDrain()
        signals.update { $0.stopped = true }
        shared.checker.stop()
        for worker in workers { worker.post(.stop) }
        _ = shared.progress.wait { $0.running == 0 ? true : nil }
        _ = closeUnusedInherited()
        shared.accessLog?.close()
        shared.accessLog?.flush()
    }

    /// The access log's file is opened again under its name, as after a rotation. False: it is not written to a file.
    @discardableResult
    public func reopenAccessLog() -> Bool { shared.accessLog?.reopen() ?? false }

    /// From the next handshake on, tickets of TLS sessions are sealed and opened by these keys; nil: by keys of the engine's
    /// own, which change every half of a ticket's life. Touches neither connections nor the table.
    public func setTicketKeys(_ ring: TicketKeyRing?) { ticketKeys.use(ring) }

    /// Stops accepting at a binding, or goes on. New clients wait in the kernel's queue meanwhile; established
    /// connections are not touched. Lasts until the binding is removed. False: nothing is bound there.
    @discardableResult
    public func setPaused(_ isPaused: Bool, at binding: Binding) -> Bool {
        control.withLock { control in
            guard let group = control.groups[binding] else { return false }
            for row in group.rows {
                for worker in workers { worker.post(.pause(slot: row.slot, isPaused)) }
            }
            return true
        }
    }

    /// Client connections open now.
    public var activeConnections: Int { shared.connections.load(ordering: .relaxed) }

    /// What is wrong though traffic flows: an overload, bindings that failed. Empty when all is well.
    public var warnings: [String] {
        var warnings: [String] = []
        if shared.pausedAtLimit.load(ordering: .relaxed) > 0 {
            warnings.append(
                "accepting is paused: \(shared.options.maxConnections) connections are open (--max-connections)")
        }
        if shared.pausedForDescriptors.load(ordering: .relaxed) > 0 {
            warnings.append("accepting is paused: no descriptor or memory for another connection")
        }
        let failures = control.withLock { $0.failures.values.map(\.failure.message).sorted() }
        return warnings + failures
    }

    /// Turns of all workers' loops: what shows a worker that wakes itself.
    var turns: UInt64 { workers.reduce(0) { $0 &+ $1.turns.load(ordering: .relaxed) } }

    /// How long each application took, until every worker ran it.
    var applyDurations: DurationHistogram { control.withLock { $0.applyDurations } }

    func withCompiler<Result>(_ body: (TableCompiler, Acknowledgement) -> Result) -> Result {
        control.withLock { body($0.compiler, $0.acknowledgement) }
    }
}
