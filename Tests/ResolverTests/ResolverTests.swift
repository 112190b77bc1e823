import Observability
import Platform
import Primitives
import Resolver
import TestSupport
import Testing

/// Every value that a watch reported.
private final class Reports: Sendable {
    private let values = Monitored<[ResolvedName]>([])

    func add(_ value: ResolvedName) { values.update { $0.append(value) } }
    var all: [ResolvedName] { values.update { $0 } }

    /// Waits until a report fits.
    func first(where condition: (ResolvedName) -> Bool) -> ResolvedName? {
        values.wait(until: .now() + .seconds(10)) { $0.first(where: condition) }
    }

    func wait(forAddresses addresses: [IPAddress]) -> ResolvedName? { first { $0.addresses == addresses } }
}

@Suite("Resolver", .timeLimit(.minutes(1)))
struct ResolverTests {
    private let server: TestDNSServer
    private let resolver: Resolver
    private let log = MemoryLog()
    private let one = IPAddress.v4(0x7f00_0001)
    private let two = IPAddress.v4(0x7f00_0002)
    private let six = IPAddress.v6(high: 0x2001_0db8_0000_0000, low: 7)

    init() throws {
        server = try TestDNSServer()
        resolver = try Resolver(
            logger: Logger(recordingTo: log), servers: server.address, timeout: .milliseconds(100), tries: 1)
    }

    private func watch(
        _ name: String, _ family: AddressFamilyPreference = .ipv4Preferred, refresh: Duration = .milliseconds(20)
    ) -> (Reports, WatchToken) {
        let reports = Reports()
        return (reports, resolver.watch(name, family: family, refresh: refresh) { reports.add($0) })
    }

    @Test("a name is resolved, and followed when its answer changes after its TTL")
    func follows() {
        server.set("db.example", .addresses([two, one], ttl: 1))
        let (reports, token) = watch("DB.example.")
        #expect(reports.wait(forAddresses: [one, two])?.state == .fresh)
        server.set("db.example", .addresses([two], ttl: 1))
        #expect(reports.wait(forAddresses: [two])?.state == .fresh)
        #expect(reports.all.count == 2, "nothing is reported while nothing changes")
        token.cancel()
    }

    @Test(
        "each preference uses its families",
        arguments: [
            (.ipv4, [0]), (.ipv6, [1]), (.ipv4Preferred, [0]), (.ipv6Preferred, [1]), (.ipv4AndIPv6, [0, 1]),
        ] as [(AddressFamilyPreference, [Int])])
    func families(preference: AddressFamilyPreference, used: [Int]) {
        server.set("both.example", .addresses([one, six], ttl: 300))
        let (reports, token) = watch("both.example", preference)
        #expect(reports.wait(forAddresses: used.map { [one, six][$0] }) != nil)
        token.cancel()
    }

    @Test("a name with addresses of the other family only is used where the preference allows it")
    func fallsBack() {
        server.set("six.example", .addresses([six], ttl: 300))
        let (preferred, first) = watch("six.example", .ipv4Preferred)
        let (only, second) = watch("six.example", .ipv4)
        #expect(preferred.wait(forAddresses: [six])?.state == .fresh)
        #expect(only.first { $0.error != nil }?.error == "the name has no address of the wanted kind")
        _ = (first, second)
    }

    @Test("the last good answer stays through NXDOMAIN, failure and silence, and is replaced afterwards")
    func lastGood() {
        server.set("db.example", .addresses([one], ttl: 1))
        let (reports, token) = watch("db.example", .ipv4)
        #expect(reports.wait(forAddresses: [one]) != nil)
        server.set("db.example", .noSuchName)
        let missing = reports.first { $0.error == "the name does not exist" }
        #expect(missing?.addresses == [one])
        guard case .stale = missing?.state else {
            Issue.record("\(String(describing: missing))")
            return
        }
        server.set("db.example", .serverFailure)
        #expect(reports.first { $0.error == "no DNS server gave a usable answer" }?.addresses == [one])
        server.set("db.example", .silence)
        #expect(reports.first { $0.error == "no DNS server answered in time" }?.state == missing?.state)
        server.set("db.example", .addresses([two], ttl: 60))
        #expect(reports.wait(forAddresses: [two])?.error == nil)
        #expect(log.entries.count { $0.message == "name cannot be resolved" } >= 3)
        #expect(log.entries.count { $0.message == "name resolves again" } == 1)
        token.cancel()
    }

