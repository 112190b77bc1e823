/// One run of a ``CheckScript``. No I/O: it is told what came and when, and says what it wishes. Times are nanoseconds of one clock.
///
/// An expectation is looked for in what was received after the match of the expectation before. What an endpoint sends before it is
/// asked counts, too. Sending is done when the last byte is handed over.
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
    /// From where a text is looked for: what stands before was looked at.
    private var scanned = 0
    private var hasEnded = false

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

    /// So many bytes of ``pending`` were taken.
    public mutating func note(sent count: Int) { sent += count }

    /// Bytes came. What is beyond the maximum is dropped, and all that comes while the endpoint's end is awaited.
    public mutating func note(received bytes: UnsafeRawBufferPointer) {
        if step < script.steps.count, case .close = script.steps[step].action { return }
        received.append(contentsOf: bytes.prefix(script.maximumBytes - received.count))
    }

    /// The endpoint closed its side.
    public mutating func noteEnd() { hasEnded = true }

    /// Does the steps that can be done. To be called at the beginning and after each change; `now` never goes back.
    public mutating func advance(now: Int64) -> Wish {
        while step < script.steps.count {
            // What is in time is judged by when it is looked at.
            if let deadline, now >= deadline { return .failed(.timeout) }
            switch script.steps[step].action {
            case .send(let bytes):
                if sent < bytes.count { return .send }
            case .expect, .expectPattern:
                guard let end = match(script.steps[step].action) else {
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
        (consumed, scanned) = (end, end)
    }

    /// Where the match of an expectation ends.
    private mutating func match(_ action: CheckScript.Action) -> Int? {
        switch action {
        case .send, .close: return nil
        case .expectPattern(let pattern):
            return received.withUnsafeBytes { pattern.firstMatch(in: $0, from: consumed)?.upperBound }
        case .expect(let text):
            guard received.count - scanned >= text.count else { return nil }
            for start in scanned...received.count - text.count where received[start...].starts(with: text) {
                return start + text.count
            }
            scanned = received.count - text.count + 1
            return nil
        }
    }
}
