import Platform
import Primitives
import Testing

@testable import Resolver

@Suite("Name record")
struct NameRecordTests {
    private let a = IPAddress.v4(0x0a00_0001)
    private let b = IPAddress.v4(0x0a00_0002)
    private let six = IPAddress.v6(high: 1, low: 1)
    private func at(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    @Test("addresses are sorted and unique, and their lowest TTL decides when to ask again")
    func success() {
        var record = NameRecord(preference: .ipv4AndIPv6, refresh: .seconds(30))
        let pause = record.apply(.addresses([b, a, b], ttl: 60), .addresses([six], ttl: 20), now: at(5), random: 0)
        #expect(pause == .seconds(20))
        #expect(record.result.addresses == [a, b, six])
        #expect(record.result.state == .fresh && record.result.lastSuccess == at(5) && record.result.error == nil)
    }

    @Test("a TTL below a second counts as one, beyond a day as a day", arguments: [(0, 1), (7, 7), (90_000, 86_400)])
    func bounds(ttl: Int, seconds: Int) {
        var record = NameRecord(preference: .ipv4, refresh: .seconds(30))
        let pause = record.apply(.addresses([a], ttl: ttl), .notAsked, now: at(0), random: 0)
        #expect(pause == .seconds(seconds))
    }

    @Test("after a failure the pause is the refresh, give or take a fifth")
    func jitter() {
        var record = NameRecord(preference: .ipv4, refresh: .seconds(30))
        let shortest = record.apply(.failed("timeout"), .notAsked, now: at(0), random: 0)
        let longest = record.apply(.failed("timeout"), .notAsked, now: at(0), random: .max)
        #expect(shortest == .seconds(24) && longest > .seconds(35.9) && longest <= .seconds(36))
        #expect(record.result.state == .never && record.result.error == "timeout" && record.result.addresses == [])
    }

    @Test("the last good answer outlives failures of every kind, and says since when")
    func lastGood() {
        var record = NameRecord(preference: .ipv4, refresh: .seconds(30))
        _ = record.apply(.addresses([a], ttl: 1), .notAsked, now: at(1), random: 0)
        _ = record.apply(.none("gone"), .notAsked, now: at(2), random: 0)
        _ = record.apply(.failed("timeout"), .notAsked, now: at(3), random: 0)
        #expect(record.result.addresses == [a] && record.result.state == .stale(since: at(2)))
        #expect(record.result.error == "timeout" && record.result.lastSuccess == at(1))
        _ = record.apply(.addresses([b], ttl: 1), .notAsked, now: at(4), random: 0)
        #expect(record.result.addresses == [b] && record.result.state == .fresh && record.result.error == nil)
    }

    @Test("the preferred family is used where it has addresses, else the other")
    func preference() {
        var record = NameRecord(preference: .ipv4Preferred, refresh: .seconds(30))
        _ = record.apply(.addresses([a], ttl: 5), .addresses([six], ttl: 5), now: at(0), random: 0)
        #expect(record.result.addresses == [a])
        _ = record.apply(.none("no data"), .addresses([six], ttl: 5), now: at(1), random: 0)
        #expect(record.result.addresses == [six] && record.result.state == .fresh && record.result.error == nil)
        var other = NameRecord(preference: .ipv6Preferred, refresh: .seconds(30))
        _ = other.apply(.addresses([a], ttl: 5), .none("no data"), now: at(0), random: 0)
        #expect(other.result.addresses == [a])
        _ = other.apply(.addresses([a], ttl: 5), .addresses([six], ttl: 5), now: at(0), random: 0)
        #expect(other.result.addresses == [six])
    }

    @Test("a preferred family that fails keeps its old addresses; one that never answered gives way")
    func preferredFails() {
        var record = NameRecord(preference: .ipv4Preferred, refresh: .seconds(30))
        let pause = record.apply(.failed("timeout"), .addresses([six], ttl: 300), now: at(0), random: 0)
        #expect(record.result.addresses == [six] && record.result.state == .fresh)
        #expect(record.result.error == "timeout" && pause == .seconds(24))
        _ = record.apply(.addresses([a], ttl: 5), .addresses([six], ttl: 5), now: at(1), random: 0)
        _ = record.apply(.failed("timeout"), .addresses([six], ttl: 5), now: at(2), random: 0)
        #expect(record.result.addresses == [a] && record.result.state == .stale(since: at(2)))
    }

    @Test("of both families, one that fails keeps its addresses beside the other's new ones")
    func oneOfBoth() {
        var record = NameRecord(preference: .ipv4AndIPv6, refresh: .seconds(30))
        _ = record.apply(.addresses([a], ttl: 5), .addresses([six], ttl: 5), now: at(0), random: 0)
        _ = record.apply(.addresses([b], ttl: 5), .failed("refused"), now: at(1), random: 0)
        #expect(record.result.addresses == [b, six] && record.result.state == .stale(since: at(1)))
        _ = record.apply(.addresses([b], ttl: 5), .none("no data"), now: at(2), random: 0)
        #expect(record.result.addresses == [b] && record.result.state == .fresh)
    }

    @Test("where TTLs do not count, the pause is the refresh, give or take a fifth, and at least a second")
    func ignoresTTL() {
        var record = NameRecord(preference: .ipv4, refresh: .seconds(30), respectsTTL: false)
        #expect(record.apply(.addresses([a], ttl: 5), .notAsked, now: at(0), random: 0) == .seconds(24))
        #expect(record.apply(.addresses([a], ttl: 5), .notAsked, now: at(0), random: .max) > .seconds(35.9))
        var short = NameRecord(preference: .ipv4, refresh: .seconds(1), respectsTTL: false)
        #expect(short.apply(.addresses([a], ttl: 5), .notAsked, now: at(0), random: 0) == .seconds(1))
        let service = [ServiceRecord(priority: 0, weight: 0, target: "a.example", port: 1)]
        #expect(record.apply(.records(service, ttl: 5), now: at(0), random: 0) == .seconds(24))
    }

    @Test("SRV records are sorted by priority and kept through failures; that there is none is an answer")
    func services() {
        let first = ServiceRecord(priority: 1, weight: 9, target: "z.example", port: 5432)
        let second = ServiceRecord(priority: 2, weight: 9, target: "a.example", port: 5432)
        var record = NameRecord(preference: .ipv4, refresh: .seconds(30))
        #expect(record.apply(.failed("no"), now: at(0), random: 0) == .seconds(24))
        #expect(record.result.state == .never && record.result.error == "no")
        #expect(record.apply(.records([second, first, second], ttl: 60), now: at(1), random: 0) == .seconds(60))
        #expect(record.result.services == [first, second] && record.result.error == nil)
        #expect(record.apply(.failed("timeout"), now: at(2), random: 0) == .seconds(24))
        #expect(record.result.services == [first, second] && record.result.state == .stale(since: at(2)))
        #expect(record.apply(.records([], ttl: 0), now: at(3), random: 0) == .seconds(1))
        #expect(record.result.services.isEmpty && record.result.state == .fresh && record.result.lastSuccess == at(3))
    }

    @Test("of many addresses and records 256 are used, always the same ones, and of both families")
    func most() {
        let many = (0..<300).map { IPAddress.v4(UInt32($0)) }
        let sixes = (0..<300).map { IPAddress.v6(high: 1, low: UInt64($0)) }
        var record = NameRecord(preference: .ipv4AndIPv6, refresh: .seconds(30))
        _ = record.apply(.addresses(many.reversed(), ttl: 5), .addresses([six], ttl: 5), now: at(0), random: 0)
        #expect(record.result.addresses == many.prefix(255) + [six] && record.result.leftOut == 45)
        _ = record.apply(.addresses(many, ttl: 5), .addresses(sixes.reversed(), ttl: 5), now: at(0), random: 0)
        #expect(
            record.result.addresses == Array(many.prefix(128)) + Array(sixes.prefix(128))
                && record.result.leftOut == 344)
        let services = (0..<300).map { ServiceRecord(priority: UInt16($0), weight: 1, target: "a", port: 1) }
        _ = record.apply(.records(services.reversed(), ttl: 5), now: at(0), random: 0)
        #expect(record.result.services == Array(services.prefix(256)) && record.result.leftOut == 44)
    }

    @Test("the due list gives back what is due, earliest first")
    func dueList() {
        var list = DueList()
        for second in [5, 3, 9, 1, 7, 3] as [Int64] { list.insert(Int(second), at: at(second)) }
        var taken: [Int] = []
        while let identifier = list.pop(until: at(7)) { taken.append(identifier) }
        #expect(taken == [1, 3, 3, 5, 7] && list.next == at(9))
        list.postpone(until: at(20))
        #expect(list.next == at(20))
    }
}
