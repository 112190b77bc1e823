import Primitives
import Testing

@Suite("CIDR", .timeLimit(.minutes(5)))
struct CIDRTests {
    @Test(
        "forms that count, host bits dropped",
        arguments: [
            ("10.1.2.3/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("255.255.255.255/0", "0.0.0.0/0"),
            ("255.255.255.255/32", "255.255.255.255/32"), ("192.0.2.129/25", "192.0.2.128/25"), ("::/0", "::/0"),
            ("ffff::1/0", "::/0"), ("2001:DB8::1/128", "2001:db8::1/128"), ("fe80::/10", "fe80::/10"),
            ("2001:db8:1:2:3:4:5:6/64", "2001:db8:1:2::/64"), ("2001:db8:1:2:3:4:5:6/65", "2001:db8:1:2::/65"),
            ("2001:db8::8000:0:0:0/65", "2001:db8:0:0:8000::/65"), ("::1.2.3.4/128", "::102:304/128"),
            ("64:ff9b::192.0.2.1/96", "64:ff9b::/96"), ("::fffe:1.2.3.4/96", "::fffe:0:0/96"),
        ])
    func accepted(text: String, canonical: String) throws {
        let block = try #require(CIDR(text))
        #expect(block.description == canonical)
        #expect(CIDR(canonical) == block)
        #expect(block.contains(block.address))
    }

    @Test(
        "what is no CIDR: no length, zones, mapped addresses, leading zeros, lengths out of range",
        arguments: [
            "", "/", "10.0.0.1", "::1", "010.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:a00:0/104", "::ffff:1.2.3.4/0",
            "::/129", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/00", "::/064", "10.0/8", "10/8", "fe80::%eth0/10",
            "fe80::1%1/64", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0 /8",
            "10.0.0.0/8/8", "10.0.0.0/0x8", "10.0.0.0/1000", "10.0.0.0/٨", "10.0.0.0/8\u{301}",
            "10.0.0.0/255.0.0.0", "256.0.0.0/8", "1.2.3.4.5/8", "1:2:3:4:5:6:7/64", "1::2::3/64", ":::/0",
            "12345::/16", "g::/16", "[::1]/128", "10.0.0.0\\8", "10.0.0.0/8\n", "10.0.0.0/8\0",
            "10.0.0.0/99999999999999999999",
        ])
    func refused(text: String) {
        #expect(CIDR(text) == nil)
    }

    @Test("a length must fit the address, and a mapped address is none")
    func made() {
        #expect(CIDR(.v4(1), 33) == nil && CIDR(.v4(1), -1) == nil && CIDR(.v6(high: 0, low: 1), 129) == nil)
        #expect(CIDR(.v6(high: 0, low: 0xffff_0a00_0001), 128) == nil)
        #expect(CIDR(.v6(high: 1, low: 1), 0)?.address == .anyV6)
    }

    @Test("IPv4 is in no block of IPv6 and the other way round; a mapped address is its IPv4 one")
    func families() throws {
        let all4 = try #require(CIDR("0.0.0.0/0"))
        let all6 = try #require(CIDR("::/0"))
        let mapped = IPAddress.v6(high: 0, low: 0xffff_0a01_0203)
        #expect(all4.contains(.v4(.max)) && all4.contains(mapped) && !all4.contains(.v6(high: .max, low: .max)))
        #expect(all6.contains(.v6(high: .max, low: .max)) && !all6.contains(.v4(0)) && !all6.contains(mapped))
        #expect(CIDR("10.0.0.0/8")?.contains(mapped) == true && CIDR("11.0.0.0/8")?.contains(mapped) == false)
    }

    @Test("masks agree with bit by bit", arguments: [1, 2] as [UInt64])
    func masks(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for length in 0...128 {
            let (high, low) = (random.next(), random.next())
            let all = UInt128(high) << 64 | UInt128(low)
            var expected: UInt128 = 0
            for bit in 0..<length { expected |= all & (1 << UInt128(127 - bit)) }
            let cut = IPAddress.v6(
                high: UInt64(truncatingIfNeeded: expected >> 64), low: UInt64(truncatingIfNeeded: expected))
            #expect(IPAddress.v6(high: high, low: low).masked(to: length) == cut, "seed \(seed), /\(length)")
            guard length <= 32 else { continue }
            let word = UInt32(truncatingIfNeeded: high)
            var kept: UInt32 = 0
            for bit in 0..<length { kept |= word & (1 << UInt32(31 - bit)) }
            #expect(IPAddress.v4(word).masked(to: length) == .v4(kept), "seed \(seed), /\(length)")
        }
    }
}
