internal import EngineCore
internal import Observability
internal import CLinux
internal import COpenSSL
internal import EngineModel
internal import Glibc
internal import Synchronization

// Every connection ends here: one `close(reason, side)`, counted once.

extension Worker {
    /// Ends a connection before a byte was relayed. On plain TCP, and on TLS before a readable ClientHello: RST. After
    /// it: the fitting alert, FIN, and the client's close is awaited for a second.
    ///
    /// `detail`: what more there is to say of it in the log.
    func refuse(_ slot: Int, _ reason: CloseReason, _ side: CloseSide, detail: String? = nil) {
        log(
            .info, "connection refused", slot: slot, reason: reason,
            detail: reason == .dnsError ? refusedAddresses(slot) : detail)
        endUnserved(slot, reason, side)
    }

    /// A refusal, told to the client as its protocol allows.
    func endUnserved(_ slot: Int, _ reason: CloseReason, _ side: CloseSide) {
        let client = sides + 2 * slot
        // OpenSSL sends no alert of ours once its handshake is done: FIN without close_notify says that this is no
        // orderly end, and unlike RST it does not overtake the handshake's last flight.
        if client.pointee.tls != nil, records[slot].handshakenAt != 0 { return linger(slot, reason, side) }
        guard records[slot].inspectedAt != 0, client.pointee.tls == nil else {
            return close(slot, reason, side, reset: true)
        }
        sendAlert(slot, reason)
        linger(slot, reason, side)
    }

    func sendAlert(_ slot: Int, _ reason: CloseReason) {
        let descriptor = sides[2 * slot].descriptor
        // The hello is still in the kernel's queue: closing over unread bytes would send RST and lose the alert.
        for _ in 0..<8 where sluice_recv(descriptor, scratch, Worker.scratchSize, 0) <= 0 { break }
        let alert: [UInt8] = [21, 3, 3, 0, 2, 2, Worker.alertNumber(for: reason)]
        _ = sluice_send(descriptor, alert, alert.count, 0)
    }

    /// What the backend's names led to though they may not.
    private func refusedAddresses(_ slot: Int) -> String? {
        let refused = records[slot].backend?.takeUnretainedValue().resolved.refused ?? []
        return refused.isEmpty ? nil : "refused by the backend guard: " + refused.joined(separator: ", ")
    }

    /// RFC 8446 §6: unrecognized_name, access_denied, handshake_failure, internal_error.
    private static func alertNumber(for reason: CloseReason) -> UInt8 {
        switch reason {
        case .tlsNoSNIMatch: 112
        case .authorizationDenied: 49
        case .connectionLimit, .sourceConnectionLimit, .rateLimited: 40
        default: 80
        }
    }

    /// An alert is under way: FIN, then the client's close or one second.
    func linger(_ slot: Int, _ reason: CloseReason, _ side: CloseSide) {
        guard takeLingering() else { return close(slot, reason, side, reset: true) }
        leaveStage(slot)
        countClose(slot, reason, side)
        closeBackendSide(slot)
        awaitClientsEnd(slot)
    }

    /// False: too many linger.
    func takeLingering() -> Bool {
        if shared.lingering.add(1, ordering: .relaxed).newValue <= EngineShared.lingeringLimit { return true }
        shared.lingering.subtract(1, ordering: .relaxed)
        return false
    }

    func awaitClientsEnd(_ slot: Int) {
        let client = sides + 2 * slot
        _ = sluice_shutdown_write(client.pointee.descriptor)
        records[slot].stage = .linger
        records[slot].stageDeadline = nowMilliseconds + 1000
        armTimer(slot)
        if client.pointee.flags.contains(.readable) { drainLingering(slot) }
    }

    func drainLingering(_ slot: Int) {
        let descriptor = sides[2 * slot].descriptor
        // Bounded: a client that floods us meanwhile is cut.
        for _ in 0..<4 {
            let count = sluice_recv(descriptor, scratch, Worker.scratchSize, 0)
            if count == wouldBlock { return }
            if count <= 0 { break }
        }
        endLingering(slot)
    }

    func endLingering(_ slot: Int) {
        shared.lingering.subtract(1, ordering: .relaxed)
        release(slot, reset: false)
    }

