@testable import Engine
import EngineModel
import Platform
import Primitives
import Resolver
import Testing

@Suite("Endpoints of names")
struct EndpointCollectionTests {
    private let one = IPAddress.v4(0x0a00_0001)
    private let two = IPAddress.v4(0x0a00_0002)
    private let six = IPAddress.v6(high: 0x2001_0db8_0000_0000, low: 6)

    private func resolve(
        _ endpoints: [EndpointConfiguration], _ answers: [(String, NameAnswer)], services: [(String, NameAnswer)] = [],
        settings: BackendSettings = BackendSettings()
    ) -> ResolvedEndpoints {
        var names = NameAnswers()
        for (name, answer) in answers { names.answers[NameKey(name: name, settings: settings)] = answer }
        for (name, answer) in services {
            names.answers[NameKey(name: name, settings: settings, wantsServices: true)] = answer
        }
        let backend = BackendConfiguration(
            id: BackendID(kind: "Backend", namespace: "a", name: "b", port: 0), endpoints: endpoints, settings: settings
        )
        var collection = EndpointCollection(backend, names)
        for endpoint in backend.endpoints { collection.add(endpoint) }
        return collection.resolved { EndpointState(address: $0) }
    }

    private func service(_ weight: Int = 1, preference: UInt8 = 0) -> EndpointConfiguration {
        EndpointConfiguration(address: .records("_db._tcp.example"), weight: weight, zone: "a", preference: preference)
    }

    private func record(_ target: String, _ priority: UInt16, _ weight: UInt16, port: UInt16 = 1) -> ServiceRecord {
        ServiceRecord(priority: priority, weight: weight, target: target, port: port)
    }

    private func addresses(_ resolved: ResolvedEndpoints) -> [String] { resolved.endpoints.map(\.address.description) }

    @Test("records become endpoints with their port, their share and a preference by priority")
    func services() {
        let records = [record("a", 5, 60, port: 10), record("b", 5, 20, port: 11), record("c", 9, 7, port: 12)]
        let resolved = resolve(
            [service(preference: 1)],
            [("a", .addresses([one])), ("b", .addresses([two])), ("c", .addresses([one, two]))],
            services: [("_db._tcp.example", .services(records))])
        #expect(addresses(resolved) == ["10.0.0.1:10", "10.0.0.2:11", "10.0.0.1:12", "10.0.0.2:12"])
        #expect(resolved.weights == [150, 50, 50, 50] && resolved.preferences == [1, 1, 2, 2])
        #expect(resolved.zones == ["a", "a", "a", "a"] && resolved.problems.isEmpty && resolved.alternates.isEmpty)
    }

    @Test(
        "weights are relative to the mean of their priority; 0 gets very little beside others",
        arguments: [
            ([0, 0, 0], [100, 100, 100]), ([0, 5], [1, 200]), ([65535, 1], [199, 1]), ([3, 3], [100, 100]),
            ([60, 40], [120, 80]), ([7], [100]), ([0], [100]),
        ] as [([UInt16], [Int])])
    func shares(weights: [UInt16], shares: [Int]) {
        let records = weights.enumerated().map { record("t\($0.offset)", 0, $0.element) }
        #expect(ServiceShares(records).shares.map(\.weight) == shares)
        let behind = ServiceShares([record("first", 0, 9)] + records.map { record($0.target, 3, $0.weight) }).shares
        #expect(behind.dropFirst().map(\.weight) == shares && behind.dropFirst().allSatisfy { $0.rank == 1 })
    }

    @Test("beside other endpoints a record of mean weight counts as one of them")
    func mixed() {
        let resolved = resolve(
            [EndpointConfiguration(address: .ip(SocketAddress(two, 9)), weight: 3), service(2)],
            [("a", .addresses([one]))],
            services: [("_db._tcp.example", .services([record("a", 0, 40)]))])
        #expect(resolved.weights == [300, 200])
        let unused = resolve(
            [service(0)], [("a", .addresses([one]))], services: [("_db._tcp.example", .services([record("a", 0, 40)]))])
        #expect(unused.weights == [0])
    }

