/// One run of a ``CheckScript``. No I/O: it is told what came and when, and says what it wishes. Times are nanoseconds of one clock.
///
/// An expectation is looked for in what was received after the match of the expectation before. What an endpoint sends before it is
/// asked counts, too. Sending is done when the last byte is handed over.
///
/// Work is linear in what is received, however it is cut: a text is looked for in each byte once, and a pattern that was not found
/// is looked for again by ``PatternPacing``.
public struct CheckConversation: Sendable {
    /// What is to be done for it to go on.
    public enum Wish: Hashable, Sendable {
        /// Send ``pending``, or a part of it.
        case send
        case receive
        case passed
        case failed(Failure)
    }

    public enum Failure: Hashable, Sendable {
        /// As many bytes as there may be, and what is expected is not among them.
        case noMatch
        /// The endpoint closed before it sent what is expected.
        case closed
        /// The step took too long.
        case timeout
    }

    /// A step that is done.
    public struct Outcome: Hashable, Sendable {
        public var step: Int
        public var began: Int64
        public var ended: Int64
        /// What was received from the match before to the end of this one.
        public var received: [UInt8]
    }

    public let script: CheckScript
    /// Of the step under way; the number of steps when all are done.
    public private(set) var step = 0
    /// When that step began.
    public private(set) var stepBegan: Int64
    /// Those that are done, where they are recorded.
    public private(set) var outcomes: [Outcome] = []
    private let recordsOutcomes: Bool
    /// Bytes of a step that were sent.
    private var sent = 0
    private var received: [UInt8] = []
    /// Up to where expectations were met.
    private var consumed = 0
    /// Up to where the text of the step under way was looked for, and how much of it stands there.
    private var scanned = 0
    private var search = ByteNeedle.Search()
    /// When the pattern of the step under way is looked for.
    private var pacing = PatternPacing()
    private var hasEnded = false
    private var isLastLook = false

    public init(_ script: CheckScript, now: Int64, recordsOutcomes: Bool = false) {
        self.script = script
        self.recordsOutcomes = recordsOutcomes
        stepBegan = now
    }

    /// What the step under way has still to send.
    public var pending: ArraySlice<UInt8> {
        guard step < script.steps.count, case .send(let bytes) = script.steps[step].action else { return [] }
        return bytes[sent...]
    }

    /// What was received and belongs to no expectation that was met.
    public var unmatched: ArraySlice<UInt8> { received[consumed...] }

    /// When the step under way has taken too long; nil: it has no time of its own.
    public var deadline: Int64? {
        guard step < script.steps.count, let timeout = script.steps[step].timeout else { return nil }
        return stepBegan.addingReportingOverflow(timeout).overflow ? .max : stepBegan + timeout
    }

    /// When ``advance(now:)`` is to be called though nothing has come: bytes are there that were not searched; nil: none are.
    public var searchDue: Int64? { pacing.due(received: received.count) }

    /// So many bytes of ``pending`` were taken.
    public mutating func note(sent count: Int) { sent += count }

    /// Bytes came. What is beyond the maximum is dropped, and all that comes while the endpoint's end is awaited.
    public mutating func note(received bytes: UnsafeRawBufferPointer) {
        if step < script.steps.count, case .close = script.steps[step].action { return }
        received.append(contentsOf: bytes.prefix(script.maximumBytes - received.count))
    }

    /// The endpoint closed its side.
    public mutating func noteEnd() { hasEnded = true }

    /// The check is about to end: from now on whatever came is searched at once.
    public mutating func noteLastLook() { isLastLook = true }

    /// Does the steps that can be done. To be called at the beginning and after each change; `now` never goes back.
    public mutating func advance(now: Int64) -> Wish {
        while step < script.steps.count {
            // What is in time is judged by when it is looked at.
            if let deadline, now >= deadline {
                guard let end = matchPutOff() else { return .failed(.timeout) }
                finish(upTo: end, now: now)
                continue
            }
            switch script.steps[step].action {
            case .send(let bytes):
                if sent < bytes.count { return .send }
            case .expect, .expectPattern:
                guard let end = match(script.steps[step].action, now: now) else {
                    if received.count >= script.maximumBytes { return .failed(.noMatch) }
                    return hasEnded ? .failed(.closed) : .receive
                }
                finish(upTo: end, now: now)
                continue
            case .close:
                if !hasEnded { return .receive }
            }
            finish(upTo: consumed, now: now)
        }
        return .passed
    }

    private mutating func finish(upTo end: Int, now: Int64) {
        if recordsOutcomes {
            outcomes.append(
                Outcome(step: step, began: stepBegan, ended: now, received: Array(received[consumed..<end])))
        }
        (step, stepBegan, sent) = (step + 1, now, 0)
        (consumed, scanned, search) = (end, end, ByteNeedle.Search())
        pacing = PatternPacing()
    }

    /// Where the match of an expectation ends.
    private mutating func match(_ action: CheckScript.Action, now: Int64) -> Int? {
        switch action {
        case .send, .close: return nil
        case .expectPattern(let pattern):
            let isFinal = isLastLook || hasEnded || received.count >= script.maximumBytes
            guard pacing.isDue(received: received.count, now: now, isFinal: isFinal) else { return nil }
            let found = received.withUnsafeBytes { pattern.firstMatch(in: $0, from: consumed)?.upperBound }
            if found == nil { pacing.noteMiss(received: received.count, searched: received.count - consumed, now: now) }
            return found
        case .expect(let text):
            let found = text.firstEnd(in: received[scanned...], &search)
            scanned = received.count
            return found
        }
    }

    /// The step's time is over. What came before, and was put off, was in time.
    private func matchPutOff() -> Int? {
        guard case .expectPattern(let pattern) = script.steps[step].action, let count = pacing.putOff else {
            return nil
        }
        return received.withUnsafeBytes {
            pattern.firstMatch(in: UnsafeRawBufferPointer(rebasing: $0[..<count]), from: consumed)?.upperBound
        }
    }
}
