/// Types and TTLs of the records in a DNS message's answer section: what c-ares does not tell of all of them.
struct AnswerSection {
    static let alias: UInt16 = 5

    private(set) var records: [(type: UInt16, ttl: Int)] = []

    /// Of a message that c-ares has read; where it ends too early, what comes before that.
    init(_ message: UnsafeBufferPointer<UInt8>) {
        guard message.count >= 12 else { return }
        func word(_ index: Int) -> Int { Int(message[index]) << 8 | Int(message[index + 1]) }
        var index = 12
        for _ in 0..<word(4) {
            guard let end = AnswerSection.endOfName(message, at: index) else { return }
            index = end + 4
        }
        for _ in 0..<word(6) {
            guard let end = AnswerSection.endOfName(message, at: index), end + 10 <= message.count else { return }
            // A TTL with its first bit set counts as 0 (RFC 2181 §8).
            let ttl = word(end + 4) << 16 | word(end + 6)
            records.append((UInt16(word(end)), ttl > 0x7fff_ffff ? 0 : ttl))
            index = end + 10 + word(end + 8)
        }
    }

    func count(of type: UInt16) -> Int { records.count { $0.type == type } }

    /// The lowest TTL of records of a type and of the aliases that lead to them.
    func timeToLive(of type: UInt16) -> Int? {
        records.lazy.filter { $0.type == type || $0.type == AnswerSection.alias }.map(\.ttl).min()
    }

    /// A name ends with the root, or with a pointer to where it goes on.
    private static func endOfName(_ message: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        var index = start
        while index < message.count {
            switch message[index] {
            case 0: return index + 1
            case 0xc0...: return index + 2
            case let length: index += 1 + Int(length)
            }
        }
        return nil
    }
}
