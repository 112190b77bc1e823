@testable import EngineCore
import Primitives
import Testing

@Suite("Server name table", .timeLimit(.minutes(5)))
struct ServerNameTableTests {
    private let table = ServerNameTable(
        [
            (.exact("a.example.com"), 1), (.wildcard(suffix: "example.com"), 2),
            (.wildcard(suffix: "b.example.com"), 3),
            (.exact("b.example.com"), 4), (.exact("a.example.com"), 9), (.wildcard(suffix: "com"), 5),
        ], fallback: 0)

    @Test(
        "exact, then the longest wildcard, then the fallback",
        arguments: [
            ("a.example.com", 1), ("x.example.com", 2), ("x.y.example.com", 2), ("x.b.example.com", 3),
            ("b.example.com", 4), ("example.com", 5), ("com", 0), ("a.example.org", 0), ("xexample.com", 5),
            ("x.a.example.com", 2),
        ] as [(String, Int32)])
    func precedence(name: String, value: Int32) { #expect(table.lookup(name) == value) }

    @Test("no name has the fallback's value; without one there is none")
    func fallback() {
        #expect(table.lookup(nil) == 0)
        #expect(table.lookup("") == 0)
        let bare = ServerNameTable([(.exact("a.example"), 1)], fallback: nil)
        #expect(bare.lookup(nil) == nil && bare.lookup("b.example") == nil && bare.lookup("a.example") == 1)
        #expect(ServerNameTable([], fallback: 7).lookup("a.example") == 7)
    }

    @Test("names that no client sends by way of the parser do no harm")
    func oddNames() {
        for name in [".", "..", ".com", "com.", String(repeating: ".", count: 300)] {
            #expect([0, 5].contains(table.lookup(name)))
        }
    }

    @Test("random tables agree with the definition", arguments: 1...30 as ClosedRange<UInt64>)
    func oracle(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func name() -> String {
            (0...random.next() % 4).map { _ in ["a", "b", "ab", "c-1"][Int(random.next() % 4)] }.joined(separator: ".")
        }
        var entries: [(HostnamePattern, Int32)] = []
        for value in 0..<Int32(random.next() % 60) {
            entries.append((random.next() % 2 == 0 ? .exact(name()) : .wildcard(suffix: name()), value))
        }
        let fallback: Int32? = random.next() % 2 == 0 ? -5 : nil
        let table = ServerNameTable(entries, fallback: fallback)
        for _ in 0..<200 {
            let asked = name()
            let matching = entries.filter { $0.0.matches(asked) }
            let exact = matching.first { $0.0 == .exact(asked) }
            let longest = matching.map { $0.0.description.utf8.count }.max()
            let wildcard = matching.first { $0.0.description.utf8.count == longest }
            #expect(table.lookup(asked) == (exact ?? wildcard)?.1 ?? fallback)
        }
    }

    @Test("100,000 names are all found")
    func large() {
        let entries = (0..<100_000).map { index in
            let pattern: HostnamePattern =
                index % 4 == 0 ? .wildcard(suffix: "w\(index).example") : .exact("host-\(index).shop.example")
            return (pattern, Int32(index))
        }
        let table = ServerNameTable(entries, fallback: nil)
        var wrong = 0
        for (pattern, value) in entries {
            let name =
                switch pattern {
                case .exact(let name): name
                case .wildcard(let suffix): "any.label." + suffix
                }
            if table.lookup(name) != value { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(table.lookup("host-100000.shop.example") == nil)
    }

    @Test("a table that names came to and went from agrees with a dictionary", arguments: 1...20 as ClosedRange<UInt64>)
    func changes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func pattern() -> HostnamePattern {
            let name = "n\(random.next() % 400).example"
            return random.next() % 3 == 0 ? .wildcard(suffix: name) : .exact(name)
        }
        var table = ServerNameTable([], fallback: nil)
        var oracle: [HostnamePattern: Int32] = [:]
        for value in 0..<Int32(600) {
            let changed = pattern()
            if random.next() % 3 == 0 {
                let (taken, expected) = (table.remove(changed), oracle.removeValue(forKey: changed))
                #expect(taken == expected, "seed \(seed)")
            } else {
                let isNew = table.insert(changed, value)
                #expect(isNew == (oracle[changed] == nil), "seed \(seed)")
                if oracle[changed] == nil { oracle[changed] = value }
            }
            #expect(table.count == oracle.count, "seed \(seed)")
            let asked = pattern()
            #expect(table.value(of: asked) == oracle[asked], "seed \(seed)")
        }
        for (pattern, value) in oracle {
            switch pattern {
            case .exact(let name): #expect(table.lookup(name) == value, "seed \(seed)")
            case .wildcard(let suffix): #expect(table.lookup("x." + suffix) == value, "seed \(seed)")
            }
        }
    }

    @Test("a change leaves the copy before it as it was, and shares all but its own part with it")
    func sharing() {
        let before = ServerNameTable((0..<10_000).map { (.exact("host-\($0).example"), Int32($0)) }, fallback: nil)
        var after = before
        let (taken, isNew) = (after.remove(.exact("host-5.example")), after.insert(.exact("other.example"), 5))
        #expect(taken == 5 && isNew)
        #expect(before.lookup("host-5.example") == 5 && before.lookup("other.example") == nil)
        #expect(after.lookup("host-5.example") == nil && after.lookup("other.example") == 5)
        let (shared, all) = after.sharedSegments(with: before)
        #expect(all > 100 && all - shared <= 2)
    }
}
