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
    private let workers: [WorkerHandle]
    private let control: Locked<Control>
    private let signals = Monitored(Signals())
    private let names: NameWatcher
    private let observer = Locked<(@Sendable (Acknowledgement) -> Void)?>(nil)

    /// What wakes the control thread.
    struct Signals {
        var namesChanged = false
        var bindFailed = false
        var stopped = false
    }

    /// Starts the workers; nothing is bound yet.
    public init(options: EngineOptions, logger: Logger) throws(Errno) {
        sluice_tls_prepare()
        let shared = EngineShared(options: options, logger: logger)
        self.shared = shared
        var workers: [WorkerHandle] = []
        for index in 0..<options.workers { workers.append(try WorkerHandle(index: index, shared: shared)) }
        self.workers = workers
        control = Locked(Control(compiler: TableCompiler(workers: options.workers, logger: logger)))
        let signals = signals
        let resolver = try Resolver(logger: logger, servers: options.dnsServers)
        names = NameWatcher(resolver: resolver) { signals.update { $0.namesChanged = true } }
        for worker in workers { try worker.start() }
        let thread = try Thread(named: "engine-control") { [weak self] in
            while let more = self?.controlTurn(signals), more {}
        }
        thread.detach()
    }

    public func onListenerChange(_ body: @escaping @Sendable (Acknowledgement) -> Void) {
        observer.withLock { $0 = body }
    }

    public func apply(_ configuration: EngineConfiguration) -> Acknowledgement {
        names.watch(Engine.names(of: configuration))
        return control.withLock { control in
            control.configuration = configuration
            control.generation += 1
            reconcile(&control)
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
        for worker in workers { worker.post(.stop) }
        _ = shared.progress.wait { $0.running == 0 ? true : nil }
    }

    /// Stops accepting at a binding, or goes on. New clients wait in the kernel's queue meanwhile; established
    /// connections are not touched. Lasts until the binding is removed. False: nothing is bound there.
    @discardableResult
    public func setPaused(_ isPaused: Bool, at binding: Binding) -> Bool {
        control.withLock { control in
            guard let group = control.groups[binding] else { return false }
            for worker in workers { worker.post(.pause(slot: group.slot, isPaused)) }
            return true
        }
    }

    /// Asks every worker, and waits for all answers.
    func walk(_ walk: SlotWalk) -> [ConnectionInfo] {
        walk.result.update { $0.workersLeft = workers.count }
        for worker in workers { worker.post(.walk(walk)) }
        while true {
            let answer = walk.result.wait(until: .now() + .milliseconds(100)) {
                $0.workersLeft <= 0 ? $0.connections : nil
            }
            if let answer { return answer }
            // Workers that have ended answer no more.
            let stopped = shared.progress.wait(until: .now()) { $0.running == 0 ? true : nil }
            if stopped == true { return walk.result.wait(until: .now()) { $0.connections } ?? [] }
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

    func withCompiler<Result>(_ body: (TableCompiler, Acknowledgement) -> Result) -> Result {
        control.withLock { body($0.compiler, $0.acknowledgement) }
    }

    private static func names(of configuration: EngineConfiguration) -> Set<NameKey> {
        var keys: Set<NameKey> = []
        for backend in configuration.backends {
            for endpoint in backend.endpoints {
                if case .name(let name, _) = endpoint.address {
                    keys.insert(NameKey(name: name, settings: backend.settings))
                }
            }
        }
        return keys
    }
}

extension Engine {
    /// Everything that is changed under the control lock.
    struct Control {
        var compiler: TableCompiler
        var configuration = EngineConfiguration()
        /// Counts applications.
        var generation: UInt64 = 0
        /// Counts tables: applications, and answers of names.
        var tableGeneration: UInt64 = 0
        var groups: [Binding: ListenerGroup] = [:]
        var failures: [Binding: Retry] = [:]
        var freeSlots: [Int] = []
        var slotCount = 0
        var isDraining = false

        struct Retry {
            var failure: BindFailure
            var attempts: Int
            var due: MonotonicTime
        }

        var acknowledgement: Acknowledgement {
            var states = groups.mapValues { _ in BindingState.bound }
            for (binding, retry) in failures { states[binding] = .failed(retry.failure) }
            return Acknowledgement(generation: generation, bindings: states)
        }
    }

    /// Makes sockets and table what the configuration says, and returns when every worker runs it.
    private func reconcile(_ control: inout Control) {
        let compiled = control.compiler.compile(control.configuration, names: names.answers)
        let wanted = control.isDraining ? [:] : compiled.bindings
        // A port that changes its shape (every address, then one) is held by both groups for a moment, so none is lost.
        let ownPorts = Set(control.groups.keys.map(\.port))
        let added = open(wanted, ownPorts: ownPorts, &control)
        let removed = control.groups.values.filter { wanted[$0.binding] == nil }
        for group in removed { control.groups[group.binding] = nil }
        publish(compiled, draining: control.isDraining ? removed : [], &control)
        for group in added {
            for worker in workers { worker.post(.listen(slot: group.slot, socket: group.sockets[worker.index])) }
        }
        awaitWorkers(control.tableGeneration)
        retire(removed, &control)
        for (binding, group) in control.groups {
            if let settings = compiled.bindings[binding]?.primary.configuration.settings { group.configure(settings) }
        }
    }

    private func open(
        _ wanted: [Binding: BindingRuntime], ownPorts: Set<UInt16>, _ control: inout Control
    ) -> [ListenerGroup] {
        var added: [ListenerGroup] = []
        control.failures = control.failures.filter { wanted[$0.key] != nil }
        let now = MonotonicTime.now()
        for (binding, runtime) in wanted.sorted(by: { $0.key < $1.key }) where control.groups[binding] == nil {
            let attempts = control.failures[binding]?.attempts ?? 0
            let slot = control.freeSlots.popLast() ?? control.slotCount
            do throws(BindFailure) {
                let settings = runtime.primary.configuration.settings
                let group =
                    if let inherited = shared.options.inheritedListeners[binding] {
                        try ListenerGroup.inherit(
                            inherited, binding, slot: slot, workers: workers.count, settings: settings)
                    } else {
                        try ListenerGroup.open(
                            binding, slot: slot, workers: workers.count, settings: settings,
                            probes: !ownPorts.contains(binding.port))
                    }
                if slot == control.slotCount { control.slotCount += 1 }
                control.groups[binding] = group
                control.failures[binding] = nil
                added.append(group)
                shared.logger.info("listener bound", ["address": "\(binding)"])
            } catch {
                if slot < control.slotCount { control.freeSlots.append(slot) }
                let pause = Duration.milliseconds(min(5000, 250 << min(attempts, 5)))
                if control.failures[binding]?.failure != error {
                    shared.logger.warning(
                        "listener cannot be bound", ["address": "\(binding)", "problem": "\(error.message)"])
                }
                control.failures[binding] = .init(failure: error, attempts: attempts + 1, due: now + pause)
            }
        }
        if !control.failures.isEmpty { signals.update { $0.bindFailed = true } }
        return added
    }

    private func publish(
        _ compiled: (bindings: [Binding: BindingRuntime], backends: [BackendID: BackendRuntime]),
        draining: [ListenerGroup], _ control: inout Control
    ) {
        control.tableGeneration += 1
        var slots = [BindingRuntime?](repeating: nil, count: control.slotCount)
        // What waits in the queue of a listener that is closed for shutdown is still served.
        for group in Array(control.groups.values) + draining { slots[group.slot] = compiled.bindings[group.binding] }
        shared.table.publish(
            RoutingTable(generation: control.tableGeneration, bindings: slots, backends: compiled.backends))
        for worker in workers { worker.wake.signal() }
    }

    private func awaitWorkers(_ generation: UInt64) {
        _ = shared.progress.wait { progress in
            progress.running == 0 || progress.seen.allSatisfy { $0 >= generation } ? true : nil
        }
    }

    private func retire(_ groups: [ListenerGroup], _ control: inout Control) {
        guard !groups.isEmpty else { return }
        shared.progress.update { progress in
            for group in groups { progress.retiring[group.slot] = workers.count }
        }
        for worker in workers {
            for group in groups { worker.post(.retire(slot: group.slot, socket: group.sockets[worker.index])) }
        }
        _ = shared.progress.wait { progress in
            progress.running == 0 || progress.retiring.isEmpty ? true : nil
        }
        for group in groups {
            group.close()
            control.freeSlots.append(group.slot)
            shared.logger.info("listener closed", ["address": "\(group.binding)"])
        }
    }

    /// One turn of the control thread: waits for a changed name or the next bind to try again. False: stopped.
    private func controlTurn(_ signals: Monitored<Signals>) -> Bool {
        let due = control.withLock { $0.failures.values.map(\.due).min() }
        let woken = signals.wait(until: min(due ?? .distantFuture, .now() + .seconds(1))) { signals -> Signals? in
            guard signals.namesChanged || signals.bindFailed || signals.stopped else { return nil }
            defer { signals.namesChanged = false; signals.bindFailed = false }
            return signals
        }
        if woken?.stopped == true { return false }
        let changed = control.withLock { control -> Acknowledgement? in
            let isDue = control.failures.values.contains { $0.due <= .now() }
            guard isDue || woken?.namesChanged == true else { return nil }
            let before = control.acknowledgement
            reconcile(&control)
            return control.acknowledgement == before ? nil : control.acknowledgement
        }
        if let changed { observer.withLock { $0 }?(changed) }
        return true
    }
}

extension MonotonicTime {
    static let distantFuture = MonotonicTime(nanoseconds: .max)
}
