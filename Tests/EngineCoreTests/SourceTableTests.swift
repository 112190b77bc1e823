import EngineCore
import EngineModel
import Primitives
import Testing

@Suite("Source table", .timeLimit(.minutes(5)))
struct SourceTableTests {
    private static func key(_ number: UInt32) -> SourceKey { SourceKey(.v4(number), SourcePrefix()) }

    @Test("an address is cut to its source; a mapped one is its IPv4 one; families never meet")
    func keys() throws {
        func key(_ text: String, _ v4: Int = 32, _ v6: Int = 64) throws -> SourceKey {
            SourceKey(try #require(IPAddress(text)), SourcePrefix(v4: v4, v6: v6))
        }
        #expect(try key("192.0.2.1") == key("::ffff:192.0.2.1") && key("192.0.2.1") != key("192.0.2.2"))
        #expect(try key("192.0.2.1", 24) == key("192.0.2.255", 24) && key("192.0.2.1", 24) != key("192.0.3.1", 24))
        #expect(try key("192.0.2.1", 1) == key("127.255.255.255", 1) || key("192.0.2.1", 1) == key("255.0.0.1", 1))
        #expect(try key("2001:db8::1") == key("2001:db8::ffff:1") && key("2001:db8::1") != key("2001:db8:0:1::1"))
        #expect(try key("2001:db8::1", 32, 128) != key("2001:db8::2", 32, 128))
        #expect(try key("2001:db8::1", 32, 1) == key("7fff::", 32, 1) && key("8000::", 32, 1) != key("7fff::", 32, 1))
        #expect(try key("0.0.0.0", 1) != key("::", 32, 1) && key("0.0.0.1") != key("::1", 32, 128))
        #expect(
            try key("::fffe:192.0.2.1", 32, 128) != key("192.0.2.1") && key("::192.0.2.1", 32, 128) != key("192.0.2.1"))
    }

    @Test(
        "agrees with a dictionary over random changes, growing and shrinking", arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let limit = [1, 5, 100, 3000][Int(seed % 4)]
        var table = SourceTable(limit: limit)
        var model: [UInt32: Int64] = [:]
        var wrong = 0
        for round in 0..<40_000 {
            // Times of growth and of decline.
            let isGrowing = round / 4000 % 2 == 0
            let number = UInt32(random.next() % UInt64(limit * 3 / 2 + 1))
            let value = random.next() % 4 < (isGrowing ? 3 : 1) ? Int64(1 + random.next() % 1000) : 0
            let fits = value == 0 || model[number] != nil || model.count < limit
            if fits { model[number] = value == 0 ? nil : value }
            let isSet = table.set(SourceTableTests.key(number), to: value)
            if isSet != fits || table.count != model.count { wrong += 1 }
            let other = UInt32(random.next() % UInt64(limit * 3 / 2 + 1))
            if table.value(of: SourceTableTests.key(other)) != model[other] ?? 0 { wrong += 1 }
            if table.count > limit || (table.capacity > 16 && table.count * 8 < table.capacity - 8) { wrong += 1 }
            if random.next() % 500 == 0 {
                table.convert { $0 / 3 }
                model = model.mapValues { $0 / 3 }.filter { $0.value != 0 }
            }
        }
        for number in 0..<UInt32(limit * 3 / 2 + 1)
        where table.value(of: SourceTableTests.key(number)) != model[number] ?? 0 {
            wrong += 1
        }
        #expect(wrong == 0, "seed \(seed)")
    }

    @Test("reclaiming takes out all up to a mark in one round and nothing else", arguments: [1, 7, 64])
    func reclaims(slots: Int) {
        var table = SourceTable(limit: 5000)
        for number in 1...5000 as ClosedRange<UInt32> { _ = table.set(SourceTableTests.key(number), to: Int64(number)) }
        let full = table.capacity
        // A round may look at a slot twice: what is behind a freed one moves up.
        for _ in 0...(2 * full / slots) { table.reclaim(upTo: 2500, slots: slots) }
        let wrong = (1...5000 as ClosedRange<UInt32>).count { number in
            table.value(of: SourceTableTests.key(number)) != (number <= 2500 ? 0 : Int64(number))
        }
        #expect(wrong == 0)
        let (count, capacity) = (table.count, table.capacity)
        #expect(count == 2500 && capacity == full)
        for _ in 0...(2 * full / slots) { table.reclaim(upTo: .max, slots: slots) }
        let (none, smallest) = (table.count, table.capacity)
        #expect(none == 0 && smallest == 16)
    }

