internal import Observability
internal import CLinux
internal import EngineModel
internal import Glibc
internal import Platform
internal import Primitives
internal import Synchronization

enum PauseReason { case limit, descriptors }

extension Worker {
    /// Connections taken from one listener per turn, so that a flood of new ones starves nobody: the fewer where those that
    /// were taken before still wait for something, for what has begun is to be finished first.
    private static let acceptsPerTurn = 8
    private static let acceptsBesideOthers = 2
    private static let pauseMilliseconds: Int64 = 20

    func listen(_ slot: Int, _ socket: Int32) {
        while listeners.count <= slot { listeners.append(-1) }
        listeners[slot] = socket
        let result = sluice_epoll_control(epoll.raw, epollAdd, socket, acceptEvents(slot), EventToken.listener(slot))
        // No memory to watch it: tried again with the pause's end, like everything that wants for memory.
        if result != 0 { pauseAccepting(.descriptors) }
    }

    func setPaused(_ slot: Int, _ isPaused: Bool) {
        if isPaused { pausedByOperator.insert(slot) } else { pausedByOperator.remove(slot) }
        watchListener(slot)
    }

    /// Waits for its connections, or not, as is right now.
    func watchListener(_ slot: Int) {
        guard slot < listeners.count, listeners[slot] >= 0 else { return }
        // No memory for it: tried again with the pause's end.
        if !watch(listeners[slot], slot) { pauseAccepting(.descriptors) }
    }

    /// False: its connections are not told of. Not waiting for them never fails.
    private func watch(_ socket: Int32, _ slot: Int) -> Bool {
        let (events, token) = (acceptEvents(slot), EventToken.listener(slot))
        if sluice_epoll_control(epoll.raw, epollModify, socket, events, token) == 0 { return true }
        _ = sluice_epoll_control(epoll.raw, epollDelete, socket, 0, 0)
        return events == 0 || sluice_epoll_control(epoll.raw, epollAdd, socket, events, token) == 0
    }

    private func acceptEvents(_ slot: Int) -> UInt32 { isPaused || isPaused(slot) ? 0 : epollIn }

    /// By an operator or at its limit. Mostly nothing is: then nothing is hashed either.
    private func isPaused(_ slot: Int) -> Bool {
        !pausedByOperator.isEmpty && pausedByOperator.contains(slot)
            || !pausedAtLimit.isEmpty && pausedAtLimit.contains(slot)
    }

    /// Serves or refuses, by the newest table, what waits in the queues; the process closes the sockets when all let go.
    func retire(_ sockets: [ListeningSocket], _ servesQueue: Bool) {
        for entry in sockets { retire(entry.slot, entry.socket, servesQueue) }
        shared.progress.update { $0.retiring -= 1 }
    }

    private func retire(_ slot: Int, _ socket: Int32, _ servesQueue: Bool) {
        if slot < listeners.count { listeners[slot] = -1 }
        pausedByOperator.remove(slot)
        pausedAtLimit.remove(slot)
        _ = sluice_epoll_control(epoll.raw, epollDelete, socket, 0, 0)
        guard servesQueue else { return }
        let binding = tables.value.bindings.indices.contains(slot) ? tables.value.bindings[slot] : nil
        // Bounded: a queue holds no more than its backlog.
        for _ in 0..<65_536 {
            guard case .accepted = accept(from: socket, slot, binding) else { break }
        }
    }

    func acceptBatch(_ slot: Int) {
        guard slot < listeners.count, listeners[slot] >= 0, !isPaused, !isPaused(slot) else { return }
        let table = tables.value
        let binding = slot < table.bindings.count ? table.bindings[slot] : nil
        for _ in 0..<(comers.isEmpty ? Worker.acceptsPerTurn : Worker.acceptsBesideOthers) {
            switch accept(from: listeners[slot], slot, binding) {
            case .accepted: continue
            case .empty: return
            case .paused(let reason): return pauseAccepting(reason)
            case .full(let level): return pauseAtLimit(slot, level)
            }
        }
    }

    enum AcceptResult {
        case accepted, empty, paused(PauseReason)
        /// The listener waits at its own limit.
        case full(LimitLevel)
    }

