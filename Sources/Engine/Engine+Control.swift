internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

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
        var departures = Departures()
        var sessions = SessionWatch()
        var slots = BindingSlots()
        var isDraining = false
        /// What waits in accept queues is left to somebody else who has the sockets, too.
        var leavesQueues = false
        var handover: Handover
        var applyDurations = DurationHistogram()

        struct Retry {
            var failure: BindFailure
            var attempts: Int
            var due: MonotonicTime
        }

        init(compiler: TableCompiler, options: EngineOptions) {
            self.compiler = compiler
            handover = Handover(inherited: options.inheritedListeners, isHeld: options.holdsListeners)
        }

        var acknowledgement: Acknowledgement {
            var states = groups.mapValues { _ in BindingState.bound }
            for (binding, retry) in failures { states[binding] = .failed(retry.failure) }
            var acknowledgement = Acknowledgement(generation: generation, bindings: states)
            (acknowledgement.resolved, acknowledgement.unresolved) = compiler.nameStates
            return acknowledgement
        }
    }

    /// Makes sockets and table what the configuration says, and returns when every worker runs it.
    func reconcile(_ control: inout Control) {
        let compiled = control.compiler.compile(control.configuration, names: names.answers)
        if let targets = control.compiler.healthBook.takeTargets() { shared.checker.use(targets) }
        control.departures.note(compiled.changes, listeners: control.compiler.listeners, now: .now())
        if !control.departures.isEmpty { signals.update { $0.haveLeft = true } }
        let wanted = control.isDraining ? [:] : compiled.bindings
        // A port that changes its shape (every address, then one) is held by both groups for a moment, so none is lost.
        let ownPorts = Set(control.groups.keys.map(\.port))
        let added = open(wanted, ownPorts: ownPorts, &control)
        let removed = control.groups.values.filter { wanted[$0.binding] == nil }
        for group in removed { control.groups[group.binding] = nil }
        publish(compiled, draining: control.isDraining ? removed : [], &control)
        if !control.handover.isHeld { listen(added) }
        awaitWorkers(control.tableGeneration)
        recheck(compiled.changes)
        control.sessions.note(control.compiler, now: .now())
        if !control.sessions.isEmpty { signals.update { $0.haveLeft = true } }
        retire(removed, &control)
        for (binding, group) in control.groups {
            if let settings = compiled.bindings[binding]?.primary.configuration.settings { group.configure(settings) }
        }
    }

    /// Sessions that passed before every worker ran the newest table are judged by its policies.
    private func recheck(_ changes: [TableCompiler.ListenerChange]) {
        let rechecks = changes.flatMap(\.rechecks)
        guard !rechecks.isEmpty else { return }
        let change = AuthorizationChange(rechecks)
        for worker in workers { worker.post(.recheck(change)) }
    }

    func open(
        _ wanted: [Binding: BindingRuntime], ownPorts: Set<UInt16>, _ control: inout Control
    ) -> [ListenerGroup] {
        var added: [ListenerGroup] = []
        control.failures = control.failures.filter { wanted[$0.key] != nil }
        let now = MonotonicTime.now()
        let missing = wanted.filter { control.groups[$0.key] == nil }
        // Read once, however many ports are taken.
        var holders: PortHolders?
        for (binding, runtime) in missing.sorted(by: { $0.key < $1.key }) {
            let attempts = control.failures[binding]?.attempts ?? 0
            do throws(BindFailure) {
                let group = try makeGroup(
                    binding, runtime.primary.configuration.settings, probes: !ownPorts.contains(binding.port), &control)
                control.groups[binding] = group
                control.failures[binding] = nil
                added.append(group)
                shared.logger.info("listener bound", ["address": "\(binding)"])
            } catch {
                let pause = Duration.milliseconds(min(5000, 250 << min(attempts, 5)))
                let error = named(error, binding, &holders)
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

    private func makeGroup(
        _ binding: Binding, _ settings: ListenerSettings, probes: Bool, _ control: inout Control
    ) throws(BindFailure) -> ListenerGroup {
        guard !control.handover.isLending else { throw Handover.notNow }
        let inherited = control.handover.inherited.removeValue(forKey: binding) ?? []
        let slots = control.slots.take(ListenerGroup.rowCount(inherited.count, workers: workers.count))
        do throws(BindFailure) {
            if inherited.isEmpty {
                return try .open(
                    binding, slot: slots[0], workers: workers.count, settings: settings, probes: probes)
            }
            return try .inherit(inherited, binding, slots: slots, workers: workers.count, settings: settings)
        } catch {
            control.slots.giveBack(slots)
            throw error
        }
    }

    func listen(_ groups: [ListenerGroup]) {
        guard !groups.isEmpty else { return }
        for worker in workers { worker.post(.listen(worker.sockets(of: groups))) }
    }

    /// With who has the port, where that can be seen.
    private func named(_ failure: BindFailure, _ binding: Binding, _ holders: inout PortHolders?) -> BindFailure {
        guard failure.errno == Errno.addressInUse.rawValue else { return failure }
        let known = holders ?? PortHolders()
        holders = known
        guard let holder = known[binding.port] else { return failure }
        return BindFailure(
            errno: failure.errno,
            message: "port \(binding.port) is in use by \(holder.process) (pid \(holder.pid))")
    }

    func publish(
        _ compiled: TableCompiler.Output, draining: [ListenerGroup], _ control: inout Control
    ) {
        control.tableGeneration += 1
        var slots = [BindingRuntime?](repeating: nil, count: control.slots.count)
        // What waits in the queue of a listener that is closed for shutdown is still served.
        for group in Array(control.groups.values) + draining {
            for row in group.rows { slots[row.slot] = compiled.bindings[group.binding] }
        }
        shared.table.publish(
            RoutingTable(
                generation: control.tableGeneration, bindings: slots, backends: compiled.backends,
                bandwidthChanges: control.compiler.bandwidth.changes,
                configurationGeneration: control.generation))
        for worker in workers { worker.wake.signal() }
    }

    func awaitWorkers(_ generation: UInt64) {
        _ = shared.progress.wait { progress in
            progress.running == 0 || progress.seen.allSatisfy { $0 >= generation } ? true : nil
        }
    }

    func retire(_ groups: [ListenerGroup], _ control: inout Control) {
        guard !groups.isEmpty else { return }
        shared.progress.update { $0.retiring = workers.count }
        let servesQueue = !control.leavesQueues && !control.handover.isHeld
        for worker in workers { worker.post(.retire(worker.sockets(of: groups), servesQueue: servesQueue)) }
        _ = shared.progress.wait { $0.running == 0 || $0.retiring == 0 ? true : nil }
        for group in groups {
            group.close()
            control.slots.giveBack(group.rows.map(\.slot))
            shared.logger.info("listener closed", ["address": "\(group.binding)"])
        }
    }

    /// One turn of the control thread: waits for a changed name, the next bind to try again, or the time to close what a
    /// configuration has left behind. False: stopped.
    func controlTurn(_ signals: Monitored<Signals>) -> Bool {
        let due = control.withLock { control in
            let (departed, first) = control.departures.turn(now: .now(), logger: shared.logger)
            let (ended, second) = control.sessions.turn(now: .now())
            let next = min(first, second)
            if departed || ended { for worker in workers { worker.post(.sweep) } }
            return control.failures.values.reduce(next) { min($0, $1.due) }
        }
        let woken = signals.wait(until: min(due, .now() + .seconds(1))) { signals -> Signals? in
            let isWoken = signals.namesChanged || signals.bindFailed || signals.haveLeft || signals.stopped
            guard isWoken || !signals.healthChanges.isEmpty else { return nil }
            defer {
                (signals.namesChanged, signals.bindFailed, signals.haveLeft) = (false, false, false)
                signals.healthChanges = []
            }
            return signals
        }
        if woken?.stopped == true { return false }
        followHealth(woken?.healthChanges ?? [])
        ticketKeys.rotate(now: .now())
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

extension WorkerHandle {
    fileprivate func sockets(of groups: [ListenerGroup]) -> [ListeningSocket] {
        groups.flatMap(\.rows).filter { $0.sockets[index] >= 0 }
            .map { ListeningSocket(slot: $0.slot, socket: $0.sockets[index]) }
    }
}

extension MonotonicTime {
    static let distantFuture = MonotonicTime(nanoseconds: .max)
}
