internal import EngineCore
internal import Primitives

/// Slots that wait for their handshake's turn. Each source has a line of its own, an IPv4 address or a /64 of IPv6, and the lines
/// take turns: who floods waits behind itself, and who comes from elsewhere waits for one of each other source at most
/// (stochastic fairness queueing, McKenney 1990). Sources whose hashes meet share a line; the seed changes all the time, so that
/// nobody meets the same one for long, or on purpose.
struct HandshakeQueue {
    private struct Line {
        var slots = SlotQueue()
        /// The line whose turn comes behind this one's.
        var next: Int32 = -1
    }

    private static let lineCount = 512
    /// Slots after which sources are spread over the lines anew. One that waits stays where it is.
    private static let pushesBySeed = 4096

    private var lines = [Line](repeating: Line(), count: HandshakeQueue.lineCount)
    /// Lines in which somebody waits, in the order of their turns.
    private var (head, tail): (Int32, Int32) = (-1, -1)
    private var random: SplitMix64
    private var seed: UInt64
    private var pushesLeft = HandshakeQueue.pushesBySeed

    init(random: SplitMix64) {
        self.random = random
        seed = self.random.next()
    }

    @inline(__always) var isEmpty: Bool { head < 0 }

    mutating func push(_ slot: Int, _ records: UnsafeMutablePointer<ConnectionRecord>) {
        let index = line(of: records[slot].client.ip)
        if lines[index].slots.isEmpty { append(Int32(index)) }
        lines[index].slots.push(slot, records)
    }

    mutating func pop(_ records: UnsafeMutablePointer<ConnectionRecord>) -> Int? {
        guard head >= 0 else { return nil }
        let index = head
        head = lines[Int(index)].next
        if head < 0 { tail = -1 }
        let slot = lines[Int(index)].slots.pop(records)
        if !lines[Int(index)].slots.isEmpty { append(index) }
        return slot
    }

    private mutating func append(_ index: Int32) {
        lines[Int(index)].next = -1
        if tail >= 0 { lines[Int(tail)].next = index } else { head = index }
        tail = index
    }

    private mutating func line(of address: IPAddress) -> Int {
        pushesLeft -= 1
        if pushesLeft == 0 { (seed, pushesLeft) = (random.next(), HandshakeQueue.pushesBySeed) }
        let source =
            switch address.unmapped {
            case .v4(let value): UInt64(value)
            case .v6(let high, _): high
            }
        return Int(truncatingIfNeeded: StableHash.hash(source, 0, seed: seed) % UInt64(HandshakeQueue.lineCount))
    }
}
