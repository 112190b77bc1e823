import EngineCore
import Primitives
import Testing

@Suite("PROXY protocol headers, any bytes", .timeLimit(.minutes(5)))
struct ProxyHeaderPropertyTests {
    @Test("every prefix of a header asks for more, and never for less than is missing")
    func prefixes() {
        var random = SplitMix64(seed: 3)
        let headers = CapturedProxyHeader.all + (0..<100).compactMap { _ in ProxyHeader.random(&random).encoded() }
        for bytes in headers {
            for length in 0..<bytes.count {
                guard case .needMore(let total) = parseProxy(bytes.prefix(length)) else {
                    Issue.record("\(length) of \(bytes): \(parseProxy(bytes.prefix(length)))")
                    continue
                }
                #expect(total > length && total <= bytes.count)
            }
        }
    }

    /// What the first decision is when bytes come one at a time.
    private func stepwise(_ bytes: [UInt8], limit: Int) -> ProxyHeaderParse {
        for length in 0..<bytes.count {
            let result = parseProxy(bytes.prefix(length), limit: limit)
            guard case .needMore = result else { return result }
        }
        return parseProxy(bytes, limit: limit)
    }

    private func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0...(random.next() % 4) {
            let position = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 5 {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[position] = Array("0 .:\r\n\0\u{7f}".utf8)[Int(random.next() % 8)]
            case 2: if bytes.count > 1 { bytes.remove(at: position) }
            case 3: bytes[position] ^= 1 << UInt8(random.next() % 8)
            default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
            }
        }
        return bytes
    }

    @Test("20,000 random mutations never trap, never ask for less than they have, and never pass a wrong checksum")
    func mutations() {
        var random = SplitMix64(seed: 42)
        var accepted = 0
        for round in 0..<20_000 {
            let seeds = CapturedProxyHeader.all
            let bytes = mutated(seeds[Int(random.next() % UInt64(seeds.count))], &random)
            switch parseProxy(bytes) {
            case .needMore(let total): #expect(total > bytes.count && total <= 4096, "seed 42, round \(round)")
            case .header(let header):
                accepted += 1
                #expect(header.consumedBytes <= bytes.count, "seed 42, round \(round)")
                #expect((header.source == nil) == (header.destination == nil))
                #expect(header.command == .proxy || header.source == nil)
                #expect(ProxyHeaderBuilder.checksumHolds(header, in: bytes), "seed 42, round \(round)")
            case .notProxy(let matching): #expect(matching < min(bytes.count, 12))
            case .malformed, .tooLarge: break
            }
        }
        // Else nothing was tried beyond the signature.
        #expect(accepted > 500)
    }

    @Test("bytes one at a time come to the same as all at once, whatever the limit")
    func stepwise() {
        var random = SplitMix64(seed: 43)
        for round in 0..<1500 {
            let seeds = CapturedProxyHeader.all
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            if round >= seeds.count { bytes = mutated(bytes, &random) }
            let limit = random.next() % 2 == 0 ? 4096 : Int(random.next() % 120)
            #expect(stepwise(bytes, limit: limit) == parseProxy(bytes, limit: limit), "seed 43, round \(round)")
        }
    }

    @Test("the other way to a checksum agrees with RFC 3720 §B.4")
    func reference() {
        #expect(ProxyHeaderBuilder.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(ProxyHeaderBuilder.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(ProxyHeaderBuilder.checksum((0..<32).map { UInt8($0) }) == 0x46dd_794e)
        #expect(ProxyHeaderBuilder.checksum((0..<32).map { UInt8(31 - $0) }) == 0x113f_db5c)
        #expect(ProxyHeaderBuilder.checksum("123456789".utf8) == 0xe306_9283)
    }
}
