@testable import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Addresses that names may not lead to", .timeLimit(.minutes(5)))
struct RefusedAddressTests {
    @Test(
        "kinds of addresses",
        arguments: [
            ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("::1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"), ("169.254.169.254", "link-local"), ("169.254.0.1", "link-local"),
            ("::ffff:169.254.169.254", "link-local"), ("64:ff9b::a9fe:a9fe", "link-local"), ("fe80::1", "link-local"),
            ("febf::1", "link-local"), ("fd00:ec2::254", "metadata service"), ("fd20:ce::254", "metadata service"),
            ("100.100.100.200", "metadata service"),
        ])
    func kinds(address: String, kind: String) throws {
        let ip = try #require(IPAddress(address))
        var all = RefusedAddresses()
        #expect(all.refusal(of: ip) == nil)
        (all.loopback, all.linkLocal) = (true, true)
        #expect(all.refusal(of: ip) == kind)
        all.loopback = false
        #expect((all.refusal(of: ip) == nil) == (kind == "loopback"))
    }

    @Test(
        "some are no backend's address, and some are everybody's",
        arguments: [
            ("224.0.0.1", "multicast"), ("239.1.2.3", "multicast"), ("ff02::1", "multicast"),
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "unspecified"), ("::", "unspecified"), ("::ffff:0.0.0.0", "unspecified"),
            ("255.255.255.255", "broadcast"), ("10.0.0.1", nil), ("192.168.1.1", nil), ("8.8.8.8", nil),
            ("240.0.0.1", nil), ("fd00::1", nil), ("fec0::1", nil), ("2001:db8::1", nil), ("::ffff:10.0.0.1", nil),
            ("64:ff9b::808:808", nil), ("100.100.100.201", nil), ("169.253.1.1", nil),
        ] as [(String, String?)])
    func always(address: String, kind: String?) throws {
        let ip = try #require(IPAddress(address))
        var all = RefusedAddresses()
        #expect(all.refusal(of: ip) == kind)
        (all.loopback, all.linkLocal) = (true, true)
        #expect(all.refusal(of: ip) == kind)
    }

    @Test("after each answer they are left out; where nothing is left, connections end with dns_error")
    func rebinding() throws {
        let dns = try TestDNSServer()
        let harness = try EngineHarness(dnsServers: dns.address)
        let echo = try EchoBackend("echo")
        let port = try freePort()
        var named = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .name("db.test", port: echo.port))])
        named.settings.dnsRefreshRate = .milliseconds(20)
        func isServed() -> Bool { (try? PlainClient(port: port).receiveLine()) == "echo" }
        func apply() { harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [named]) }
        let (multicast, metadata) = (IPAddress.v4(0xe000_0001), IPAddress.v4(0xa9fe_a9fe))

        dns.set("db.test", .addresses([.loopbackV4, multicast, .anyV4], ttl: 1))
        apply()
        #expect(waitUntil { isServed() })
        for _ in 0..<10 { #expect(isServed()) }
        let partial = harness.log.waitForEntry {
            $0.message == "addresses of a backend's name are refused and left out"
        }
        #expect(partial?.text("problem")?.contains("db.test is 224.0.0.1 (multicast)") == true)

        named.settings.refusedAddresses.loopback = true
        apply()
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.dnsError) == 1 })
        let whole = harness.log.waitForEntry { $0.message.hasPrefix("backend cannot be reached") }
        #expect(whole?.level == .warning)
        #expect(whole?.text("backend") == "Service default/a:80")
        #expect(whole?.text("problem")?.contains("db.test is 127.0.0.1 (loopback)") == true)
        let refusal = harness.log.waitForEntry { $0.text("close_reason") == "dns_error" }
        #expect(refusal?.text("close_detail")?.contains("db.test is 127.0.0.1 (loopback)") == true)

        named.settings.refusedAddresses.loopback = false
        named.settings.refusedAddresses.linkLocal = true
        apply()
        #expect(isServed())
        // The name's owner points it elsewhere once it has been looked at.
        dns.set("db.test", .addresses([metadata], ttl: 1))
        #expect(waitUntil { !isServed() })
        #expect(waitUntil { harness.closed(.dnsError) >= 2 })
        #expect(harness.metric("sluice_backend_connects_total", "unreachable") == 0)
    }
}
