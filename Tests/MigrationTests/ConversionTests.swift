import Migration
import Testing

@Suite("Conversion")
struct ConversionTests {
    private func convert(_ text: String, _ change: (inout ConversionOptions) -> Void = { _ in }) -> Conversion {
        var options = ConversionOptions()
        change(&options)
        return Migration.convert([ConversionInput(name: "in", text: Array(text.utf8))], options: options)
    }

    private func route(_ match: String, tls: String = "tls: {secretName: cert}", _ more: String = "") -> String {
        """
        apiVersion: traefik.io/v1alpha1
        kind: IngressRouteTCP
        metadata: {name: r, namespace: a}
        spec:
          entryPoints: [websecure]
          routes:
          - match: \(match)
            services: [{name: s, port: 1}]
            \(more)
          \(tls)
        """
    }

    @Test("equal inputs give equal texts")
    func deterministic() throws {
        for name in GoldenTests.names {
            let input = try Fixture(name).input
            let texts = (0..<3).map { _ in Migration.convert([input], options: Fixture.options).text }
            #expect(Set(texts).count == 1, "\(name)")
        }
    }

    @Test(
        "a time that is too long for anybody becomes a comment",
        arguments: ["999999999999d", "9223372036854775", "999999999999h999999999999h", "5000000000h"])
    func lengths(time: String) throws {
        let input = try Fixture("traefik").input
        let text = String(decoding: input.text, as: UTF8.self).replacing(
            "dialTimeout: 5s", with: "dialTimeout: \(time)")
        #expect(text.contains(time))
        let lines = convert(text).text.split(separator: "\n")
        #expect(lines.contains { $0.contains("#") && $0.contains("dialTimeout") && $0.contains(time) })
        #expect(!lines.contains { !$0.contains("#") && $0.contains(time) })
    }

    @Test(
        "rules that routes cannot say leave the route out",
        arguments: [
            "HostSNI(`a.example.com`) && ALPN(`h2`)", "!HostSNI(`a.example.com`)", "HostSNI(`a_b`)",
            "HostSNI(`a.example.com`",
            "HostSNIRegexp(`^a|b$`)", "ClientIP(`office`)", "HostSNI(a)", "",
            "(ClientIP(`10.0.0.0/8`) && !ClientIP(`10.1.0.0/16`)) || ClientIP(`192.0.2.0/24`)",
            "HostSNI(`a.example.com`) && HostSNI(`b.example.com`)", "Path(`/`)",
        ])
    func unsayable(match: String) {
        let conversion = convert(route("\"\(match)\""))
        #expect(!conversion.isComplete)
        #expect(!conversion.text.contains("kind: TLSRoute") && !conversion.text.contains("kind: TCPRoute"))
    }