    @Test("a name that never resolved says why, and appears as soon as it does")
    func never() {
        let (reports, token) = watch("late.example")
        let first = reports.first { _ in true }
        #expect(first?.state == .never && first?.error == "the name does not exist" && first?.addresses == [])
        server.set("late.example", .addresses([one], ttl: 60))
        #expect(reports.wait(forAddresses: [one])?.state == .fresh)
        token.cancel()
    }

    @Test("aliases are followed, truncated answers come over TCP")
    func transports() {
        server.set("www.example", .alias("target.example", aliasTTL: 30, [one, six], ttl: 60))
        let many = (1...40).map { IPAddress.v4(0x0a00_0000 + UInt32($0)) }
        server.set("many.example", .truncated(many, ttl: 60))
        let (alias, first) = watch("www.example", .ipv4AndIPv6)
        let (whole, second) = watch("many.example", .ipv4)
        #expect(alias.wait(forAddresses: [one, six]) != nil)
        #expect(whole.wait(forAddresses: many) != nil)
        _ = (first, second)
    }

    @Test("one family's silence does not hold back the other for ever")
    func oneFamilySilent() {
        server.set("half.example", .byFamily(ipv4: .addresses([one], ttl: 60), ipv6: .silence))
        let (reports, token) = watch("half.example", .ipv4AndIPv6)
        let result = reports.wait(forAddresses: [one])
        #expect(result?.error == "no DNS server answered in time")
        token.cancel()
    }

    @Test("equal watches share their lookups, and a later one hears at once what is known")
    func shared() {
        server.set("db.example", .addresses([one], ttl: 300))
        let (first, firstToken) = watch("db.example", .ipv4)
        #expect(first.wait(forAddresses: [one]) != nil)
        let (second, secondToken) = watch("db.example", .ipv4)
        #expect(second.wait(forAddresses: [one]) != nil)
        #expect(server.questions(for: "db.example") == 1)
        _ = (firstToken, secondToken)
    }

    @Test("a watch that is cancelled, or whose token goes, asks and reports no more")
    func cancelled() {
        server.set("db.example", .addresses([one], ttl: 60))
        let (kept, keptToken) = watch("gone.example")
        do {
            let (reports, token) = watch("db.example")
            #expect(reports.wait(forAddresses: [one]) != nil)
            _ = token
        }
        keptToken.cancel()
        keptToken.cancel()
        // Commands are obeyed in order: when this watch has its answer, the others are gone.
        let (last, lastToken) = watch("db.example", .ipv4)
        #expect(last.wait(forAddresses: [one]) != nil)
        let asked = server.questions(for: "gone.example")
        let reported = kept.all.count
        server.set("gone.example", .addresses([two], ttl: 60))
        let (again, againToken) = watch("other.example", refresh: .milliseconds(10))
        #expect(waitUntil { server.questions(for: "other.example") > 12 })
        #expect(server.questions(for: "gone.example") == asked && kept.all.count == reported)
        _ = (lastToken, again, againToken)
    }

    @Test("many names at once all get their answers")
    func many() {
        let names = (0..<300).map { "host-\($0).example" }
        for (index, name) in names.enumerated() { server.set(name, .addresses([.v4(UInt32(index))], ttl: 60)) }
        let watches = names.map { watch($0, .ipv4, refresh: .milliseconds(50)) }
        for (index, watch) in watches.enumerated() {
            #expect(watch.0.wait(forAddresses: [.v4(UInt32(index))]) != nil)
        }
    }

