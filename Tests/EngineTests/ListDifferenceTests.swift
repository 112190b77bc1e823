@testable import Engine
import EngineModel
import Primitives
import Testing

@Suite("Differences of lists")
struct ListDifferenceTests {
    private typealias Entry = TLSListener.HostnameRoute

    /// Names of both sorts, short and long, with routes that refer to something.
    private func entries(_ count: Int) -> [Entry] {
        (0..<count).map { index in
            let name = index % 2 == 0 ? "a\(index).b" : "a-longer-name-\(index).example.com"
            return Entry(
                hostname: index % 3 == 0 ? .wildcard(suffix: name) : .exact(name),
                route: route("route-\(index)", to: [("b\(index)", 1), ("b", 2)], alpn: index % 4 == 0 ? ["h2"] : []))
        }
    }

    private func areCopies(_ left: Entry, _ right: Entry) -> Bool {
        withUnsafePointer(to: left) { left in withUnsafePointer(to: right) { Entry.areCopies(left, $0) } }
    }

    @Test("copies are known as such, whatever lies in the gaps between their fields")
    func copies() {
        let list = entries(200)
        // Taken apart and put together again, so that nothing but the fields can be the same.
        let again = list.map { entry in
            var route = RouteConfiguration(id: entry.route.id, backends: entry.route.backends)
            route.alpnProtocols = entry.route.alpnProtocols
            route.settings.idleTimeout = entry.route.settings.idleTimeout
            return Entry(hostname: entry.hostname, route: route)
        }
        #expect(zip(list, again).allSatisfy { areCopies($0, $1) })
    }

    @Test("what differs in any field is no copy")
    func others() {
        let entry = entries(2)[1]
        let changes: [(inout Entry) -> Void] = [
            { $0.hostname = .wildcard(suffix: "a-longer-name-1.example.com") },
            { $0.hostname = .exact("a-longer-name-2.example.com") }, { $0.route.id.kind = "X" },
            { $0.route.id.namespace = "X" }, { $0.route.id.name = "X" }, { $0.route.id.rule = 1 },
            { $0.route.backends[0].weight = 7 }, { $0.route.backends = [] }, { $0.route.alpnProtocols = ["x"] },
            { $0.route.settings.idleTimeout = nil }, { $0.route.settings.halfCloseTimeout = .seconds(1) },
            { $0.route.settings.maxConnectionDuration = .seconds(1) },
            { $0.route.limits = [ClientLimits(id: LimitID(policy: "default/p", target: "TCPRoute default/r"))] },
        ]
        for change in changes {
            var other = entry
            change(&other)
            #expect(!areCopies(entry, other) && entry != other)
        }
        #expect(areCopies(entry, entry))
    }

    @Test("the difference leads from one list to the other, in order or not", arguments: 1...40 as ClosedRange<UInt64>)
    func leadsThere(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func list() -> [Int] {
            let numbers = (0..<30).filter { _ in random.next() % 3 > 0 }
            return seed % 2 == 0 ? numbers : numbers.shuffled(using: &random)
        }
        var old = list()
        for _ in 0..<20 {
            let new = list()
            let difference = ListDifference(from: old, to: new, precedes: <)
            let removed = Set(difference.removed)
            let kept = old.indices.filter { !removed.contains($0) }.map { old[$0] }
            #expect((kept + difference.added.map { new[$0] }).sorted() == new.sorted(), "seed \(seed)")
            if seed % 2 == 0 {
                #expect(difference.added.count == Set(new).subtracting(old).count, "seed \(seed)")
                #expect(difference.removed.count == Set(old).subtracting(new).count, "seed \(seed)")
            }
            old = new
        }
    }
}
