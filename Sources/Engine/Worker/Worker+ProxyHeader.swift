internal import CLinux
internal import EngineCore
internal import EngineModel
internal import Platform
internal import Primitives

// A header of the PROXY protocol before everything else. The stream is peeked at until the header is whole; the header alone is
// taken off it, so that what follows, and all of a stream without one, is the next stage's untouched.

/// A header as it was received, kept as long as its connection.
final class ReceivedProxyHeader: Sendable {
    let header: ProxyHeader
    /// Monotonic nanoseconds.
    let receivedAt: Int64

    init(_ header: ProxyHeader, at time: Int64) { (self.header, receivedAt) = (header, time) }
}

extension Worker {
    private static let proxyHeaderLimit = 4096

    /// Whom a header is believed of is waited for; others are plain at once, or refused.
    func beginProxyHeader(_ slot: Int, _ binding: BindingRuntime) {
        guard let reception = binding.settings.proxyProtocol else { return follow(slot, leaveProxyHeader(slot)) }
        guard reception.trusted?.contains(records[slot].peer.ip) ?? true else {
            return follow(
                slot,
                reception.mode == .optional
                    ? leaveProxyHeader(slot)
                    : refuseHeader(slot, .untrusted, .proxyProtocolUntrusted))
        }
        records[slot].stageDeadline = nowMilliseconds + reception.headerTimeout.wholeMilliseconds
        armTimer(slot)
        advance(slot)
    }

    func readProxyHeader(_ slot: Int) -> StageOutcome {
        let side = sides + 2 * slot
        guard side.pointee.flags.contains(.readable) else { return .wait }
        let count = sluice_recv(side.pointee.descriptor, scratch, Worker.proxyHeaderLimit, messagePeek)
        let isOptional = mayBePlain(slot)
        guard count > 0 else {
            // A client may end its direction before it hears anything.
            return count == 0 && isOptional ? leaveProxyHeader(slot) : peekedNothing(slot, count)
        }
        let bytes = UnsafeRawBufferPointer(start: scratch, count: Int(count))
        switch ProxyHeader.parse(bytes, limit: Worker.proxyHeaderLimit) {
        case .needMore(let total):
            let isOver = side.pointee.flags.contains(.hungUp)
            if isOver, isOptional, !isSigned(bytes) { return leaveProxyHeader(slot) }
            return awaitBytes(slot, total)
        case .header(let header): return take(slot, header)
        case .notProxy(let matching):
            if isOptional { return leaveProxyHeader(slot) }
            return matching == 0
                ? refuseHeader(slot, .missing, .proxyProtocolMissing)
                : refuseHeader(slot, .malformed, .proxyProtocolMalformed, "a signature that breaks off")
        case .malformed(let problem):
            return refuseHeader(slot, .malformed, .proxyProtocolMalformed, "\(problem)")
        case .tooLarge:
            return refuseHeader(
                slot, .malformed, .proxyProtocolMalformed, "longer than \(Worker.proxyHeaderLimit) bytes")
        }
    }

    /// Takes the header, and nothing but it, off the stream.
    private func take(_ slot: Int, _ header: ProxyHeader) -> StageOutcome {
        let descriptor = sides[2 * slot].descriptor
        guard sluice_recv(descriptor, scratch, header.consumedBytes, 0) == header.consumedBytes else {
            return .refuse(.internalError, .proxy)
        }
        let record = records + slot
        record.pointee.proxyHeader = .passRetained(ReceivedProxyHeader(header, at: now))
        if let source = header.source { record.pointee.client = source }
        let next = header.command == .local ? sluice_recv(descriptor, scratch, 1, messagePeek) : 1
        if next <= 0 { record.pointee.opening.insert(.local) }
        countHeader(slot, ProxyHeaderResult(header))
        // A health check that is over already need not reach a backend.
        return next > 0 || next == wouldBlock ? leaveProxyHeader(slot) : peekedNothing(slot, next)
    }

