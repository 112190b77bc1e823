import EngineCore
import Primitives
import Testing

/// How expectations are looked for in what comes bit by bit.
@Suite("Searches of checks")
struct CheckSearchTests {
    /// Counts the bytes it is asked to search, and finds a text.
    private final class Counting: BytePattern {
        let text: [UInt8]
        // Unsafe, but of the test's own thread only.
        nonisolated(unsafe) var searched = 0
        init(_ text: String) { self.text = Array(text.utf8) }

        func firstMatch(in all: UnsafeRawBufferPointer, from offset: Int) -> Range<Int>? {
            searched += all.count - offset
            var search = ByteNeedle.Search()
            return ByteNeedle(text).firstEnd(in: Array(all)[offset...], &search).map { $0 - text.count..<$0 }
        }
    }

    private func conversation(_ pattern: Counting, maximum: Int = 65_536, timeout: Int64? = nil) -> CheckConversation {
        CheckConversation(
            CheckScript(steps: [.init(.expectPattern(pattern), timeout: timeout)], maximumBytes: maximum), now: 0)
    }

    private func hear(_ conversation: inout CheckConversation, _ text: String) {
        Array(text.utf8).withUnsafeBytes { conversation.note(received: $0) }
    }

    @Test("a pattern is searched for in a few times the bytes, though they come one by one")
    func linear() {
        let pattern = Counting("ok")
        var conversation = conversation(pattern)
        let byte: [UInt8] = [UInt8(ascii: "x")]
        for _ in 0..<65_535 {
            byte.withUnsafeBytes { conversation.note(received: $0) }
            guard conversation.advance(now: 0) == .receive else { break }
        }
        #expect(conversation.advance(now: 0) == .receive)
        hear(&conversation, "x")
        #expect(conversation.advance(now: 0) == .failed(.noMatch))
        #expect(pattern.searched < 8 * 65_536)
    }

    @Test("what was put off is found once its time has come, and nothing is due then")
    func due() throws {
        let pattern = Counting("ok")
        var conversation = conversation(pattern)
        hear(&conversation, String(repeating: "x", count: 1000))
        #expect(conversation.advance(now: 5) == .receive)
        #expect(conversation.searchDue == nil)
        hear(&conversation, "ok")
        #expect(conversation.advance(now: 6) == .receive)
        let due = try #require(conversation.searchDue)
        #expect(due > 6 && due <= 10_000_000)
        #expect(conversation.advance(now: due - 1) == .receive)
        #expect(conversation.advance(now: due) == .passed)
        #expect(conversation.searchDue == nil)
    }

    @Test("a search in vain leaves nothing due")
    func inVain() throws {
        var conversation = conversation(Counting("ok"))
        hear(&conversation, String(repeating: "x", count: 1000))
        #expect(conversation.advance(now: 0) == .receive)
        hear(&conversation, "x")
        #expect(conversation.advance(now: 0) == .receive)
        let due = try #require(conversation.searchDue)
        #expect(conversation.advance(now: due) == .receive)
        #expect(conversation.searchDue == nil)
    }

    @Test("much more is searched at once, and so is all when the endpoint ends or the check does")
    func atOnce() {
        for ends in [0, 1, 2] {
            var conversation = conversation(Counting("ok"))
            hear(&conversation, String(repeating: "x", count: 1000))
            #expect(conversation.advance(now: 0) == .receive)
            switch ends {
            case 0: hear(&conversation, String(repeating: "x", count: 300) + "ok")
            case 1:
                hear(&conversation, "ok")
                conversation.noteEnd()
            default:
                hear(&conversation, "ok")
                #expect(conversation.advance(now: 0) == .receive)
                conversation.noteLastLook()
            }
            #expect(conversation.advance(now: 0) == .passed)
        }
    }

    @Test("what came in time and was put off counts when the step's time is over; what came later does not")
    func late() {
        for late in [false, true] {
            var conversation = conversation(Counting("ok"), timeout: 1000)
            hear(&conversation, String(repeating: "x", count: 1000))
            #expect(conversation.advance(now: 0) == .receive)
            hear(&conversation, late ? "o" : "ok")
            #expect(conversation.advance(now: 999) == .receive)
            if late { hear(&conversation, "k") }
            #expect(conversation.advance(now: 1000) == (late ? .failed(.timeout) : .passed))
        }
    }

    @Test("a text is found where it first ends, however it repeats itself and the stream is cut", arguments: 0..<8)
    func needles(round: Int) {
        var random = SplitMix64(seed: UInt64(round) &+ 1147)
        for _ in 0..<500 {
            let letters: [UInt8] = Array(Bool.random(using: &random) ? "ab".utf8 : "abc".utf8)
            func text(_ most: Int) -> [UInt8] {
                (0..<Int.random(in: 1...most, using: &random)).map { _ in
                    letters[Int.random(in: 0..<letters.count, using: &random)]
                }
            }
            let (wanted, stream) = (text(9), text(120))
            let expected = stream.indices.first { stream[$0...].starts(with: wanted) }.map { $0 + wanted.count }
            let needle = ByteNeedle(wanted)
            var search = ByteNeedle.Search()
            var found: Int?
            var position = 0
            while found == nil, position < stream.count {
                let end = min(stream.count, position + Int.random(in: 1...7, using: &random))
                found = needle.firstEnd(in: stream[position..<end], &search)
                position = end
            }
            #expect(found == expected, "seed \(round), \(wanted), \(stream)")
        }
    }

    @Test("a text that almost stands at every place is found at its own")
    func almost() {
        let text = [UInt8](repeating: 0x61, count: 1023) + [0x62]
        var conversation = CheckConversation(
            CheckScript(steps: [.init(.expect(ByteNeedle(text)))], maximumBytes: 65_536), now: 0)
        let stream = [UInt8](repeating: 0x61, count: 65_535) + [0x62]
        for start in stride(from: 0, to: stream.count, by: 16) {
            #expect(conversation.advance(now: 0) == .receive)
            stream[start..<start + 16].withUnsafeBytes { conversation.note(received: $0) }
        }
        #expect(conversation.advance(now: 0) == .passed)
    }
}
