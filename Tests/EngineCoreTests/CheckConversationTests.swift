import EngineCore
import Primitives
import Testing

private func needle(_ text: String) -> ByteNeedle { ByteNeedle(Array(text.utf8)) }

@Suite("Conversations of checks")
struct CheckConversationTests {
    /// Redis' replication check, as its operators write it.
    private let redis = CheckScript(
        steps: [
            .init(.send(Array("PING\r\n".utf8))), .init(.expect(needle("+PONG"))),
            .init(.send(Array("info replication\r\n".utf8))), .init(.expect(needle("role:master"))),
            .init(.send(Array("QUIT\r\n".utf8))), .init(.expect(needle("+OK"))),
        ], maximumBytes: 4096)

    /// Sends all that the conversation wants to send; the next wish.
    private func speak(_ conversation: inout CheckConversation, _ said: inout [UInt8], now: Int64 = 0)
        -> CheckConversation.Wish
    {
        while true {
            let wish = conversation.advance(now: now)
            guard wish == .send else { return wish }
            said += conversation.pending
            conversation.note(sent: conversation.pending.count)
        }
    }

    private func hear(_ conversation: inout CheckConversation, _ text: some Sequence<UInt8>) {
        Array(text).withUnsafeBytes { conversation.note(received: $0) }
    }

    @Test("each step waits for the one before")
    func order() {
        var conversation = CheckConversation(redis, now: 0)
        var said: [UInt8] = []
        #expect(speak(&conversation, &said) == .receive)
        #expect(String(decoding: said, as: UTF8.self) == "PING\r\n")
        hear(&conversation, "+PO".utf8)
        #expect(speak(&conversation, &said) == .receive)
        hear(&conversation, "NG\r\n".utf8)
        #expect(speak(&conversation, &said) == .receive)
        #expect(String(decoding: said, as: UTF8.self) == "PING\r\ninfo replication\r\n")
        hear(&conversation, "$100\r\nrole:master\r\n+OK".utf8)
        #expect(speak(&conversation, &said) == .passed)
        #expect(String(decoding: said, as: UTF8.self) == "PING\r\ninfo replication\r\nQUIT\r\n")
    }

    @Test("what is sent in parts is sent once")
    func parts() {
        var conversation = CheckConversation(
            CheckScript(steps: [.init(.send(Array("abcdef".utf8)))], maximumBytes: 1), now: 0)
        #expect(conversation.advance(now: 0) == .send)
        conversation.note(sent: 2)
        #expect(conversation.advance(now: 0) == .send)
        #expect(Array(conversation.pending) == Array("cdef".utf8))
        conversation.note(sent: 4)
        #expect(conversation.advance(now: 0) == .passed)
    }

    @Test("a match is not used twice, and nothing before it")
    func consumed() {
        let script = CheckScript(
            steps: [.init(.expect(needle("ab"))), .init(.expect(needle("ab")))], maximumBytes: 64)
        var conversation = CheckConversation(script, now: 0)
        hear(&conversation, "xab".utf8)
        #expect(conversation.advance(now: 0) == .receive)
        hear(&conversation, "a".utf8)
        #expect(conversation.advance(now: 0) == .receive)
        hear(&conversation, "b".utf8)
        #expect(conversation.advance(now: 0) == .passed)
    }

    @Test("an end, the maximum and the time are failures of their own")
    func failures() {
        let script = CheckScript(steps: [.init(.expect(needle("ok")), timeout: 10)], maximumBytes: 4)
        var ended = CheckConversation(script, now: 0)
        hear(&ended, "no".utf8)
        ended.noteEnd()
        #expect(ended.advance(now: 9) == .failed(.closed))
        #expect(Array(ended.unmatched) == Array("no".utf8))
        var full = CheckConversation(script, now: 0)
        hear(&full, "nono, but ok".utf8)
        #expect(full.advance(now: 9) == .failed(.noMatch))
        #expect(Array(full.unmatched) == Array("nono".utf8))
        var late = CheckConversation(script, now: 5)
        #expect(late.deadline == 15)
        #expect(late.advance(now: 14) == .receive)
        #expect(late.advance(now: 15) == .failed(.timeout))
    }

