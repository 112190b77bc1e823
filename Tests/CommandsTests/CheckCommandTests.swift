import TestSupport
import Testing

@testable import Commands

@Suite("check")
struct CheckCommandTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private static let gateway = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge}
        spec:
          gatewayClassName: sluice
          listeners: [{name: plain, protocol: TCP, port: 9000}]
        """
    private static let route = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: TCPRoute
        metadata: {name: echo}
        spec:
          parentRefs: [{name: edge, sectionName: plain}]
          rules: [{backendRefs: [{group: sluice.dev, kind: Backend, name: echo}]}]
        """
    private static let backend = """
        apiVersion: sluice.dev/v1alpha1
        kind: Backend
        metadata: {name: echo}
        spec: {endpoints: [{ip: {address: 127.0.0.1, port: 9101}}]}
        """

    private func check(_ flags: String...) throws -> (output: String, exitCode: Int32) {
        guard case .check(let options) = Interpretation(["check", folder.path] + flags, environment: { _ in nil })
        else {
            throw TestFailure("not understood")
        }
        return try CheckCommand(options: options).run(asOf: 1_700_000_000)
    }

    @Test("what is accepted is shown with conditions, listeners and backends")
    func accepted() throws {
        try folder.write([Self.gateway, Self.route, Self.backend].joined(separator: "\n---\n"), to: "all.yaml")
        let (output, code) = try check()
        for part in [
            "Gateway default/edge\n", "  listener plain\n", "TCPRoute default/echo\n  parent default/edge/plain\n",
            "    Accepted=True  Accepted", "    ResolvedRefs=True  ResolvedRefs",
            "LISTENER             ADDRESS   MODE   HOSTNAME   ROUTE                   BACKENDS\n",
            "default/edge/plain   *:9000    TCP    *          TCPRoute default/echo   Backend default/echo\n",
            "Backend default/echo   127.0.0.1:9101\n", "3 objects, 1 listener, 0 errors: all accepted\n",
        ] { #expect(output.contains(part), "\(part)\n---\n\(output)") }
        #expect(!output.contains("Programmed=Unknown"))
        #expect(code == 0)
    }

    @Test("a reference that does not resolve fails, and says what is refused")
    func unresolved() throws {
        try folder.write(Self.gateway + "\n---\n" + Self.route, to: "all.yaml")
        let (output, code) = try check()
        #expect(output.contains("    ResolvedRefs=False  BackendNotFound"))
        #expect(output.contains("unresolved: refused"))
        #expect(output.hasSuffix("NOT all accepted\n"))
        #expect(code == 1)
    }

    @Test("the class that needs no GatewayClass is the one that run is told too")
    func gatewayClass() throws {
        let gateway = Self.gateway.replacing("gatewayClassName: sluice", with: "gatewayClassName: edge")
        try folder.write([gateway, Self.route, Self.backend].joined(separator: "\n---\n"), to: "all.yaml")
        let (output, code) = try check("--gateway-class", "edge")
        #expect(output.hasSuffix("3 objects, 1 listener, 0 errors: all accepted\n"), "\(output)")
        #expect(code == 0)
        #expect(try check().output.contains("GatewayClass edge is not ours"))
    }

    @Test("an unknown field is an error with file, line and field")
    func unknownField() throws {
        try folder.write(Self.gateway + "\n  adresses: []\n", to: "gw.yaml")
        let (output, code) = try check()
        #expect(output.contains("error: \(folder.path)/gw.yaml:7: Gateway default/edge: spec.adresses: "), "\(output)")
        #expect(code == 1)
    }

    @Test("a policy that an API server would refuse is an error with the rule's own words")
    func refusedPolicy() throws {
        let policy = """
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: limits}
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
              proxyProtocol: {mode: Optional}
              bandwidthLimit: {response: {value: 50m}}
            """
        try folder.write([Self.gateway, policy].joined(separator: "\n---\n"), to: "all.yaml")
        let (output, code) = try check()
        for part in [
            "spec.proxyProtocol: mode Optional needs trustedCIDRs: otherwise any client could spoof its address",
            "spec.bandwidthLimit.response.value: must be between 1Ki and 1Ti", "all.yaml:14:",
        ] { #expect(output.contains(part), "\(part)\n---\n\(output)") }
        #expect(code == 1)
    }

    @Test("a policy is judged with the others, and what is in force is shown")
    func policies() throws {
        func policy(_ name: String, _ spec: String) -> String {
            let target = "{group: gateway.networking.k8s.io, kind: Gateway, name: edge}"
            return """
                apiVersion: sluice.dev/v1alpha1
                kind: ClientPolicy
                metadata: {name: \(name)}
                spec: {targetRefs: [\(target)], \(spec)}
                """
        }
        let rest = [Self.gateway, Self.route, Self.backend]
        let first = policy("a", "proxyProtocol: {}, connectionLimit: {value: 5}")
        try folder.write((rest + [first]).joined(separator: "\n---\n"), to: "all.yaml")
        let (output, code) = try check()
        #expect(output.contains("sluice.dev/Warning=True  TrustsAllPeers"), "\(output)")
        #expect(output.contains("sluice.dev/ClientPolicyAffected=True  PolicyAffected  ClientPolicy default/a"))
        #expect(code == 0)
        #expect(try check("-o", "json").output.contains("\"default/a at Gateway default/edge\""))
        let second = policy("b", "accessLog: {events: [Periodic]}, connectionLimit: {value: 9}")
        try folder.write((rest + [first, second]).joined(separator: "\n---\n"), to: "all.yaml")
        let (refused, failure) = try check()
        for part in [
            "Accepted=False  Invalid", "spec.accessLog: events Periodic needs interval",
            "Gateway default/edge has the older ClientPolicy default/a", "NOT all accepted",
        ] { #expect(refused.contains(part), "\(part)\n---\n\(refused)") }
        #expect(failure == 1)
    }

    @Test("kinds that are not read are named once and do not make it fail")
    func unknownKind() throws {
        let other = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"
        try folder.write(Self.gateway, to: "gw.yaml")
        try folder.write(other + "---\n" + other, to: "more.yaml")
        let (output, code) = try check()
        #expect(output.contains("skipped: apps/v1 Deployment is not a kind that is read (\(folder.path)/more.yaml)\n"))
        #expect(code == 0)
    }

    @Test("a listener on the probe port, or a Gateway of another class, is told")
    func reserved() throws {
        let probe = Self.gateway.split(separator: "9000").joined(separator: "8081")
        try folder.write(probe, to: "gw.yaml")
        let (output, code) = try check()
        #expect(code == 1, "\(output)")
        #expect(output.contains("PortUnavailable"), "\(output)")
        try folder.write(
            Self.gateway.split(separator: "ClassName: sluice").joined(separator: "ClassName: other"), to: "gw.yaml")
        #expect(try check().output.contains("No listener would serve.\n"))
    }

    @Test("a path that is missing is an error")
    func missing() throws {
        guard case .check(let options) = Interpretation(["check", "/no/such"], environment: { _ in nil }) else {
            return
        }
        let (output, code) = try CheckCommand(options: options).run(asOf: 1)
        #expect(output.contains("error: /no/such"))
        #expect(code == 1)
    }

    @Test("--zone says where it would run, which policies for zones have to know")
    func zone() throws {
        let policy = """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: near}
            spec:
              targetRefs: [{group: sluice.dev, kind: Backend, name: echo}]
              loadBalancer: {zoneAware: {preferLocal: {}}}
            """
        try folder.write([Self.gateway, Self.route, Self.backend, policy].joined(separator: "\n---\n"), to: "all.yaml")
        #expect(try check().output.contains("ZoneUnknown"))
        let known = try check("--zone", "a")
        #expect(!known.output.contains("ZoneUnknown") && known.exitCode == 0)
    }

    @Test("JSON has the documented shape")
    func json() throws {
        try folder.write([Self.gateway, Self.route, Self.backend].joined(separator: "\n---\n"), to: "all.yaml")
        let (output, code) = try check("-o", "json")
        for part in [
            "\"accepted\" : true", "\"kind\" : \"TCPRoute\"", "\"parent\" : \"default/edge/plain\"",
            "\"type\" : \"ResolvedRefs\"", "\"address\" : \"*:9000\"", "\"mode\" : \"TCP\"",
            "\"route\" : \"TCPRoute default/echo\"", "\"address\" : \"127.0.0.1:9101\"", "\"problems\" : [\n\n  ]",
        ] { #expect(output.contains(part), "\(part)\n---\n\(output)") }
        #expect(code == 0)
    }

    @Test("tables align their columns and leave no blanks at the end of a line")
    func tables() {
        #expect(table([["A", "B", "C"], ["long", "", ""], ["x", "y", "z"]]) == "A      B   C\nlong\nx      y   z\n")
        #expect(table([]) == "")
    }
}
