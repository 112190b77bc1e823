internal import EngineCore
internal import Glibc
internal import Platform
internal import Primitives

// What is waited for: that everything has come that can, and at the end that both sides and the engine are done.

extension ConnectionRun {
    /// Waits until everything has come that can, and what has ended is known to have.
    func settle() throws {
        (client.isPaused, backend.isPaused) = (false, false)
        guard !isUncertain else { return }
        try wait("until everything has come") { self.hasAllCome }
        isSettled = true
    }

    private var hasAllCome: Bool {
        switch verdict {
        case .uncertain: return true
        case .undecided: return !client.willEnd || client.end != nil
        case .refused: return client.end != nil || client.sent.count < lengthAwaited && !client.willEnd
        case .served(let offset, let asksForTLS, let answers):
            if asksForTLS, script.answer != PostgresStart.accept { return client.end != nil }
            guard backend.isOpen, let relayed = relayed() else { return false }
            let fromBackend = answers.count + own[.backend, default: 0]
            return relayed.count == client.sent.count - offset
                && (mayBackendSpeak || own[.backend, default: 0] == 0 && !backendWaits.end)
                && (!client.hasEnded || backend.end != nil) && (client.hasEnded || !client.willEnd)
                && client.received.count == fromBackend && (!backend.hasEnded || client.end != nil)
        }
    }

    /// What the backend got, without what Sluice says itself; nil: that is not whole yet.
    func relayed() -> ArraySlice<UInt8>? {
        guard case .served(_, let asksForTLS, _) = verdict else { return backend.received[...] }
        if asksForTLS { return backend.received.count < 8 ? nil : backend.received[8...] }
        guard script.mode == .optional else { return backend.received[...] }
        guard case .header(let header) = backend.received.withUnsafeBytes({ ProxyHeader.parse($0) }) else { return nil }
        return backend.received[header.consumedBytes...]
    }

    // MARK: Sockets

    /// Goes on until the condition holds.
    func wait(_ what: String, _ condition: () -> Bool) throws {
        let deadline = MonotonicTime.now() + .seconds(15)
        while !condition() {
            guard MonotonicTime.now() < deadline else {
                throw BrokenInvariant(
                    description: """
                        \(script.mode): waited in vain \(what); \(verdict), reset by \(String(describing: resetBy)); client: \
                        \(client.sent.count) sent, \(client.received.count) received, end \(String(describing: client.end)); backend: \
                        \(backend.sent.count) sent, \(backend.received.count) received, end \(String(describing: backend.end)), \
                        open \(backend.isOpen); now \(engine.counts(script.mode)), before \(before)
                        """)
            }
            try turn(wait: 20)
        }
    }

    /// Does what can be done; waits at most so many milliseconds for something.
    func turn(wait milliseconds: Int32) throws {
        letBackendSpeak()
        var entries = [
            entry(client), entry(backend),
            pollfd(fd: backend.isOpen || backend.isClosed ? -1 : engine.backend.raw, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&entries, 3, milliseconds) > 0 else { return }
        if entries[2].revents != 0, let accepted = try StreamSocket.accept(from: engine.backend) {
            backend.take(accepted.takeSocket().release())
        }
        for peer in [client, backend] {
            peer.flush()
            peer.read()
        }
        letBackendSpeak()
    }

    private func entry(_ peer: ScriptedPeer) -> pollfd {
        let events = (peer.wantsToRead ? POLLIN : 0) | (peer.wantsToSend ? POLLOUT : 0)
        return pollfd(fd: events == 0 && !peer.awaitsReset ? -1 : peer.descriptor, events: Int16(events), revents: 0)
    }

    private func letBackendSpeak() {
        guard backend.isOpen else { return }
        if script.mode == .postgres, case .served(_, true, _) = verdict, !hasAnswered, backend.received.count >= 8 {
            hasAnswered = true
            backend.send([script.answer])
        }
        if !mayBackendSpeak {
            guard script.mode != .postgres || relayed()?.isEmpty == false else { return }
            mayBackendSpeak = true
        }
        backend.send(backendWaits.bytes)
        backendWaits.bytes = []
        guard backendWaits.end, !backend.willEnd else { return }
        noteEnd(.backend)
        backend.endSending()
    }

    // MARK: The end

    func finish() throws {
        (client.isPaused, backend.isPaused) = (false, false)
        if resetBy == nil {
            for side in [ScriptedSide.client, .backend] where !(side == .client ? client.willEnd : backendWaits.end) {
                end(side)
                isSettled = false
            }
        }
        try wait("for both ends") { self.isOver }
        // What has read an end in order does not read the reset behind it.
        if owesReset, let other = resetBy.map({ peer($0 == .client ? .backend : .client) }), other.end == .fin {
            try wait("for the reset behind the end") { other.wasResetBehindEnd }
        }
        // Only now is it known that nobody else comes.
        client.close()
        backend.close()
        var counts = before
        try wait("for the end to be counted") {
            counts = engine.counts(script.mode)
            let isCounted = counts.total > before.total || mayBeUncounted
            return isCounted && counts.active == 0 && engine.open == 0
        }
        after = counts
        try countStrangers()
    }

    /// Who was dialled and given up may get here behind its end, by the kernel's own queues. Who calls last gets here last, where all
    /// are on one processor, as scripts/fuzz has it.
    private func countStrangers() throws {
        guard let address = StreamSocket.localAddress(of: engine.backend) else { return }
        let last = try StreamSocket.connect(to: .ip(address))
        let own = StreamSocket.localAddress(of: last)
        let deadline = MonotonicTime.now() + .seconds(15)
        while MonotonicTime.now() < deadline {
            var entry = pollfd(fd: engine.backend.raw, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, 100)
            while let caller = try StreamSocket.accept(from: engine.backend) {
                if caller.peer == own { return }
                strangers += 1
            }
        }
        throw BrokenInvariant(description: "\(script.mode): nobody gets to the backend any more")
    }

    private var isOver: Bool {
        switch resetBy {
        case .client: return !backend.isOpen || backend.end != nil
        case .backend: return client.end != nil
        case nil: break
        }
        guard client.end != nil else { return false }
        if backend.isOpen { return backend.end != nil }
        if case .served = verdict, !isUncertain { return false }
        return true
    }

    /// A proxy's own connection that has said nothing is no client's.
    var mayBeUncounted: Bool {
        guard script.mode == .proxied || script.mode == .optional else { return false }
        guard case .header(let header) = client.sent.withUnsafeBytes({ ProxyHeader.parse($0) }) else { return false }
        return header.command == .local && (header.consumedBytes == client.sent.count || resetBy != nil)
    }
}
