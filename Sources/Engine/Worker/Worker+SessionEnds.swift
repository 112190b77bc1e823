internal import EngineModel
internal import Synchronization

// Established sessions that are closed on account of their endpoint, by the same sweep as those of removed routes.

extension Worker {
    /// Nil: the session goes on.
    func sessionEnd(_ slot: Int) -> SessionEnd? {
        let record = records + slot
        guard record.pointee.stage == .relay else { return nil }
        if let closing = record.pointee.endpoint?._withUnsafeGuaranteedRef({ $0.sessions.value }),
            isDue(slot, closing)
        {
            return closing.end
        }
        guard let rule = record.pointee.route?._withUnsafeGuaranteedRef({ $0.fallbackRule }),
            let backend = record.pointee.backend?.takeUnretainedValue(),
            let closing = rule.closing(of: backend.configuration.id), isDue(slot, closing)
        else { return nil }
        return closing.end
    }

    private func isDue(_ slot: Int, _ closing: SessionClosing) -> Bool {
        closing.concerns(dialledAt: records[slot].dialledAt) && closing.isDue(records[slot].id, now: nowMilliseconds)
    }

    /// As a session whose time is over. An operator has asked for it: that too many linger is no reason to wait.
    func endSession(_ slot: Int, _ end: SessionEnd) {
        if let backend = records[slot].backend?.takeUnretainedValue() {
            backend.cells[handle.index].add(BackendField.sessionsClosed(end))
        }
        if shared.lingering.load(ordering: .relaxed) < EngineShared.lingeringLimit / 2 {
            return endGently(slot, end.reason)
        }
        sendCloseNotifies(slot)
        close(slot, end.reason, .proxy, reset: false)
    }
}
