import KubernetesAPI
import Testing

@Suite("Changed keys")
struct ChangedKeysTests {
    @Test("they are those of a comparison key by key, whatever was done to either", arguments: 0..<50)
    func agrees(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        var old: [Int: Int] = [:]
        for _ in 0..<dice.roll(200) { old[dice.roll(300)] = dice.roll(10) }
        var new = old
        #expect(new.changedKeys(since: old).isEmpty)
        for _ in 0..<dice.roll(12) {
            let key = dice.roll(300)
            new[key] = dice.roll(3) == 0 ? nil : dice.roll(10)
        }
        if dice.roll(3) == 0 { new = Dictionary(uniqueKeysWithValues: new.map { ($0.key, $0.value) }) }
        let expected = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
        let changed = new.changedKeys(since: old)
        #expect(changed.sorted() == expected.sorted(), "seed \(seed)")
        #expect(old.changedKeys(since: new).sorted() == expected.sorted(), "seed \(seed)")
    }
}