    @Test("an address that several names lead to is one endpoint")
    func merged() {
        let resolved = resolve(
            [service()], [("a", .addresses([one])), ("b", .addresses([one, two]))],
            services: [("_db._tcp.example", .services([record("a", 0, 1), record("b", 0, 1), record("b", 7, 1)]))])
        #expect(addresses(resolved) == ["10.0.0.1:1", "10.0.0.2:1"])
        #expect(resolved.weights == [150, 50] && resolved.preferences == [0, 0])
    }

    @Test("targets that lead to refused addresses are left out, and named where nothing is left")
    func refused() {
        var settings = BackendSettings()
        settings.refusedAddresses.linkLocal = true
        let records = [record("bad", 0, 1), record("good", 1, 1)]
        let metadata = IPAddress.v4(0xa9fe_a9fe)
        let partial = resolve(
            [service()], [("bad", .addresses([metadata])), ("good", .addresses([one]))],
            services: [("_db._tcp.example", .services(records))], settings: settings)
        #expect(addresses(partial) == ["10.0.0.1:1"] && partial.refused == ["bad is 169.254.169.254 (link-local)"])
        #expect(partial.problems.isEmpty && !partial.hasFailed && partial.preferences == [1])
        let whole = resolve(
            [service()], [("bad", .addresses([metadata])), ("good", .failed("the name does not exist"))],
            services: [("_db._tcp.example", .services(records))], settings: settings)
        #expect(whole.endpoints.isEmpty && whole.hasFailed)
        #expect(
            whole.problems == [
                "SRV _db._tcp.example: none of its targets has an address: bad: it leads only to addresses that are "
                    + "refused: bad is 169.254.169.254 (link-local), good: the name does not exist"
            ])
    }

    @Test("what is pending, what failed, and a service that is nowhere are told apart")
    func states() {
        let pending = resolve([service()], [], services: [])
        #expect(pending.isPending && !pending.hasFailed && pending.problems.isEmpty)
        let failed = resolve([service()], [], services: [("_db._tcp.example", .failed("no"))])
        #expect(failed.hasFailed && failed.problems == ["SRV _db._tcp.example: no"])
        let nowhere = resolve([service()], [], services: [("_db._tcp.example", .services([]))])
        #expect(!nowhere.hasFailed && !nowhere.isPending && nowhere.problems.count == 1)
    }

    @Test("of the targets of one name 256 addresses are used, those of the lowest priority first")
    func most() {
        let many = (0..<200).map { IPAddress.v4(0x0a00_0100 + UInt32($0)) }
        let others = (0..<200).map { IPAddress.v4(0x0b00_0100 + UInt32($0)) }
        let resolved = resolve(
            [service()], [("a", .addresses(many)), ("b", .addresses(others))],
            services: [("_db._tcp.example", .services([record("a", 0, 1), record("b", 1, 1)]))])
        #expect(resolved.endpoints.count == 256 && resolved.leftOut == 144)
        #expect(resolved.preferences.prefix(200).allSatisfy { $0 == 0 } && resolved.weights.allSatisfy { $0 > 0 })
    }

    @Test("with both families each address knows one of the other family of its own name")
    func alternates() {
        var settings = BackendSettings()
        let names: [EndpointConfiguration] = [
            EndpointConfiguration(address: .name("dual", port: 1)),
            EndpointConfiguration(address: .name("four", port: 2)),
        ]
        let answers: [(String, NameAnswer)] = [("dual", .addresses([one, two, six])), ("four", .addresses([two]))]
        #expect(resolve(names, answers, settings: settings).alternates.isEmpty, "the preferred family alone is used")
        settings.dnsFamily = .ipv4AndIPv6
        let resolved = resolve(names, answers, settings: settings)
        #expect(addresses(resolved) == ["10.0.0.1:1", "10.0.0.2:1", "[2001:db8::6]:1", "10.0.0.2:2"])
        #expect(resolved.alternates == [2, 2, 0, -1])
    }
}
