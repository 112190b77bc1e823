internal import CLinux
internal import COpenSSL
internal import EngineCore

// What is said to an endpoint, and what it says, once it is connected.

extension CheckRun {
    // MARK: The conversation

    func talk(now: Int64, _ scratch: UnsafeMutableRawBufferPointer) -> Bool {
        if plan.script.steps.isEmpty {
            pass(now: now)
            return false
        }
        if conversation == nil {
            conversation = CheckConversation(plan.script, now: now, recordsOutcomes: recordsOutcomes)
        }
        switch conversation?.advance(now: now) {
        case .send: return sendPending(now: now)
        case .receive: return receive(now: now, scratch)
        case .failed(let failure): failStep(failure, now: now)
        case .passed, nil: pass(now: now)
        }
        return false
    }

    private func sendPending(now: Int64) -> Bool {
        let pending = Array(conversation?.pending ?? [])
        let count: Int64
        if let ssl {
            ERR_clear_error()
            let written = sluice_tls_write(ssl, pending, Int32(clamping: pending.count))
            let error = written > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, written)
            if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return false }
            isBroken = written <= 0
            count = Int64(written)
        } else {
            count = sluice_send(descriptor, pending, pending.count, 0)
            if count == wouldBlock { return false }
        }
        guard count > 0 else {
            reset("the connection was reset", now: now)
            return false
        }
        conversation?.note(sent: Int(count))
        return true
    }

    private func receive(now: Int64, _ scratch: UnsafeMutableRawBufferPointer) -> Bool {
        if reads >= CheckRun.promptReads {
            guard now >= nextLook else { return false }
            nextLook = now + CheckRun.pause
        }
        reads += 1
        let count: Int64
        if let ssl {
            ERR_clear_error()
            let read = sluice_tls_read(ssl, scratch.baseAddress, Int32(clamping: scratch.count))
            let error = read > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, read)
            if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return waitForMore() }
            if error == SSL_ERROR_ZERO_RETURN {
                count = 0
            } else {
                isBroken = read <= 0
                count = read > 0 ? Int64(read) : connectionReset
            }
        } else {
            count = sluice_recv(descriptor, scratch.baseAddress, scratch.count, 0)
            if count == wouldBlock { return waitForMore() }
        }
        if count == 0 {
            conversation?.noteEnd()
        } else if count > 0 {
            conversation?.note(received: UnsafeRawBufferPointer(rebasing: scratch[..<Int(count)]))
        } else {
            // Where its end is awaited, a reset is one.
            guard case .close? = conversation.map({ $0.script.steps[$0.step].action }) else {
                reset("the connection was reset", now: now)
                return false
            }
            conversation?.noteEnd()
        }
        return true
    }

    /// Nothing is there: an event tells of more.
    private func waitForMore() -> Bool {
        reads -= 1
        if reads < CheckRun.promptReads { nextLook = 0 }
        return false
    }
}
