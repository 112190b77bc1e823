import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Backends by SRV records", .timeLimit(.minutes(5)))
struct ServiceBackendTests {
    private let dns: TestDNSServer
    private let harness: EngineHarness
    private let port: UInt16
    private let name = "_db._tcp.test"

    init() throws {
        dns = try TestDNSServer()
        harness = try EngineHarness(dnsServers: dns.address)
        port = try freePort()
    }

    private func apply(_ change: (inout BackendSettings) -> Void = { _ in }) {
        var backend = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .records(name))])
        backend.settings.dnsRefreshRate = .milliseconds(20)
        backend.settings.connectTimeout = .seconds(5)
        change(&backend.settings)
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend])
    }

    private var greeting: String? { try? PlainClient(port: port).receiveLine() }

    @Test("targets and their ports are used, and followed when records or addresses change")
    func follows() throws {
        let (first, second, third) = (try EchoBackend("first"), try EchoBackend("second"), try EchoBackend("third"))
        dns.set("one.test", .addresses([.loopbackV4], ttl: 1))
        dns.set("two.test", .alias("one.test", aliasTTL: 1, [.loopbackV4], ttl: 1))
        dns.set(name, .services([.init("one.test", port: first.port), .init("two.test", port: second.port)], ttl: 1))
        apply()
        var seen: Set<String> = []
        #expect(
            waitUntil {
                greeting.map { _ = seen.insert($0) }
                return seen == ["first", "second"]
            })
        let kept = try PlainClient(port: port)
        let keptName = try kept.receiveLine()
        dns.set(name, .services([.init("three.test", port: third.port)], ttl: 1))
        // Until the new target has an answer, traffic stays where it is.
        dns.set("three.test", .silence)
        #expect(waitUntil { dns.questions(for: "three.test") > 0 })
        #expect(["first", "second"].contains(greeting))
        dns.set("three.test", .addresses([.loopbackV4], ttl: 60))
        #expect(waitUntil { greeting == "third" })
        // What is established goes on.
        try kept.send("still \(keptName)")
        #expect(try kept.receive(exactly: "still \(keptName)".utf8.count) == Array("still \(keptName)".utf8))
    }

    @Test("records of the lowest priority take everything; the next ones follow when those are gone")
    func priorities() throws {
        let (first, second) = (try EchoBackend("first"), try EchoBackend("second"))
        dns.set("one.test", .addresses([.loopbackV4], ttl: 60))
        let both = [
            TestDNSServer.Service("one.test", port: second.port, priority: 20, weight: 1000),
            TestDNSServer.Service("one.test", port: first.port, priority: 10),
        ]
        dns.set(name, .services(both, ttl: 1))
        apply()
        #expect(waitUntil { greeting == "first" })
        for _ in 0..<20 { #expect(greeting == "first") }
        dns.set(name, .services([both[0]], ttl: 1))
        #expect(waitUntil { greeting == "second" })
    }

    @Test("the last good records stay through failures; that the service is nowhere is an answer")
    func failures() throws {
        let echo = try EchoBackend("here")
        dns.set("one.test", .addresses([.loopbackV4], ttl: 1))
        dns.set(name, .services([.init("one.test", port: echo.port)], ttl: 1))
        apply()
        #expect(waitUntil { greeting == "here" })
        for answer in [.serverFailure, .noSuchName] as [TestDNSServer.Answer] {
            dns.set(name, answer)
            dns.set("one.test", answer)
            let asked = (dns.questions(for: name), dns.questions(for: "one.test"))
            #expect(
                waitUntil { dns.questions(for: name) > asked.0 + 3 && dns.questions(for: "one.test") > asked.1 + 3 })
            #expect(greeting == "here")
        }
        dns.set(name, .services([.init(".", port: 0)], ttl: 1))
        #expect(waitUntil { greeting == nil })
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.noEndpoints) >= 1 })
    }

    @Test("a name without records refuses with dns_error, and serves as soon as it has some")
    func appears() throws {
        let echo = try EchoBackend("here")
        apply()
        #expect(waitUntil { dns.questions(for: name) > 0 })
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.dnsError) == 1 })
        dns.set("one.test", .addresses([.loopbackV4], ttl: 60))
        dns.set(name, .services([.init("one.test", port: echo.port)], ttl: 60))
        #expect(waitUntil { greeting == "here" })
    }

    @Test("a target that is pointed to a refused address is dropped, also after a change")
    func rebinding() throws {
        let echo = try EchoBackend("here")
        dns.set("one.test", .addresses([.loopbackV4], ttl: 1))
        dns.set(name, .services([.init("one.test", port: echo.port)], ttl: 60))
        apply { $0.refusedAddresses.linkLocal = true }
        #expect(waitUntil { greeting == "here" })
        dns.set("one.test", .addresses([.v4(0xa9fe_a9fe)], ttl: 1))
        #expect(waitUntil { greeting == nil })
        #expect(waitUntil { harness.closed(.dnsError) >= 1 })
        #expect(harness.metric("sluice_backend_connects_total", "unreachable") == 0)
        let line = harness.log.waitForEntry { $0.message.hasPrefix("backend cannot be reached") }
        #expect(line?.text("problem")?.contains("one.test is 169.254.169.254 (link-local)") == true)
    }

    @Test("more records than fit into a datagram come over TCP")
    func many() throws {
        let echo = try EchoBackend("here")
        let targets = (0..<60).map { TestDNSServer.Service("host-\($0).test", port: echo.port, priority: UInt16($0)) }
        for target in 0..<60 { dns.set("host-\(target).test", .addresses([.loopbackV4], ttl: 60)) }
        dns.set(name, .overTCP(.services(targets, ttl: 60)))
        apply()
        #expect(waitUntil { greeting == "here" })
        #expect(harness.metric("sluice_backend_endpoints", "default") == 1, "they are one address")
    }
}
