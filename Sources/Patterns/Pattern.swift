internal import CRE2

/// What RE2 has against a pattern, in its words, such as `missing ): (abc`.
public struct PatternProblem: Error, Hashable, Sendable {
    public var message: String

    public init(message: String) { self.message = message }
}

/// A regular expression in RE2's syntax, over bytes: `.` is one byte that is no newline, `\xff` that byte, and a character beyond
/// ASCII the bytes of its UTF-8. Its searches take time in proportion to what is searched, and share at most ``memoryLimit``.
/// For any number of threads at once.
public final class Pattern: @unchecked Sendable {
    // Sendable because it is written in init only, and RE2 synchronises the caches of its searches itself.
    private let compiled: OpaquePointer

    /// Bytes that a pattern and the caches of its searches may take. What needs more to be compiled is refused.
    public static let memoryLimit = 1 << 20

    /// Compiles it; throws where it is none or is too large.
    public init(_ text: String) throws(PatternProblem) {
        var text = text
        var problem = InlineArray<512, CChar>(repeating: 0)
        var span = problem.mutableSpan
        let made = span.withUnsafeMutableBufferPointer { problem in
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { bytes in
                    sluice_re2_compile(
                        bytes.baseAddress, bytes.count, Int64(Pattern.memoryLimit), problem.baseAddress, problem.count)
                }
            }
        }
        guard let made else { throw PatternProblem(message: Pattern.text(problem.span)) }
        compiled = made
    }

    deinit { sluice_re2_free(compiled) }

    /// The leftmost match in the bytes from `offset` on, as positions in all of them. What stands before `offset` does not exist for
    /// the pattern: `^` is there. An `offset` beyond the end finds nothing.
    public func firstMatch(in bytes: UnsafeRawBufferPointer, from offset: Int = 0) -> Range<Int>? {
        guard offset >= 0, offset <= bytes.count else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        var start = 0
        var end = 0
        guard sluice_re2_find(compiled, rest.baseAddress, rest.count, &start, &end) == 1 else { return nil }
        return offset + start..<offset + end
    }

    private static func text(_ bytes: Span<CChar>) -> String {
        var characters: [UInt8] = []
        for index in bytes.indices {
            guard bytes[index] != 0 else { break }
            characters.append(UInt8(bitPattern: bytes[index]))
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
