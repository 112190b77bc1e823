internal import Synchronization
internal import CLinux
internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Glibc

// What happens to a connection before bytes flow: inspected, handshaken, admitted, endpoint chosen, connected.

extension Worker {
    /// Runs stages until one waits, the connection is refused, or bytes flow.
    func advance(_ slot: Int) {
        while true {
            let outcome: StageOutcome
            switch records[slot].stage {
            case .proxyHeader: outcome = readProxyHeader(slot)
            case .startTLS: outcome = readStart(slot)
            case .inspect: outcome = inspect(slot)
            case .handshake: outcome = handshake(slot)
            case .admit: outcome = admit(slot)
            case .choose: outcome = choose(slot)
            case .connect: outcome = finishConnect(slot)
            case .greet: outcome = continueGreeting(slot)
            case .backendHandshake: outcome = backendHandshake(slot)
            case .backendStartTLS: outcome = readBackendAnswer(slot)
            case .free, .pending, .resolve, .retry, .relay, .linger, .delay: return
            }
            switch outcome {
            case .proceed(.relay): return beginRelay(slot)
            case .proceed(let stage): records[slot].stage = stage
            case .wait, .gone: return
            case .refuse(let reason, let side): return refuse(slot, reason, side)
            }
        }
    }

    /// Does what a stage answered outside of ``advance(_:)``.
    func follow(_ slot: Int, _ outcome: StageOutcome) {
        switch outcome {
        case .proceed(let stage):
            records[slot].stage = stage
            advance(slot)
        case .wait, .gone: return
        case .refuse(let reason, let side): refuse(slot, reason, side)
        }
    }

    /// An epoll event for a connection that is not relaying yet.
    func pipelineEvent(_ slot: Int, _ side: Int) {
        let isClient = side == 0
        if isClient, sides[2 * slot].flags.contains(.failed) {
            if records[slot].stage == .handshake { countHandshake(slot, .terminateUnknown, .clientClosed) }
            if records[slot].stage == .proxyHeader { noteAbandonedHeader(slot) }
            return close(slot, .clientReset, .client, reset: false)
        }
        switch records[slot].stage {
        case .proxyHeader where isClient, .startTLS where isClient, .inspect where isClient: enqueue(slot, in: &comers)
        case .handshake where isClient: enqueueHandshake(slot)
        case .connect where !isClient, .greet where !isClient, .backendStartTLS where !isClient:
            enqueue(slot, in: &comers)
        case .backendHandshake where !isClient: enqueueHandshake(slot)
        case .linger where isClient: drainLingering(slot)
        case .pending where isClient: clientHungUp(slot)
        default: break
        }
    }

    // MARK: ClientHello

    static let helloLimit = 16 << 10
    static let helloCapacity = helloLimit + 1024

    private func inspect(_ slot: Int) -> StageOutcome {
        let side = sides + 2 * slot
        guard side.pointee.flags.contains(.readable) else { return .wait }
        let count = sluice_recv(side.pointee.descriptor, scratch, Worker.helloCapacity, messagePeek)
        guard count > 0 else { return peekedNothing(slot, count) }
        records[slot].opening.remove(.local)
        let bytes = UnsafeRawBufferPointer(start: scratch, count: Int(count))
        switch ClientHello.parse(bytes, limit: Worker.helloLimit) {
        case .needMore(let total): return awaitBytes(slot, total)
        case .notTLS: return .refuse(.notTLS, .client)
        case .tooLarge: return .refuse(.clientHelloTooLarge, .client)
        case .malformed: return .refuse(.notTLS, .client)
        case .hello(let hello):
            setLowWater(slot, 1)
            if access != nil {
                noteHello(slot, UnsafeRawBufferPointer(start: scratch, count: hello.consumedBytes))
            }
            return route(slot, hello)
        }
    }