    /// Ends a connection. `reset`: the client, and a connected backend, see RST rather than FIN.
    func close(_ slot: Int, _ reason: CloseReason, _ side: CloseSide, reset: Bool) {
        // Counted already when the lingering, or the delay, began.
        if records[slot].stage == .linger { return endLingering(slot) }
        if records[slot].stage == .delay { return endDelay(slot) }
        leaveStage(slot)
        countClose(slot, reason, side)
        release(slot, reset: reset)
    }

    func closeAll(_ reason: CloseReason) {
        for slot in 0..<highestSlot {
            switch records[slot].stage {
            case .free: continue
            case .delay: dropDelayed(slot)
            default: close(slot, reason, .proxy, reset: false)
            }
        }
    }

    /// Takes back what the stage had counted.
    func leaveStage(_ slot: Int) {
        switch records[slot].stage {
        case .proxyHeader, .startTLS, .inspect:
            guard let binding = records[slot].binding else { return }
            binding._withUnsafeGuaranteedRef {
                endWaiting(slot, $0)
                let cells = $0.primary.state.counters.cells(worker: handle.index)
                cells.subtract(ListenerField.handshaking)
                if !records[slot].opening.contains(.local) { cells.add(ListenerField.accepted) }
            }
            binding.release()
            records[slot].binding = nil
        case .handshake: endHandshaking(slot)
        case .pending: leaveQueue(slot)
        default: return
        }
    }

    /// Exactly one count per connection: before a route is chosen on the listener, after it on the route.
    func countClose(_ slot: Int, _ reason: CloseReason, _ side: CloseSide) {
        let record = records + slot
        if !record.pointee.held.isEmpty { giveBackLimits(slot) }
        let isClient = !record.pointee.opening.contains(.local) || countLocal(slot)
        if access != nil, isClient { logClose(slot, reason, side) }
        if let cells = record.pointee.routeCells {
            cells.subtract(RouteField.active)
            if isClient {
                cells.add(RouteField.closed(reason, side))
                RouteField.duration.record(now - record.pointee.acceptedAt, in: cells)
            }
        } else if isClient {
            record.pointee.listener?._withUnsafeGuaranteedRef {
                $0.state.counters.cells(worker: handle.index).add(ListenerField.rejected(reason))
            }
        }
        record.pointee.listener?._withUnsafeGuaranteedRef {
            $0.state.counters.cells(worker: handle.index).subtract(ListenerField.active)
        }
        record.pointee.backend?._withUnsafeGuaranteedRef {
            $0.cells[handle.index].subtract(BackendField.active)
            if $0.isObserved { noteEnd(slot, $0, reason) }
        }
        releaseEndpoint(slot)
    }

    /// Gives back everything the slot holds.
    func release(_ slot: Int, reset: Bool) {
        let record = records + slot
        timers.cancel(Int32(slot))
        if record.pointee.throttles != nil { endThrottles(slot) }
        if record.pointee.greeting != nil { dropGreeting(slot) }
        if !races.isEmpty { dropRace(slot) }
        if record.pointee.wait != nil { endWait(slot) }
        for index in 0..<2 {
            let side = sides + (2 * slot + index)
            if let ssl = side.pointee.tls { SSL_free(ssl) }
            if side.pointee.descriptor >= 0 {
                if reset { _ = sluice_set_linger_reset(side.pointee.descriptor) }
                _ = sluice_close(side.pointee.descriptor)
            }
            side.initialize(to: Side())
            dropHeld(flows + (2 * slot + index))
        }
        record.pointee.listener?.release()
        record.pointee.route?.release()
        record.pointee.backend?.release()
        if let name = record.pointee.serverName { free(name) }
        record.pointee.proxyHeader?.release()
        record.pointee.proxyHeader = nil
        record.pointee.listener = nil
        record.pointee.route = nil
        record.pointee.routeCells = nil
        record.pointee.backend = nil
        record.pointee.serverName = nil
        record.pointee.stage = .free
        shared.connections.subtract(1, ordering: .relaxed)
        finishSlot(slot)
        // At the limit the timer resumes: re-arming every listener for each close would cost more than it serves.
        if isPaused, openCount == 0 { resumeAccepting() }
    }
}