    @Test("connections of a source are counted up to its limit and given back; the last one forgets it")
    func connections() {
        var table = SourceTable(limit: 2)
        let (a, b, c) = (SourceTableTests.key(1), SourceTableTests.key(2), SourceTableTests.key(3))
        let first = [table.open(a, atMost: 2), table.open(a, atMost: 2), table.open(a, atMost: 2)]
        #expect(first == [.admitted, .admitted, .over])
        let others = [table.open(b, atMost: 2), table.open(c, atMost: 2), table.open(b, atMost: 2)]
        #expect(others == [.admitted, .noRoom, .admitted])
        table.close(a)
        let still = table.open(c, atMost: 2)
        table.close(a)
        let room = table.open(c, atMost: 2)
        let count = table.count
        #expect(still == .noRoom && room == .admitted && count == 2)
        // A lowered limit closes nothing, and admits nobody until enough are gone.
        let lowered = table.open(b, atMost: 1)
        table.close(b)
        let atLimit = table.open(b, atMost: 1)
        table.close(b)
        let again = table.open(b, atMost: 1)
        #expect(lowered == .over && atLimit == .over && again == .admitted)
    }

    @Test("each source has its own bucket, as if it were the only one", arguments: 1...10 as ClosedRange<UInt64>)
    func buckets(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bucket = TokenBucket(.init(connections: 5, per: .second, burst: 3))
        var table = SourceTable(limit: 1000)
        var states: [UInt32: Int64] = [:]
        var now: Int64 = 1_000_000_000
        var wrong = 0
        for _ in 0..<20_000 {
            now += Int64(random.next() % 20_000_000)
            let number = UInt32(random.next() % 40)
            let step = bucket.step(states[number] ?? TokenBucket.full, now: now)
            states[number] = step.state
            let admission = table.take(SourceTableTests.key(number), from: bucket, now: now)
            if (admission == .admitted) != step.isAllowed || admission == .noRoom { wrong += 1 }
        }
        #expect(wrong == 0, "seed \(seed)")
    }

    @Test(
        "many addresses fill the table and not the memory; sources that are held stay held, and full buckets make room")
    func flood() {
        let bucket = TokenBucket(.init(connections: 1, per: .second, burst: 2))
        var table = SourceTable(limit: 1000)
        let now: Int64 = 50_000_000_000
        let held = SourceTableTests.key(0)
        for _ in 0..<2 { _ = table.take(held, from: bucket, now: now) }
        var (admitted, refused) = (0, 0)
        for number in 1...100_000 as ClosedRange<UInt32> {
            switch table.take(SourceTableTests.key(number), from: bucket, now: now) {
            case .admitted: admitted += 1
            case .noRoom: refused += 1
            case .over: break
            }
        }
        let after = table.take(held, from: bucket, now: now)
        let known = table.take(SourceTableTests.key(1), from: bucket, now: now)
        #expect(admitted == 999 && refused == 99_001 && after == .over && known == .admitted)
        let (count, capacity) = (table.count, table.capacity)
        #expect(count == 1000 && capacity == 2048)
        // A second later nearly all of the buckets are full again: new sources get in.
        var late = 0
        for number in 200_000..<201_000 as Range<UInt32>
        where table.take(SourceTableTests.key(number), from: bucket, now: now + 1_000_000_001) == .admitted {
            late += 1
        }
        #expect(late > 950)
        let stillHeld = [0, 1].map { _ in table.take(held, from: bucket, now: now + 1_000_000_001) }
        #expect(stillHeld == [.admitted, .over])
    }
}
