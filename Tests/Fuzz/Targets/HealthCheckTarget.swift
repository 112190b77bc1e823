internal import EngineCore
internal import Patterns

extension FuzzTarget {
    /// What an endpoint answers to a health check: steps of the script, then its bytes, cut anyhow.
    static let healthCheck = FuzzTarget(name: "health-check", maxLength: 2048) { bytes in
        var input = FuzzInput(bytes)
        let plan = CheckConversationPlan(&input)
        let whole = plan.run(chunks: [plan.answer])
        let cut = plan.run(chunks: plan.chunks)
        try whole.check(plan)
        try cut.check(plan)
        guard !plan.hasPattern, !plan.hasTimeouts else { return }
        // A text is found or not, however the answer was cut. (The leftmost match of a pattern may be another one.)
        try requireEqual(cut.wish, whole.wish, "a check of an answer in \(plan.chunks.count) pieces")
        try requireEqual(cut.outcomes, whole.outcomes, "its steps")
        try requireEqual(whole.outcomes, plan.expectedOutcomes, "texts that are found")
    }
}

/// A check as the input has it.
private struct CheckConversationPlan {
    private var steps: [CheckScript.Step] = []
    private(set) var answer: [UInt8] = []
    private(set) var chunks: [[UInt8]] = []
    private(set) var hasPattern = false
    private(set) var hasTimeouts = false
    private let maximum: Int
    private let ends: Bool

    /// Alternations, repetitions, borders, sets, and one that matches nothing at all.
    private static let patterns = [
        "^OK", "a+b", "(?i)ready|yes", "[0-9]{2,4}$", "", "\\bPONG\\b", "(a|aa)+$", "\\x00.\\xff", "x*y*z*",
        "a.{0,30}z",
    ].map { CountedPattern($0) }

    init(_ input: inout FuzzInput) {
        maximum = 1 + input.number(below: 600)
        ends = input.flag()
        for _ in 0..<input.number(below: 6) {
            let timeout = input.byte() % 8 == 7 ? Int64(input.byte()) * 1_000_000 : nil
            hasTimeouts = hasTimeouts || timeout != nil
            switch input.number(below: 3) {
            case 0: steps.append(.init(.send(input.bytes(input.number(below: 20))), timeout: timeout))
            case 1:
                let text = input.bytes(1 + input.number(below: 20))
                if !text.isEmpty { steps.append(.init(.expect(ByteNeedle(text)), timeout: timeout)) }
            default:
                hasPattern = true
                let pattern = CheckConversationPlan.patterns[input.number(below: CheckConversationPlan.patterns.count)]
                steps.append(.init(.expectPattern(pattern), timeout: timeout))
            }
        }
        // Nothing that comes from here on counts: it is always the last one.
        if input.flag() { steps.append(.init(.close)) }
        var cuts = FuzzInput(input.bytes(input.number(below: 24)))
        answer = input.all()
        var rest = answer[...]
        while !rest.isEmpty {
            let count = cuts.isEmpty ? rest.count : 1 + Int(cuts.byte())
            chunks.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
    }

    struct Run {
        var wish: CheckConversation.Wish
        var outcomes: [[UInt8]]
        var received: Int
        /// Bytes that patterns looked at.
        var searched: Int
        var steps: Int
    }

    func run(chunks: [[UInt8]]) -> Run {
        for pattern in CheckConversationPlan.patterns { pattern.searched = 0 }
        var now: Int64 = 0
        var conversation = CheckConversation(
            CheckScript(steps: steps, maximumBytes: maximum), now: now, recordsOutcomes: true)
        var chunks = chunks[...]
        var hasEnded = false
        var wish = conversation.advance(now: now)
        var turns = 0
        loop: while true {
            turns += 1
            switch wish {
            case .passed, .failed: break loop
            case .send: conversation.note(sent: max(1, conversation.pending.count / 2))
            case .receive:
                now += 3_000_000
                if let chunk = chunks.popFirst() {
                    chunk.withUnsafeBytes { conversation.note(received: $0) }
                } else if ends, !hasEnded {
                    conversation.noteEnd()
                    hasEnded = true
                } else if let deadline = conversation.deadline, !hasEnded {
                    now = max(now, deadline)
                } else if !hasEnded {
                    conversation.noteLastLook()
                    hasEnded = true
                } else {
                    break loop
                }
            }
            wish = conversation.advance(now: now)
        }
        return Run(
            wish: wish, outcomes: conversation.outcomes.map(\.received),
            received: conversation.outcomes.reduce(0) { $0 + $1.received.count } + conversation.unmatched.count,
            searched: CheckConversationPlan.patterns.reduce(0) { $0 + $1.searched }, steps: conversation.step)
    }

    var stepCount: Int { steps.count }
    var limit: Int { maximum }

    /// What each step that a check of texts alone takes has received, found by the plainest search there is.
    var expectedOutcomes: [[UInt8]] {
        var outcomes: [[UInt8]] = []
        var rest = answer.prefix(maximum)
        for step in steps {
            switch step.action {
            case .send: outcomes.append([])
            case .expect(let needle):
                let starts = rest.indices.dropLast(max(0, needle.bytes.count - 1))
                let start = starts.first { rest[$0...].starts(with: needle.bytes) }
                guard let start else { return outcomes }
                outcomes.append(Array(rest[..<(start + needle.bytes.count)]))
                rest = rest[(start + needle.bytes.count)...]
            case .close:
                guard ends else { return outcomes }
                outcomes.append([])
            case .expectPattern: return outcomes
            }
        }
        return outcomes
    }
}

extension CheckConversationPlan.Run {
    fileprivate func check(_ plan: CheckConversationPlan) throws {
        try require(received <= min(plan.limit, plan.answer.count), "\(received) bytes were kept of \(plan.limit)")
        try requireEqual(outcomes.count, steps, "steps that are done")
        try requireEqual(wish == .passed, steps == plan.stepCount, "passed with \(steps) of \(plan.stepCount) steps")
        // Were there a search for each byte that comes, this would grow with the square.
        let most = (plan.stepCount + 1) * (12 * plan.limit + 64)
        try require(searched <= most, "\(searched) bytes were searched, \(most) at the most for \(received)")
    }
}

/// RE2, and how much it was given to search. Of one thread, as all of a fuzzer is.
private final class CountedPattern: BytePattern, @unchecked Sendable {
    private let pattern: Pattern?
    var searched = 0

    init(_ text: String) { pattern = try? Pattern(text) }

    func firstMatch(in bytes: UnsafeRawBufferPointer, from offset: Int) -> Range<Int>? {
        searched += bytes.count - offset
        guard let found = pattern?.firstMatch(in: bytes, from: offset) else { return nil }
        precondition(found.lowerBound >= offset && found.upperBound <= bytes.count, "a match outside of the bytes")
        return found
    }
}
