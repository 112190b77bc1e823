internal import EngineModel
internal import Synchronization

/// A worker's way to the access log. Belongs to its thread.
final class AccessPort {
    private let log: AccessLog
    private let ring: AccessRing
    private var isHurrying = false

    // What is known of the end that comes, said just before it.
    private var id: UInt64 = 0
    private var time: Int64 = 0
    private var reason = CloseReason.clientClosed
    private var detail: String?
    private var policy = ""
    private var rule = ""

    /// Whether there are lines, and whether every end is told besides.
    let hasLines: Bool
    let hasEvents: Bool

    init(_ log: AccessLog, _ ring: AccessRing) {
        (self.log, self.ring) = (log, ring)
        (hasLines, hasEvents) = (log.hasLines, log.hasEvents)
    }

    /// A note to be written, and then sent before there is another.
    @inline(__always)
    func draft() -> AccessDraft { AccessDraft(at: ring.place()) }

    /// Why a connection is about to end, in this turn of the worker.
    func explain(
        _ id: UInt64, _ reason: CloseReason, now: Int64, detail: String?, policy: String = "", rule: String = ""
    ) {
        if isExplained(id, reason, now: now), detail == nil, policy.isEmpty { return }
        (self.id, self.reason, time) = (id, reason, now)
        (self.detail, self.policy, self.rule) = (detail, policy, rule)
    }

    private func isExplained(_ id: UInt64, _ reason: CloseReason, now: Int64) -> Bool {
        self.id == id && self.reason == reason && time == now
    }

    /// Adds what was said of this end.
    @inline(__always)
    func writeExplanation(to draft: inout AccessDraft) {
        if id == draft.record.pointee.id { addExplanation(to: &draft) }
    }

    @inline(never)
    private func addExplanation(to draft: inout AccessDraft) {
        guard isExplained(draft.record.pointee.id, draft.record.pointee.reason, now: draft.record.pointee.at) else {
            return
        }
        if let detail { draft.append(.detail, detail) }
        if !policy.isEmpty { draft.append(.policy, policy) }
        if !rule.isEmpty { draft.append(.rule, rule) }
        id = 0
    }

    /// Hands a note over. The writer is woken where it sleeps, and once more where it rests while much has come.
    @inline(__always)
    func send(_ draft: consuming AccessDraft) {
        let isHalfFull = ring.append(draft.base, draft.finish())
        if isHalfFull != isHurrying {
            isHurrying = isHalfFull
            if isHalfFull { return log.hurry() }
        }
        log.wake()
    }

    /// Hands a ClientHello over, for the lines of its connection. The writer has time for it until the first of them comes.
    func send(hello: UnsafeRawBufferPointer, of id: UInt64, slot: Int) {
        let isHalfFull = HelloNote.append(hello, of: id, slot: slot, to: ring)
        if isHalfFull && !isHurrying { log.hurry() }
        isHurrying = isHalfFull
    }
}