    /// A peek at the client gave no bytes.
    func peekedNothing(_ slot: Int, _ count: Int64) -> StageOutcome {
        guard count != wouldBlock else {
            sides[2 * slot].flags.remove(.readable)
            return .wait
        }
        close(slot, count == 0 ? .clientClosed : .clientReset, .client, reset: count != 0)
        return .gone
    }

    /// Waits until `total` bytes from the client are there, unless no more can come.
    func awaitBytes(_ slot: Int, _ total: Int) -> StageOutcome {
        let side = sides + 2 * slot
        if side.pointee.flags.contains(.hungUp) {
            close(slot, .clientClosed, .client, reset: false)
            return .gone
        }
        side.pointee.flags.remove(.readable)
        setLowWater(slot, Int32(clamping: total))
        return .wait
    }

    /// The kernel wakes us when that many bytes are there, rather than for each. Only a changed wish is told to it: telling
    /// raises an event by itself where that much waits already, which a peek that stops at urgent data does not see.
    func setLowWater(_ slot: Int, _ bytes: Int32) {
        guard records[slot].lowWater != bytes else { return }
        records[slot].lowWater = bytes
        _ = sluice_set_option(sides[2 * slot].descriptor, SOL_SOCKET, SO_RCVLOWAT, bytes)
    }

    /// The most specific listener for the name takes the connection, whether or not one of its routes fits.
    private func route(_ slot: Int, _ hello: ClientHello) -> StageOutcome {
        let record = records + slot
        record.pointee.inspectedAt = now
        if let name = hello.serverName { record.pointee.serverName = name.withCString { strdup($0) } }
        guard let binding = takeBinding(slot) else { return .refuse(.internalError, .proxy) }
        setListener(slot, binding.primary)
        guard case .tls(let names) = binding.traffic, let index = names.lookup(hello.serverName) else {
            countAccepted(binding.primary)
            return refuseHello(slot, .tlsNoSNIMatch, hello)
        }
        let listener = binding.listeners[Int(index)]
        setListener(slot, listener)
        countAccepted(listener)
        record.pointee.tlsMode = listener.termination == nil ? .passthrough : .terminate
        guard passesListener(slot, listener, name: hello.serverName) else { return .gone }
        guard let route = listener.route(for: hello.serverName) else { return refuseHello(slot, .tlsNoSNIMatch, hello) }
        setRoute(slot, route)
        record.pointee.stageDeadline = 0
        guard passesRoute(slot, route, name: hello.serverName) else { return .gone }
        guard case .tls(let tls) = listener.configuration.traffic, case .terminate = tls.mode else {
            countHandshake(slot, .passthrough, .ok)
            return .proceed(.admit)
        }
        return beginHandshake(slot, listener, route, hello)
    }

    /// What was awaited before the listener is known is there: the binding as it is now.
    func takeBinding(_ slot: Int) -> BindingRuntime? {
        guard let held = records[slot].binding else { return nil }
        let accepted = held.takeRetainedValue()
        records[slot].binding = nil
        endWaiting(slot, accepted)
        accepted.primary.state.counters.cells(worker: handle.index).subtract(ListenerField.handshaking)
        return newest(accepted, slot)
    }

    /// A hello may come long after its connection: it meets the listeners, and what they ask of clients, as they are now.
    func newest(_ accepted: BindingRuntime, _ slot: Int) -> BindingRuntime {
        let (bindings, index) = (tables.value.bindings, Int(records[slot].bindingSlot))
        guard index < bindings.count, let current = bindings[index], current.binding == accepted.binding else {
            return accepted
        }
        return current
    }

    func countAccepted(_ listener: ListenerRuntime) {
        listener.state.counters.cells(worker: handle.index).add(ListenerField.accepted)
    }

    private func refuseHello(_ slot: Int, _ reason: CloseReason, _ hello: ClientHello) -> StageOutcome {
        countHandshake(slot, records[slot].tlsMode == .terminate ? .terminateUnknown : .passthrough, .noServerName)
        return .refuse(reason, .proxy)
    }
}