    /// The client's address is known: on to what the binding, as it is now, asks next.
    private func leaveProxyHeader(_ slot: Int) -> StageOutcome {
        let record = records + slot
        setLowWater(slot, 1)
        sides[2 * slot].flags.insert(.readable)
        record.pointee.stageDeadline = 0
        guard let held = record.pointee.binding else { return .refuse(.internalError, .proxy) }
        let accepted = held.takeUnretainedValue()
        let current = newest(accepted, slot)
        guard case .admit = current.stageAfterProxy else {
            guard mayWait(slot, accepted) else { return .gone }
            record.pointee.stageDeadline = nowMilliseconds + current.primary.inspectionTimeout
            armTimer(slot)
            return .proceed(current.stageAfterProxy)
        }
        guard let binding = takeBinding(slot) else { return .refuse(.internalError, .proxy) }
        return enter(slot, binding.primary)
    }

    /// The listener is known without a hello: its fallback is the route.
    func enter(_ slot: Int, _ listener: ListenerRuntime) -> StageOutcome {
        setListener(slot, listener)
        if !records[slot].opening.contains(.local) { countAccepted(listener) }
        records[slot].stageDeadline = 0
        timers.cancel(Int32(slot))
        return .proceed(.admit)
    }

    /// The time for a header is over. A client that waits for its server to speak first sends none.
    func expireProxyHeader(_ slot: Int) {
        let count = sluice_recv(sides[2 * slot].descriptor, scratch, Worker.proxyHeaderLimit, messagePeek)
        let bytes = UnsafeRawBufferPointer(start: scratch, count: Int(max(0, count)))
        follow(
            slot,
            mayBePlain(slot) && !isSigned(bytes)
                ? leaveProxyHeader(slot) : refuseHeader(slot, .timeout, .proxyProtocolTimeout))
    }

    /// The client reset the connection: health checks end so, right behind their header.
    func noteAbandonedHeader(_ slot: Int) {
        let count = sluice_recv(sides[2 * slot].descriptor, scratch, Worker.proxyHeaderLimit, messagePeek)
        guard count > 0,
            case .header(let header) = ProxyHeader.parse(UnsafeRawBufferPointer(start: scratch, count: Int(count))),
            header.command == .local, header.consumedBytes == count
        else { return }
        records[slot].opening.insert(.local)
        countHeader(slot, .local2)
    }

    /// At the end of a proxy's own connection: one that has sent something is counted like a client's. False: it has not.
    func countLocal(_ slot: Int) -> Bool {
        guard flows[2 * slot].bytes > 0 else { return false }
        records[slot].listener?._withUnsafeGuaranteedRef { countAccepted($0) }
        records[slot].routeCells?.add(RouteField.opened)
        return true
    }

    private func mayBePlain(_ slot: Int) -> Bool {
        records[slot].binding?._withUnsafeGuaranteedRef { $0.settings.proxyProtocol?.mode != .required } ?? false
    }

    /// Whether the bytes begin with a whole signature.
    private func isSigned(_ bytes: UnsafeRawBufferPointer) -> Bool {
        switch ProxyHeader.parse(bytes) {
        // Up to its last byte a signature is asked for byte by byte.
        case .needMore: bytes.count >= (bytes.first == UInt8(ascii: "P") ? 5 : 12)
        case .notProxy: false
        case .header, .malformed, .tooLarge: true
        }
    }

    private func refuseHeader(
        _ slot: Int, _ result: ProxyHeaderResult, _ reason: CloseReason, _ detail: String? = nil
    ) -> StageOutcome {
        countHeader(slot, result)
        refuse(slot, reason, .client, detail: detail)
        return .gone
    }

    private func countHeader(_ slot: Int, _ result: ProxyHeaderResult) {
        records[slot].listener?._withUnsafeGuaranteedRef {
            $0.state.counters.cells(worker: handle.index).add(ListenerField.proxyHeader(result))
        }
    }
}

extension ProxyHeaderResult {
    fileprivate init(_ header: ProxyHeader) {
        switch (header.version, header.command) {
        case (_, .local): self = .local2
        case (.v1, .proxy): self = header.source == nil ? .unknown1 : .proxy1
        case (.v2, .proxy): self = header.source == nil ? .unknown2 : .proxy2
        }
    }
}