    private func accept(from socket: Int32, _ bindingSlot: Int, _ binding: BindingRuntime?) -> AcceptResult {
        // Take first, give back after: the limit is never exceeded.
        let isWithin = shared.connections.add(1, ordering: .relaxed).newValue <= shared.options.maxConnections
        guard isWithin, hasFreeSlot else {
            shared.connections.subtract(1, ordering: .relaxed)
            return .paused(.limit)
        }
        if binding?.pauses != nil, let full = binding?.pauses?.reserve(self) {
            shared.connections.subtract(1, ordering: .relaxed)
            return .full(full)
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = sluice_accept(socket, &storage, &length)
        guard descriptor >= 0 else {
            shared.connections.subtract(1, ordering: .relaxed)
            if binding?.pauses != nil { binding?.pauses?.giveBack(self) }
            switch -descriptor {
            case EAGAIN: return .empty
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .paused(.descriptors)
            default: return .accepted  // ECONNABORTED and its like concern that one client
            }
        }
        guard let binding else {
            _ = sluice_set_linger_reset(descriptor)
            _ = sluice_close(descriptor)
            shared.connections.subtract(1, ordering: .relaxed)
            return .accepted
        }
        let address = KernelAddress.read(storage) ?? SocketAddress(.anyV4, 0)
        let result = begin(descriptor, address, bindingSlot, binding)
        // It is served; the next one waits until there is more room.
        return descriptor < shared.options.descriptorCeiling ? result : .paused(.descriptors)
    }

    private func begin(
        _ descriptor: Int32, _ peer: SocketAddress, _ bindingSlot: Int, _ binding: BindingRuntime
    ) -> AcceptResult {
        let slot = takeSlot()
        // Not to be expected: it was asked for before.
        guard slot >= 0 else {
            _ = sluice_set_linger_reset(descriptor)
            _ = sluice_close(descriptor)
            shared.connections.subtract(1, ordering: .relaxed)
            binding.pauses?.giveBack(self)
            return .paused(.descriptors)
        }
        connectionCount += 1
        let record = records + slot
        record.pointee.id = UInt64(handle.index) << 56 | connectionCount
        record.pointee.client = peer
        record.pointee.peer = peer
        record.pointee.destination = binding.destination
        record.pointee.acceptedAt = now
        record.pointee.bindingSlot = Int32(truncatingIfNeeded: bindingSlot)
        if let reservation = binding.pauses {
            record.pointee.reservation = .passRetained(reservation)
            record.pointee.held = .reserved
        }
        sides[2 * slot].descriptor = descriptor
        setListener(slot, binding.primary)
        let token = EventToken.connection(slot: slot, life: records[slot].life, side: 0)
        guard sluice_epoll_control(epoll.raw, epollAdd, descriptor, connectionEvents, token) == 0 else {
            binding.primary.state.counters.cells(worker: handle.index).add(ListenerField.accepted)
            record.pointee.stage = .admit
            close(slot, .overload, .proxy, reset: true)
            return .paused(.descriptors)
        }
        switch binding.firstStage {
        case .admit:
            binding.primary.state.counters.cells(worker: handle.index).add(ListenerField.accepted)
            record.pointee.stage = .admit
        case let first:
            record.pointee.stage = first
            binding.primary.state.counters.cells(worker: handle.index).add(ListenerField.handshaking)
            records[slot].binding = Unmanaged.passRetained(binding)
            // A hello that is there already spares waiting for epoll to say so.
            sides[2 * slot].flags.insert(.readable)
            guard first != .proxyHeader else {
                beginProxyHeader(slot, binding)
                return .accepted
            }
            guard mayWait(slot, binding) else { return .accepted }
            record.pointee.stageDeadline = nowMilliseconds + binding.primary.inspectionTimeout
            armTimer(slot)
        }
        advance(slot)
        return .accepted
    }

    // MARK: Overload

    func pauseAccepting(_ reason: PauseReason) {
        guard !isPaused else { return }
        isPaused = true
        pauseReason = reason
        resumeAt = nowMilliseconds + Worker.pauseMilliseconds
        countPause(reason, by: 1)
        if reason == .limit { beginHurry() }
        for (slot, socket) in listeners.enumerated() where socket >= 0 { _ = watch(socket, slot) }
        log(
            .warning, reason == .limit ? "connection limit reached" : "no descriptor or memory for another connection",
            limit: .overload)
    }

    /// Listens again; where nothing has changed the next accept pauses anew.
    func resumeAccepting() {
        guard isPaused else { return }
        let hasRoom =
            switch pauseReason {
            case .limit: shared.connections.load(ordering: .relaxed) < shared.options.maxConnections
            case .descriptors: hasSpareDescriptors
            }
        guard hasRoom else {
            resumeAt = nowMilliseconds + Worker.pauseMilliseconds
            if pauseReason == .limit { beginHurry() }
            return
        }
        isPaused = false
        countPause(pauseReason, by: -1)
        for (slot, socket) in listeners.enumerated() where socket >= 0 && !watch(socket, slot) {
            return pauseAccepting(.descriptors)
        }
    }

    private func countPause(_ reason: PauseReason, by change: Int) {
        switch reason {
        case .limit: shared.pausedAtLimit.add(change, ordering: .relaxed)
        case .descriptors: shared.pausedForDescriptors.add(change, ordering: .relaxed)
        }
    }

    // MARK: What a connection holds

    func setListener(_ slot: Int, _ listener: ListenerRuntime) {
        let record = records + slot
        if let old = record.pointee.listener {
            guard old.toOpaque() != Unmanaged.passUnretained(listener).toOpaque() else { return }
            old._withUnsafeGuaranteedRef {
                $0.state.counters.cells(worker: handle.index).subtract(ListenerField.active)
            }
            old.release()
        }
        record.pointee.listener = .passRetained(listener)
        listener.state.counters.cells(worker: handle.index).add(ListenerField.active)
    }

    /// From here on the connection counts for the route, and its close is counted there.
    func setRoute(_ slot: Int, _ route: RouteRuntime) {
        records[slot].route = .passRetained(route)
        let cells = route.cells[handle.index]
        records[slot].routeCells = cells
        if !records[slot].opening.contains(.local) { cells.add(RouteField.opened) }
        cells.add(RouteField.active)
    }
}
