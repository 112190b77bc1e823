internal import CLinux
internal import EngineCore
internal import EngineModel

// Peers that are gone without a word: who leaves what was sent unanswered for as long as keepalive is patient is taken for gone.
// An idle peer is the kernel's to ask (SO_KEEPALIVE), but not one that still owes an acknowledgement.

extension Worker {
    /// Looks at both peers, and says when to do so again. False: one is gone, and the connection with it.
    func lookAtPeers(_ slot: Int) -> Bool {
        let record = records + slot
        let client = record.pointee.listener?.takeUnretainedValue().configuration.settings.keepalive
        let backend = record.pointee.backend?.takeUnretainedValue().configuration.settings.keepalive
        var pause = Int64.max
        if let client {
            guard case .lookAgain(let time) = look(slot, .request, client.patience) else {
                return end(slot, silent: .request)
            }
            pause = time
        }
        if let backend {
            keepBackendAlive(sides + (2 * slot + 1), backend)
            guard case .lookAgain(let time) = look(slot, .response, backend.patience) else {
                return end(slot, silent: .response)
            }
            pause = min(pause, time)
        }
        record.pointee.keepaliveAt = pause == .max ? 0 : nowMilliseconds + pause
        return true
    }

    /// Set once the connection has lived for a while: short ones need none and save four system calls.
    private func keepBackendAlive(_ side: UnsafeMutablePointer<Side>, _ keepalive: TCPKeepalive) {
        guard !side.pointee.flags.contains(.keptAlive) else { return }
        side.pointee.flags.insert(.keptAlive)
        setKeepalive(side.pointee.descriptor, keepalive)
    }

    private func look(_ slot: Int, _ direction: Direction, _ limit: Int64) -> PeerSilence.Verdict {
        let side = sides + (2 * slot + direction.rawValue)
        var found = sluice_peer_silence()
        var facts = PeerSilence.Facts(owes: false, missedAnswers: false, quiet: 0)
        // A unix socket has no such facts, nor peers that vanish.
        if sluice_peer_silence(side.pointee.descriptor, &found) == 0 {
            facts.owes = found.in_flight > 0 || found.probes > 0
            facts.missedAnswers = found.timeouts > 0 || found.probes > 1
            facts.quiet = Int64(found.quiet_ms)
        }
        let verdict = side.pointee.silence.look(facts, limit: limit, now: nowMilliseconds)
        // What a backend sent before it vanished is still owed to the client.
        if verdict == .gone, direction == .response, flows[2 * slot + 1].holdsData { return .lookAgain(after: 1000) }
        return verdict
    }

    /// As if the kernel had told that it timed out. False: the connection is gone.
    private func end(_ slot: Int, silent direction: Direction) -> Bool {
        records[slot].keepaliveAt = 0
        if flows[2 * slot + direction.rawValue].flags.contains(.ended) { return sideFailed(slot, direction) }
        close(slot, direction == .request ? .clientReset : .backendReset, direction.side, reset: true)
        return false
    }
}
