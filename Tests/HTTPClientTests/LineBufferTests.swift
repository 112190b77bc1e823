@testable import HTTPClient
import Primitives
import TestSupport
import Testing

@Suite("Cutting lines")
struct LineBufferTests {
    @Test("whatever the pieces, the lines are the same", arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func pieces(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var expected: [[UInt8]] = []
        var text: [UInt8] = []
        for _ in 0..<200 {
            let line = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: 32...126, using: &random)
            }
            if !line.isEmpty { expected.append(line) }
            text += line + (Bool.random(using: &random) ? [13, 10] : [10])
        }
        let buffer = LineBuffer(limit: 1 << 20) {}
        buffer.set(HTTPHead(status: 200))
        var found: [[UInt8]] = []
        var rest = text[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Int.random(in: 1...60, using: &random)))
            rest = rest.dropFirst(piece.count)
            #expect(piece.withUnsafeBytes { buffer.append($0) })
            if Bool.random(using: &random) { found += buffer.take().lines }
        }
        buffer.end(.finished)
        found += buffer.take().lines
        #expect(found == expected, "seed \(seed)")
        #expect(buffer.take().end == .finished)
    }

    @Test("what waits is counted: what was taken no longer is")
    func waiting() {
        let buffer = LineBuffer(limit: 100) {}
        buffer.set(HTTPHead(status: 200))
        let line = [UInt8](repeating: 65, count: 59) + [10]
        for _ in 0..<10 {
            #expect(line.withUnsafeBytes { buffer.append($0) })
            #expect(buffer.take().lines.count == 1)
        }
        #expect(line.withUnsafeBytes { buffer.append($0) })
        #expect(!line.withUnsafeBytes { buffer.append($0) })
        let part = buffer.take()
        #expect(part.end == .consumerTooSlow)
        #expect(part.lines.isEmpty)
    }
}