    private func watchServices(_ name: String, _ results: Monitored<[LookupResult]>? = nil) -> (Reports, WatchToken) {
        let reports = Reports()
        let token = resolver.watchServices(
            name, refresh: .milliseconds(20), onLookup: { result in results?.update { $0.append(result) } },
            onChange: { reports.add($0) })
        return (reports, token)
    }

    @Test("SRV records are found, followed after their TTL, and kept through failures")
    func services() {
        server.set(
            "_db._tcp.example",
            .services([.init("B.example", port: 2, priority: 7, weight: 3), .init("a.example", port: 1)], ttl: 1))
        let (reports, token) = watchServices("_db._tcp.Example.")
        let both = [
            ServiceRecord(priority: 0, weight: 1, target: "a.example", port: 1),
            ServiceRecord(priority: 7, weight: 3, target: "b.example", port: 2),
        ]
        #expect(reports.first { $0.services == both }?.state == .fresh)
        server.set("_db._tcp.example", .noSuchName)
        #expect(reports.first { $0.error == "the name does not exist" }?.services == both)
        server.set("_db._tcp.example", .addresses([one], ttl: 1))
        #expect(reports.first { $0.error == "the name has no SRV records" }?.services == both)
        server.set("_db._tcp.example", .services([.init(".", port: 0)], ttl: 1))
        let nowhere = reports.first { $0.services.isEmpty && $0.error == nil }
        #expect(nowhere?.state == .fresh && nowhere?.lastSuccess != nil)
        token.cancel()
    }

    @Test("many SRV records come over TCP; those beyond 256 are left out and said to be")
    func manyServices() {
        let services = (0..<300).map { TestDNSServer.Service("host-\($0).example", port: 5432, priority: UInt16($0)) }
        server.set("many.example", .overTCP(.services(services, ttl: 60)))
        let (reports, token) = watchServices("many.example")
        let found = reports.first { !$0.services.isEmpty }
        #expect(found?.services.map(\.target) == (0..<256).map { "host-\($0).example" } && found?.leftOut == 44)
        let line = log.waitForEntry { $0.message == "name has more addresses or SRV records than are used" }
        #expect(line != nil && server.questions(for: "many.example") == 2)
        token.cancel()
    }

    @Test("every lookup is told with its result")
    func results() {
        let results = Monitored<[LookupResult]>([])
        func waits(for result: LookupResult) -> Bool {
            results.wait(until: .now() + .seconds(10)) { $0.last == result ? true : nil } == true
        }
        server.set("s.example", .noSuchName)
        let (_, token) = watchServices("s.example", results)
        #expect(waits(for: .noSuchName))
        server.set("s.example", .serverFailure)
        #expect(waits(for: .failure))
        server.set("s.example", .silence)
        #expect(waits(for: .timeout))
        server.set("s.example", .addresses([], ttl: 1))
        #expect(waits(for: .noData))
        server.set("s.example", .services([.init("a.example", port: 1)], ttl: 60))
        #expect(waits(for: .success))
        token.cancel()
    }

    @Test("of two families the better result counts")
    func betterResult() {
        let results = Monitored<[LookupResult]>([])
        server.set("half.example", .byFamily(ipv4: .addresses([one], ttl: 60), ipv6: .serverFailure))
        let token = resolver.watch(
            "half.example", family: .ipv4AndIPv6, refresh: .milliseconds(20),
            onLookup: { result in results.update { $0.append(result) } }, onChange: { _ in })
        #expect(results.wait(until: .now() + .seconds(10)) { $0.first } == .success)
        token.cancel()
    }

    @Test("a server list that cannot be read is refused")
    func badServers() {
        let log = MemoryLog()
        #expect(throws: Errno.invalidArgument) {
            try Resolver(logger: Logger(recordingTo: log), servers: "not an address:x")
        }
        #expect(log.text.contains("not an address:x"))
    }

    @Test(
        "names that cannot be asked for are reported as errors", arguments: ["a..b", String(repeating: "a", count: 64)])
    func badNames(name: String) {
        let (reports, token) = watch(name)
        #expect(reports.first { $0.error != nil }?.state == .never)
        token.cancel()
    }
}
