import Patterns
import Testing

@Suite("Patterns")
struct PatternTests {
    private func match(_ pattern: String, _ text: [UInt8], from offset: Int = 0) throws -> Range<Int>? {
        let pattern = try Pattern(pattern)
        return text.withUnsafeBytes { pattern.firstMatch(in: $0, from: offset) }
    }

    @Test("the leftmost match is found, and where it is")
    func leftmost() throws {
        #expect(try match("b+", Array("aabbabbb".utf8)) == 2..<4)
        #expect(try match("b+", Array("aabbabbb".utf8), from: 3) == 3..<4)
        #expect(try match("b+", Array("aabbabbb".utf8), from: 4) == 5..<8)
        #expect(try match("x", Array("aabb".utf8)) == nil)
        #expect(try match("a*", []) == 0..<0)
    }

    @Test("what stands before the offset is not there")
    func offset() throws {
        #expect(try match("^b", Array("ab".utf8), from: 1) == 1..<2)
        #expect(try match("^b", Array("ab".utf8)) == nil)
        #expect(try match("$", Array("ab".utf8), from: 2) == 2..<2)
        #expect(try match("", Array("ab".utf8), from: 3) == nil)
        #expect(try match("", Array("ab".utf8), from: -1) == nil)
    }

    @Test("bytes that are no text are searched as bytes")
    func bytes() throws {
        #expect(try match(#"^.{4}\x0a8\."#, [0x8a, 0, 0xff, 0xc0, 0x0a, 0x38, 0x2e]) == 0..<7)
        #expect(try match(#"\xff"#, [0xc3, 0xbf, 0xff]) == 2..<3)
        #expect(try match("bär", Array("ein bär".utf8)) == 4..<8)
        #expect(try match(#"a\x00b"#, [0x61, 0, 0x62]) == 0..<3)
    }

    @Test(
        "what is wrong with a pattern is said in RE2's words",
        arguments: [
            ("(abc", "missing ): (abc"), ("[z-a]", "invalid character class range: z-a"),
            ("a**", "bad repetition operator: **"), (#"(a)\1"#, #"invalid escape sequence: \1"#),
            ("(?=a)", "invalid perl operator: (?="),
        ])
    func problems(pattern: String, message: String) {
        let problem = #expect(throws: PatternProblem.self) { try Pattern(pattern) }
        #expect(problem?.message == message)
    }

    @Test("a pattern whose program would be too large is refused")
    func tooLarge() {
        let problem = #expect(throws: PatternProblem.self) { try Pattern("((a{100}){100}){100}") }
        #expect(problem?.message.isEmpty == false)
    }

    @Test("patterns that take others exponential time take this one no longer")
    func exponential() throws {
        let text = [UInt8](repeating: 0x61, count: 65_536)
        #expect(try match("(a+)+$b", text) == nil)
        #expect(try match("(a|aa)*c", text) == nil)
        #expect(try match("(.*)*x{20}", text) == nil)
    }

    @Test("what is wrong is remembered by pattern, and forgotten with it")
    func remembered() {
        var problems = PatternProblems()
        #expect(problems.of(["a", "(", "a"]) == ["(": "missing ): ("])
        #expect(problems.of(["(", "["]) == ["(": "missing ): (", "[": "missing ]: ["])
        #expect(problems.of(["a"]) == [:])
    }

    @Test("one pattern serves many threads")
    func threads() async throws {
        let pattern = try Pattern("role:(master|primary)")
        await withTaskGroup(of: Bool.self) { group in
            for round in 0..<64 {
                group.addTask {
                    let text = Array("role:\(round % 2 == 0 ? "master" : "slave")".utf8)
                    return text.withUnsafeBytes { pattern.firstMatch(in: $0) != nil } == (round % 2 == 0)
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