    @Test(
        "rules become host names and lists of clients",
        arguments: [
            (
                "HostSNI(`B.example.com`) || HostSNI(`a.example.com`)", ["- a.example.com\n  - b.example.com\n"],
                ["kind: ClientPolicy"]
            ),
            ("HostSNIRegexp(`^.+\\\\.example\\\\.com$`)", ["- '*.example.com'\n"], []),
            (
                "HostSNI(`a.example.com`) && (ClientIP(`10.0.0.0/8`) || ClientIP(`192.0.2.1`))",
                ["defaultAction: Deny", "- 10.0.0.0/8\n", "- 192.0.2.1/32\n"], []
            ),
            (
                "HostSNI(`a.example.com`) && ClientIP(`10.0.0.0/8`) && ClientIP(`10.1.0.0/16`)", ["- 10.1.0.0/16\n"],
                ["- 10.0.0.0/8\n"]
            ),
            ("HostSNI(`a.example.com`) && !ClientIP(`10.0.0.0/8`)", ["defaultAction: Allow", "action: Deny"], []),
            ("HostSNI(`*`)", ["kind: TCPRoute"], ["hostnames"]),
            (
                "HostSNI(`a.example.com`) || (HostSNI(`a.example.com`) && ClientIP(`10.0.0.0/8`))", ["- a.example.com"],
                ["Deny"]
            ),
        ])
    func sayable(match: String, present: [String], absent: [String]) {
        let conversion = convert(route("\"\(match)\""))
        #expect(conversion.isComplete, "\(conversion.failures)")
        for part in present { #expect(conversion.text.contains(part), "\(part)\n\(conversion.text)") }
        for part in absent { #expect(!conversion.text.contains(part), "\(part)\n\(conversion.text)") }
    }

    @Test("what may keep clients out and is not at hand closes the route")
    func closed() {
        let conversion = convert(route("HostSNI(`a.example.com`)", "middlewares: [{name: gone}]"))
        #expect(!conversion.isComplete)
        #expect(conversion.text.contains("authorization:\n    defaultAction: Deny\n"))
        #expect(!conversion.text.contains("action: Allow"))
    }

    @Test(
        "a list of addresses that cannot be read, or that is empty, lets nobody in",
        arguments: ["[]", "[office]", "[10.0.0.0/33]"])
    func unreadableLists(list: String) {
        let middleware = """
            ---
            apiVersion: traefik.io/v1alpha1
            kind: MiddlewareTCP
            metadata: {name: m, namespace: a}
            spec: {ipAllowList: {sourceRange: \(list)}}
            """
        let conversion = convert(route("HostSNI(`a.example.com`)", "middlewares: [{name: m}]") + "\n" + middleware)
        #expect(conversion.text.contains("authorization:\n    defaultAction: Deny\n"))
        #expect(!conversion.text.contains("action: Allow"))
    }

    @Test("a port has TLS or not, and one route without a name")
    func ports() {
        let both = convert(route("HostSNI(`a.example.com`)") + "\n---\n" + route("HostSNI(`*`)", tls: ""))
        #expect(both.failures.count == 1)
        #expect(both.text.contains("a port has one or the other"))
        #expect(!both.text.contains("protocol: TCP"))
    }

    @Test("routes take sixteen names each, and Gateways sixty-four listeners")
    func limits() {
        let hosts = (1...20).map { "`h\($0).example.com`" }.joined(separator: ", ")
        let names = convert(route("HostSNI(\(hosts))"))
        #expect(names.text.components(of: "kind: TLSRoute") == 2)
        let ports = (1...70).map { "  \"\(10_000 + $0)\": a/s:\($0)\n" }.joined()
        let map = convert("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tcp-services}\ndata:\n" + ports)
        #expect(map.isComplete)
        #expect(map.text.components(of: "kind: Gateway\nmetadata") == 2)
        #expect(map.text.components(of: "kind: TCPRoute") == 70)
    }

    @Test("what no format reads is named, and nothing at all is an error")
    func strangers() {
        let other = convert("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: a}")
        #expect(other.failures == ["Deployment a/d (in:1): no format has this kind"])
        #expect(convert("").problems == ["nothing was found that could be converted"])
        #expect(convert("just text").problems == ["in:1: expected an object, found \"just text\""])
    }

    @Test("the format of what does not say it can be named")
    func forced() {
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tcp-services}\ndata: {\"1\": \"a/s:1::PROXY\"}"
        #expect(convert(map).text.contains("version: V1"))
        #expect(convert(map) { $0.format = .haproxyIngress }.text.contains("version: V2"))
    }

    @Test("entry points listen where they are said to")
    func entryPoints() {
        #expect(convert(route("HostSNI(`a.example.com`)")).text.contains("port: 443\n"))
        let moved = convert(route("HostSNI(`a.example.com`)")) { $0.entryPoints = ["websecure": 8443] }
        #expect(moved.text.contains("port: 8443\n"))
        #expect(!moved.text.contains("--entry-point"))
    }
}

extension String {
    /// How often a text stands in this one.
    fileprivate func components(of text: String) -> Int {
        split(separator: text, omittingEmptySubsequences: false).count - 1
    }
}
