import KubernetesAPI
import Primitives
import Testing
import Translation

/// What a tenant can read in the statuses of its own objects; Events say what statuses say.
@Suite("Tenancy: statuses")
struct StatusTenancyTests {
    private typealias Bench = TenancyBench

    @Test("whoever collides with another tenant in every way learns none of its names")
    func names() throws {
        let bench = try Bench(
            Bench.listenerSet(
                "red/hidden-set",
                "{name: hidden-tls, protocol: TLS, port: 9443, hostname: pay.example.com, tls: {mode: Terminate, "
                    + "certificateRefs: [{name: cert}]}}", "{name: hidden-tcp, protocol: TCP, port: 5433}")
                + Bench.tlsRoute("red/hidden", hosts: ["pay.example.com", "*.pay.example.com"])
                + Bench.tcpRoute("red/hidden-db")
                + Bench.policy(
                    "ClientPolicy", "red/hidden-policy", on: Bench.gatewayTarget("ListenerSet", "hidden-set"),
                    "tcpKeepalive: {idleTime: 20s}")
                + Bench.policy(
                    "BackendPolicy", "red/hidden-retry", on: "group: \"\", kind: Service, name: app",
                    "retry: {numRetries: 1}")
                + Bench.grant(
                    "red/grant", from: "group: gateway.networking.k8s.io, kind: TLSRoute, namespace: blue",
                    to: "group: \"\", kind: Service, name: app")
                + Bench.listenerSet(
                    "blue/set",
                    "{name: tls, protocol: TLS, port: 9443, hostname: pay.example.com, tls: {mode: Passthrough}}",
                    "{name: tcp, protocol: TCP, port: 5433}", "{name: other, protocol: TCP, port: 9443}",
                    "{name: near, protocol: TLS, port: 9443, hostname: \"*.example.com\", tls: {mode: Terminate, "
                        + "certificateRefs: [{name: cert}]}}")
                + Bench.policy(
                    "ClientPolicy", "blue/policy", on: Bench.gatewayTarget("ListenerSet", "set"),
                    "tcpKeepalive: {idleTime: 10s}")
                + Bench.policy(
                    "BackendPolicy", "blue/retry", on: Bench.gatewayTarget("TLSRoute", "granted"),
                    "retry: {numRetries: 5}")
                + Bench.tlsRoute("blue/same", hosts: ["pay.example.com", "*.pay.example.com"])
                + Bench.tlsRoute("blue/granted", hosts: ["x.example.com"], to: "name: app, namespace: red, port: 80")
                + Bench.tcpRoute("blue/db"))
        let said = bench.everythingSaid(in: "blue")
        #expect(said.contains { $0.contains("Superseded") && $0.contains("a TLSRoute of another namespace for") })
        #expect(said.contains { $0.contains("Superseded") && $0.contains("a TCPRoute of another namespace") })
        #expect(said.contains { $0.contains("of a ListenerSet in another namespace") })
        #expect(said.contains { $0.contains("BackendPolicy of another namespace") })
        #expect(said.filter { $0.contains("hidden") || $0.contains("red/") } == [])
        // The owner of the Gateway is told of what its own policies meet, and everybody of what is their own.
        let twice = try Bench(
            Bench.tlsRoute("red/first", hosts: ["pay.example.com"])
                + Bench.tlsRoute("red/second", hosts: ["pay.example.com"]))
        #expect(
            twice.said("TLSRoute", "red/second").contains {
                $0.contains("serves TLSRoute red/first for pay.example.com")
            })
    }

    @Test("nothing that is quoted can reorder or clear a terminal, or begin another line")
    func controls() throws {
        let ugly = "\\e[2J\\nFORGED\\t\\u202Ex\\u0085\\u2028"
        let bench = try Bench(
            Bench.listenerSet(
                "blue/set", "{name: tls, protocol: TLS, port: 443, hostname: \"\(ugly)\", tls: {mode: Passthrough}}",
                "{name: odd, protocol: \"\(ugly)\", port: 9443}",
                "{name: option, protocol: TLS, port: 9443, tls: {mode: Passthrough, options: {\"sluice.dev/\(ugly)\": x}}}"
            )
                + Bench.tlsRoute("blue/app", hosts: [ugly])
                + Bench.policy(
                    "BackendPolicy", "blue/p", on: "group: \"\", kind: Service, name: own",
                    "healthCheck: {active: {type: TCP, tcp: {steps: [{expect: {type: Regex, regex: \"(\(ugly)\"}}]}}}")
                + Bench.tcpRoute("blue/db", to: "name: \"\(ugly)\", port: 80"))
        let said = bench.everythingSaid(in: "blue")
        #expect(said.count { $0.contains("FORGED") } >= 5, "\(said)")
        let controls = said.flatMap(\.unicodeScalars).filter { scalar in
            [.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
        }
        #expect(controls == [])
    }

    @Test("what is merely long is cut at the API server's limit")
    func length() {
        let condition = Condition(.accepted, .false, .invalid, String(repeating: "é", count: 40_000))
        #expect(condition.message.unicodeScalars.count == 32_001)
        #expect(Condition(.accepted, .true, .accepted, "a → b").message == "a → b")
        #expect(Condition(.accepted, .true, .accepted, "a\u{1b}[2J\n").message == "a\\u{1b}[2J\\n")
    }
}
