import Primitives
import Testing

@Suite("CIDR set", .timeLimit(.minutes(5)))
struct CIDRSetTests {
    private static func set(_ texts: String...) -> CIDRSet { CIDRSet(texts.compactMap { CIDR($0) }) }
    private static func holds(_ set: CIDRSet, _ text: String) -> Bool? { IPAddress(text).map { set.contains($0) } }

    @Test("the first and last addresses of each block, and those beside it")
    func edges() {
        let set = CIDRSetTests.set("10.0.0.0/8", "192.0.2.7/32", "255.255.255.254/31", "0.0.0.0/32", "2001:db8::/32")
        let inside = [
            "10.0.0.0", "10.255.255.255", "192.0.2.7", "255.255.255.254", "255.255.255.255", "0.0.0.0", "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.1.1.1",
        ]
        let outside = [
            "9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8", "255.255.255.253", "0.0.0.1", "::", "2001:db9::",
            "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "::10.1.1.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ]
        for text in inside { #expect(CIDRSetTests.holds(set, text) == true, "\(text)") }
        for text in outside { #expect(CIDRSetTests.holds(set, text) == false, "\(text)") }
    }

    @Test("everything, of one family; nothing at all")
    func extremes() {
        let (all4, all6) = (CIDRSetTests.set("0.0.0.0/0"), CIDRSetTests.set("::/0"))
        for address in [IPAddress.v4(0), .v4(.max), .v4(1 << 31)] {
            #expect(all4.contains(address) && !all6.contains(address))
        }
        for address in [IPAddress.anyV6, .v6(high: .max, low: .max), .v6(high: 1 << 63, low: 0)] {
            #expect(all6.contains(address) && !all4.contains(address))
        }
        let last = CIDRSetTests.set("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")
        #expect(last.contains(.v6(high: .max, low: .max)) && !last.contains(.v6(high: .max, low: .max - 1)))
        let none = CIDRSetTests.set()
        #expect(none.isEmpty && !none.contains(.v4(0)) && !none.contains(.anyV6) && !all4.isEmpty && !all6.isEmpty)
    }

    @Test("equal are sets of the same addresses, however they were put: halves, overlaps, order, repetitions")
    func equality() {
        let whole = CIDRSetTests.set("10.0.0.0/8", "::/0")
        let parts = CIDRSetTests.set(
            "8000::/1", "10.128.0.0/9", "10.1.2.3/32", "::/1", "10.0.0.0/9", "10.0.0.0/9", "ffff::/16")
        #expect(whole == parts && whole.hashValue == parts.hashValue)
        #expect(whole != CIDRSetTests.set("10.0.0.0/8") && whole != CIDRSetTests.set("10.0.0.0/7", "::/0"))
        #expect(CIDRSetTests.set("0.0.0.0/1", "128.0.0.0/1") == CIDRSetTests.set("0.0.0.0/0"))
        #expect(CIDRSetTests.set("255.255.255.255/32", "0.0.0.0/0") == CIDRSetTests.set("0.0.0.0/0"))
    }

    /// Few different bits, so that blocks overlap, touch and meet the ends.
    private static func address(_ random: inout SplitMix64) -> IPAddress {
        func word() -> UInt64 {
            switch random.next() % 4 {
            case 0: 0
            case 1: .max
            case 2: random.next() & 0x0101_0101_0101_0101
            default: random.next()
            }
        }
        return random.next() % 2 == 0
            ? .v4(UInt32(truncatingIfNeeded: word())) : .v6(high: word(), low: word())
    }

    /// The address before or after, which is where a mistake by one shows.
    private static func neighbour(_ address: IPAddress, _ step: UInt64) -> IPAddress {
        switch address {
        case .v4(let value): return .v4(value &+ UInt32(truncatingIfNeeded: step))
        case .v6(let high, let low):
            let value = (UInt128(high) << 64 | UInt128(low)) &+ UInt128(truncatingIfNeeded: Int64(bitPattern: step))
            return .v6(high: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value))
        }
    }

    @Test("agrees with a look at every block, for random sets that overlap", arguments: 1...60 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let blocks = (0..<Int(random.next() % 80)).compactMap { _ in
            let address = CIDRSetTests.address(&random)
            // Long and short ones.
            let most: UInt64 = address.isV4 ? 33 : 129
            let length = random.next() % 3 == 0 ? random.next() % most : most - 1 - random.next() % 10
            return CIDR(address, Int(length))
        }
        let set = CIDRSet(blocks)
        var asked = (0..<200).map { _ in CIDRSetTests.address(&random) }
        for block in blocks {
            asked += [block.address, CIDRSetTests.neighbour(block.address, 1)]
            asked.append(CIDRSetTests.neighbour(block.address, .max))
            let bits = (block.address.isV4 ? 32 : 128) - block.prefixLength
            if bits < 60 {
                asked.append(CIDRSetTests.neighbour(block.address, 1 << UInt64(bits)))
                asked.append(CIDRSetTests.neighbour(block.address, 1 << UInt64(bits) - 1))
            }
        }
        for address in asked {
            let expected = blocks.contains { $0.contains(address) }
            #expect(set.contains(address) == expected, "seed \(seed): \(address) in \(blocks)")
        }
        #expect(CIDRSet(blocks.reversed()) == set, "seed \(seed)")
    }

    @Test("100,000 blocks of each family")
    func many() {
        var random = SplitMix64(seed: 7)
        var blocks: [CIDR] = []
        var seen: Set<CIDR> = []
        while blocks.count < 200_000 {
            let address: IPAddress =
                blocks.count < 100_000
                ? .v4(UInt32(truncatingIfNeeded: random.next())) : .v6(high: random.next(), low: random.next())
            guard let block = CIDR(address, address.isV4 ? 24 : 48), seen.insert(block).inserted else { continue }
            blocks.append(block)
        }
        let set = CIDRSet(blocks)
        var wrong = 0
        for block in blocks where !set.contains(CIDRSetTests.neighbour(block.address, 200)) { wrong += 1 }
        for _ in 0..<100_000 {
            let word = UInt32(truncatingIfNeeded: random.next())
            let expected = CIDR(.v4(word), 24).map { seen.contains($0) }
            if set.contains(.v4(word)) != expected { wrong += 1 }
            let (high, low) = (random.next(), random.next())
            let long = IPAddress.v6(high: high, low: low)
            if set.contains(long) != CIDR(long, 48).map({ seen.contains($0) }) { wrong += 1 }
        }
        #expect(wrong == 0)
    }
}
