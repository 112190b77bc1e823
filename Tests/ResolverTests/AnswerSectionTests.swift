import Testing

@testable import Resolver

@Suite("Answer section")
struct AnswerSectionTests {
    private func section(_ message: [UInt8]) -> AnswerSection { message.withUnsafeBufferPointer { AnswerSection($0) } }

    /// Name, type, class IN, TTL, data.
    private func record(_ name: [UInt8], _ type: UInt8, ttl: [UInt8], _ data: [UInt8]) -> [UInt8] {
        name + [0, type, 0, 1] + ttl + [0, UInt8(data.count)] + data
    }

    private let header: [UInt8] = [0, 1, 0x85, 0x80, 0, 1, 0, 3, 0, 0, 0, 0]
    private let question: [UInt8] = [1, 97, 2, 98, 99, 0, 0, 33, 0, 1]

    private var whole: [UInt8] {
        header + question
            + record([0xc0, 12], 5, ttl: [0, 0, 0, 30], [1, 120, 0])
            + record([1, 120, 0], 33, ttl: [0, 0, 1, 0], [0, 0, 0, 1, 0, 80, 1, 121, 0xc0, 12])
            + record([1, 120, 0xc0, 12], 33, ttl: [0, 0, 0, 60], [0, 0, 0, 1, 0, 81, 0])
    }

    @Test("records are counted by type, and an alias's TTL counts with theirs")
    func reads() {
        #expect(section(whole).records.map(\.type) == [5, 33, 33])
        #expect(section(whole).count(of: 33) == 2 && section(whole).count(of: 1) == 0)
        #expect(section(whole).timeToLive(of: 33) == 30)
        #expect(section(whole).timeToLive(of: 1) == 30, "the alias alone")
    }

    @Test("a TTL with its first bit set counts as 0")
    func negative() {
        let message = header + question + record([0], 33, ttl: [0x80, 0, 0, 1], [])
        #expect(section(message).timeToLive(of: 33) == 0)
    }

    @Test("wherever a message ends, what comes before is read and nothing beyond")
    func truncated() {
        for length in 0..<whole.count {
            let read = section(Array(whole[..<length])).records.map(\.type)
            #expect([5, 33, 33].starts(with: read))
        }
    }
}
