import Primitives
import Testing

@Suite("Addresses and host names")
struct AddressAndNameTests {
    @Test(
        "IPv4 addresses",
        arguments: [("0.0.0.0", 0), ("10.0.0.1", 0x0a00_0001), ("255.255.255.255", 0xffff_ffff)] as [(String, UInt32)])
    func ipv4(text: String, value: UInt32) {
        #expect(IPAddress(text) == .v4(value))
        #expect(IPAddress(text)?.description == text)
    }

    @Test(
        "what is no IPv4 address",
        arguments: [
            "", ".", "1", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04",
            "00.0.0.0", "1.2.3.4 ", "1.2.3.x", "1.2.3.-4", "1234.1.1.1",
        ])
    func notIPv4(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(
        "IPv4 inside IPv6",
        arguments: [("::ffff:192.0.2.1", true), ("::ffff:192.0.2.01", false), ("::ffff:192.0.2", false)])
    func embedded(text: String, isValid: Bool) {
        #expect((IPAddress(text) != nil) == isValid)
        if isValid { #expect(IPAddress(text)?.unmapped == IPAddress("192.0.2.1")) }
    }

    @Test(
        "DNS names",
        arguments: [
            "a", "a.b", "a-b.c", "0", "1a", "a.1", "1.2.3.4", String(repeating: "a", count: 63) + ".b", "xn--nxasmq6b",
        ])
    func names(text: String) {
        #expect(HostnamePattern.isDNSName(text))
    }

    @Test(
        "what is no DNS name",
        arguments: [
            "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a-.b", "a_b", "A", "a b", "ä",
            String(repeating: "a", count: 64), String(repeating: "a.", count: 126) + "aa", "*.a",
        ])
    func notNames(text: String) {
        #expect(!HostnamePattern.isDNSName(text))
    }

    @Test("a host name is no address, and keeps nothing of its case")
    func patterns() {
        #expect(HostnamePattern("192.0.2.1") == nil)
        #expect(HostnamePattern("*.192.0.2.1") == nil)
        #expect(HostnamePattern("1.2.3.4.5") == .exact("1.2.3.4.5"))
        #expect(HostnamePattern("db1") == .exact("db1"))
        #expect(HostnamePattern("*.Example.COM") == .wildcard(suffix: "example.com"))
        #expect(HostnamePattern("*.") == nil)
        #expect(HostnamePattern("*") == nil)
    }

    @Test(
        "patterns share names",
        arguments: [
            ("a.b.c", "*.b.c", "a.b.c"), ("*.c", "*.b.c", "*.b.c"), ("x.a.b.c", "*.b.c", "x.a.b.c"),
            ("b.c", "*.b.c", nil),
            ("*.b.c", "*.c.c", nil), ("ab.c", "*.b.c", nil), ("*.bb.c", "*.b.c", nil),
        ] as [(String, String, String?)])
    func intersections(left: String, right: String, expected: String?) throws {
        let (a, b) = (try #require(HostnamePattern(left)), try #require(HostnamePattern(right)))
        #expect(a.intersection(b)?.description == expected)
        #expect(b.intersection(a)?.description == expected)
    }
}
