import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("How backends' names are resolved", .timeLimit(.minutes(5)))
struct NameSettingTests {
    private let dns: TestDNSServer
    private let harness: EngineHarness
    private let port: UInt16

    init() throws {
        dns = try TestDNSServer()
        harness = try EngineHarness(dnsServers: dns.address)
        port = try freePort()
    }

    private func backend(_ name: String, port: UInt16, _ change: (inout BackendSettings) -> Void)
        -> BackendConfiguration
    {
        var backend = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .name(name, port: port))])
        backend.settings.dnsRefreshRate = .milliseconds(20)
        backend.settings.connectTimeout = .seconds(5)
        change(&backend.settings)
        return backend
    }

    private func apply(_ backend: BackendConfiguration) -> Acknowledgement {
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend])
    }

    private var greeting: String? { try? PlainClient(port: port).receiveLine() }

    /// Two backends with one port, on 127.0.0.1 and ::1.
    private func bothFamilies() throws -> (four: EchoBackend, six: EchoBackend) {
        for _ in 0..<50 {
            let four = try EchoBackend("four")
            if let six = try? EchoBackend("six", on: SocketAddress(.loopbackV6, four.port)) { return (four, six) }
        }
        throw TestFailure("no port is free for both families")
    }

    @Test("each family uses its addresses, and a changed one is used by the next connection")
    func families() throws {
        let (four, six) = try bothFamilies()
        dns.set("both.test", .addresses([.loopbackV4, .loopbackV6], ttl: 60))
        let expected: [(BackendSettings.DNSFamily, Set<String>)] = [
            (.ipv4, ["four"]), (.ipv6, ["six"]), (.ipv4Preferred, ["four"]), (.ipv6Preferred, ["six"]),
            (.ipv4AndIPv6, ["four", "six"]),
        ]
        var established: [PlainClient] = []
        for (family, greetings) in expected {
            _ = apply(backend("both.test", port: four.port) { $0.dnsFamily = family })
            var seen: Set<String> = []
            #expect(
                waitUntil {
                    greeting.map { _ = seen.insert($0) }
                    return seen == greetings
                }, "\(family): \(seen)")
            if established.isEmpty {
                established.append(try PlainClient(port: port))
                #expect(try established[0].receiveLine() == "four")
            }
        }
        try established[0].send("x")
        #expect(try established[0].receive(exactly: 1) == Array("x".utf8))
        _ = six
    }

    @Test("a preferred family without addresses gives way; a sole one does not")
    func otherFamily() throws {
        let (four, six) = try bothFamilies()
        dns.set("six.test", .addresses([.loopbackV6], ttl: 60))
        _ = apply(backend("six.test", port: four.port) { $0.dnsFamily = .ipv4Preferred })
        #expect(waitUntil { greeting == "six" })
        _ = apply(backend("six.test", port: four.port) { $0.dnsFamily = .ipv4 })
        #expect(waitUntil { harness.closed(.dnsError) >= 1 || greeting == nil })
        #expect(waitUntil { harness.closed(.dnsError) >= 1 })
        _ = six
    }

    @Test("a TTL decides when a name is asked for again, unless it does not count")
    func timeToLive() throws {
        let echo = try EchoBackend("here")
        dns.set("db.test", .addresses([.loopbackV4], ttl: 3600))
        _ = apply(backend("db.test", port: echo.port) { $0.dnsFamily = .ipv4 })
        #expect(waitUntil { greeting == "here" })
        // Nobody listens there.
        dns.set("db.test", .addresses([.v4(0x7f00_0003)], ttl: 3600))
        let asked = dns.questions(for: "db.test")
        #expect(asked == 1)
        _ = apply(
            backend("db.test", port: echo.port) {
                ($0.dnsFamily, $0.respectsTTL) = (.ipv4, false)
            })
        #expect(waitUntil { dns.questions(for: "db.test") >= asked + 2 })
        #expect(waitUntil { greeting == nil })
        dns.set("db.test", .addresses([.loopbackV4], ttl: 3600))
        #expect(waitUntil { greeting == "here" })
    }

    @Test("what is acknowledged says which backends' names have addresses, and is told when that changes")
    func acknowledged() throws {
        let echo = try EchoBackend("here")
        let told = Monitored<[Acknowledgement]>([])
        harness.engine.onListenerChange { acknowledgement in told.update { $0.append(acknowledgement) } }
        func waits(_ condition: @escaping (Acknowledgement) -> Bool) -> Acknowledgement? {
            told.wait(until: .now() + .seconds(10)) { $0.last.flatMap { condition($0) ? $0 : nil } }
        }
        dns.set("db.test", .silence)
        let first = apply(backend("db.test", port: echo.port) { $0.refusedAddresses.linkLocal = true })
        #expect(first.resolved.isEmpty && first.unresolved.isEmpty)
        dns.set("db.test", .noSuchName)
        let id = backendID("a")
        #expect(waits { $0.unresolved[id] == "db.test: the name does not exist" }?.resolved == [])
        dns.set("db.test", .addresses([.loopbackV4], ttl: 1))
        #expect(waits { $0.resolved == [id] }?.unresolved == [:])
        dns.set("db.test", .addresses([.v4(0xa9fe_a9fe)], ttl: 1))
        #expect(waits { $0.unresolved[id]?.contains("db.test is 169.254.169.254 (link-local)") == true } != nil)
        dns.set("db.test", .addresses([.loopbackV4], ttl: 1))
        #expect(waits { $0.resolved == [id] } != nil)
        // The last good answer is kept: it still resolves.
        dns.set("db.test", .serverFailure)
        let asked = dns.questions(for: "db.test")
        #expect(waitUntil { dns.questions(for: "db.test") > asked + 3 })
        #expect(told.update { $0.last?.resolved } == [id])
        let last = harness.apply([], [])
        #expect(last.resolved.isEmpty && last.unresolved.isEmpty)
    }

    @Test("lookups are counted for each backend, by result, until the backend goes")
    func metrics() throws {
        let echo = try EchoBackend("here")
        let lookups = "sluice_backend_dns_lookups_total"
        let last = "sluice_backend_dns_last_success_timestamp_seconds"
        _ = apply(backend("db.test", port: echo.port) { _ in })
        #expect(waitUntil { harness.metric(lookups, "backend=\"a\"", "result=\"no_such_name\"") >= 2 })
        #expect(harness.metric(last, "backend=\"a\"") == 0, "never")
        dns.set("db.test", .addresses([.loopbackV4], ttl: 1))
        #expect(waitUntil { harness.metric(lookups, "result=\"success\"") >= 1 })
        let now = Double(realtimeNanoseconds() / 1_000_000_000)
        #expect(waitUntil { harness.metric(last, "backend=\"a\"") >= now })
        dns.set("db.test", .serverFailure)
        #expect(waitUntil { harness.metric(lookups, "result=\"failure\"") >= 2 })
        let stale = harness.metric(last, "backend=\"a\"")
        #expect(stale > 0)
        let counted = harness.metric(lookups, "result=\"failure\"")
        #expect(waitUntil { harness.metric(lookups, "result=\"failure\"") > counted })
        #expect(harness.metric(last, "backend=\"a\"") == stale, "it does not go on while lookups fail")
        harness.apply([], [])
        #expect(harness.metric(lookups, "backend=") == 0)
        #expect(harness.doubledSeries.isEmpty)
    }
}