    @Test("an endpoint that ends after what was expected has passed")
    func endAfterMatch() {
        var conversation = CheckConversation(
            CheckScript(steps: [.init(.expect(needle("bye"))), .init(.close)], maximumBytes: 8), now: 0)
        hear(&conversation, "bye".utf8)
        #expect(conversation.advance(now: 0) == .receive)
        // What comes while its end is awaited is not kept.
        hear(&conversation, [UInt8](repeating: 0, count: 1000))
        #expect(conversation.advance(now: 0) == .receive)
        #expect(conversation.unmatched.isEmpty)
        conversation.noteEnd()
        #expect(conversation.advance(now: 0) == .passed)
    }

    @Test("steps are recorded with what they received and how long they took")
    func outcomes() {
        var conversation = CheckConversation(redis, now: 100, recordsOutcomes: true)
        var said: [UInt8] = []
        _ = speak(&conversation, &said, now: 100)
        hear(&conversation, "+PONG\r\nrole:slave".utf8)
        #expect(speak(&conversation, &said, now: 130) == .receive)
        #expect(conversation.outcomes.map(\.step) == [0, 1, 2])
        #expect(conversation.outcomes.map { $0.ended - $0.began } == [0, 30, 0])
        #expect(conversation.outcomes.map { String(decoding: $0.received, as: UTF8.self) } == ["", "+PONG", ""])
        #expect(conversation.step == 3)
        #expect(String(decoding: conversation.unmatched, as: UTF8.self) == "\r\nrole:slave")
    }

    /// Finds the first byte that is one of a few.
    private struct AnyOf: BytePattern {
        var bytes: Set<UInt8>
        func firstMatch(in all: UnsafeRawBufferPointer, from offset: Int) -> Range<Int>? {
            (offset..<max(offset, all.count)).first { bytes.contains(all[$0]) }.map { $0..<$0 + 1 }
        }
    }

    private enum Expected { case text([UInt8]), anyOf(Set<UInt8>) }

    /// The result by looking at everything at once, in the plainest way.
    private func naive(_ expected: [Expected], _ stream: [UInt8], maximum: Int) -> CheckConversation.Wish {
        let seen = Array(stream.prefix(maximum))
        var position = 0
        for expectation in expected {
            var end: Int?
            for start in position..<max(position, seen.count) where end == nil {
                switch expectation {
                case .text(let text): if seen.dropFirst(start).starts(with: text) { end = start + text.count }
                case .anyOf(let bytes): if bytes.contains(seen[start]) { end = start + 1 }
                }
            }
            guard let end else { return .failed(seen.count == maximum ? .noMatch : .closed) }
            position = end
        }
        return .passed
    }

    @Test("however the stream is cut, the result is that of looking at all of it", arguments: 0..<8)
    func walk(round: Int) {
        var random = SplitMix64(seed: UInt64(round) &+ 4711)
        for _ in 0..<400 {
            let letters = Array("ab".utf8)
            func text(_ most: Int) -> [UInt8] {
                (0..<Int.random(in: 1...most, using: &random)).map { _ in letters[Int.random(in: 0...1, using: &random)]
                }
            }
            let expected: [Expected] = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                Bool.random(using: &random) ? .text(text(4)) : .anyOf(Set(text(1)))
            }
            let stream = text(24)
            let maximum = Int.random(in: 1...24, using: &random)
            let script = CheckScript(
                steps: expected.map { expectation in
                    switch expectation {
                    case .text(let text): .init(.expect(ByteNeedle(text)))
                    case .anyOf(let bytes): .init(.expectPattern(AnyOf(bytes: bytes)))
                    }
                }, maximumBytes: maximum)
            var conversation = CheckConversation(script, now: 0)
            var rest = stream[...]
            var wish = conversation.advance(now: 0)
            while wish == .receive {
                let part = rest.prefix(Int.random(in: 1...5, using: &random))
                rest = rest.dropFirst(part.count)
                if part.isEmpty { conversation.noteEnd() } else { hear(&conversation, part) }
                wish = conversation.advance(now: 0)
            }
            #expect(wish == naive(expected, stream, maximum: maximum), "seed \(round), \(expected), \(stream)")
        }
    }
}
