import EngineModel
import KubernetesAPI
import Testing
import Translation

/// What policies of several levels make of the access log, and who says how it looks.
@Suite("Access log of ClientPolicies and GatewayParameters")
struct AccessLogPolicyTests {
    private typealias Bench = PolicyBench

    private func policies(_ policies: (String, String)...) throws -> PolicyBench {
        try PolicyBench(
            policies.enumerated().map { index, policy in
                PolicyBench.policy("p\(index)", policy.0, "accessLog: {\(policy.1)}", created: index)
            }.joined())
    }

    private static let gateway = Bench.target("Gateway", "edge")
    private static let plain = Bench.target("Gateway", "edge", "plain")
    private static let route = Bench.target("TCPRoute", "plain")

    @Test("a listener's policy stands in the place of its Gateway's, as a whole")
    func replaced() throws {
        let bench = try policies(
            (Self.gateway, "events: [Open, Close], include: Errors"), (Self.plain, "include: Rejected"))
        #expect(try bench.listener("plain").settings.accessLog == AccessLogSettings(closes: .rejected))
        #expect(try bench.route(at: "plain").settings.accessLog == AccessLogSettings(closes: .rejected))
        #expect(try bench.listener("raw").settings.accessLog == AccessLogSettings(opens: true, closes: .errors))
        let message = bench.message("p0", .programmed)
        #expect(message.contains("accessLog → ClientPolicy infra/p1"), "\(message)")
    }

    @Test("a route's policy adds lines, and takes none away")
    func added() throws {
        let bench = try policies(
            (Self.gateway, "events: [Open, Close], include: Errors"),
            (Self.route, "events: [Periodic, Close], interval: 30s, include: Rejected"))
        #expect(try bench.listener("plain").settings.accessLog == AccessLogSettings(opens: true, closes: .errors))
        #expect(
            try bench.route(at: "plain").settings.accessLog
                == AccessLogSettings(opens: true, interval: .seconds(30), closes: .errors))
        #expect(!bench.message("p0", .programmed).contains("accessLog"))
        #expect(bench.conditions("p1") == ["Accepted=True Accepted"])
    }

    @Test("where a Gateway has no lines, a route's are its own")
    func disabled() throws {
        let bench = try policies((Self.gateway, "disabled: true"), (Self.route, "include: Errors"))
        #expect(try bench.listener("plain").settings.accessLog == .none)
        #expect(try bench.route(at: "plain").settings.accessLog == AccessLogSettings(closes: .errors))
        #expect(try bench.route(at: "raw").settings.accessLog == .none)
    }

    @Test(
        "the class says how lines look",
        arguments: [
            ("{}", AccessLogFormat.json), ("{format: JSON}", .json), ("{format: HAProxyTCP}", .haproxyTCP),
            ("{format: Text}", .text(.standard)),
        ])
    func format(text: String, format: AccessLogFormat) throws {
        let bench = try PolicyBench(parameters(text))
        #expect(try bench.listener("plain").settings.accessLogFormat == format)
    }

    @Test("a template is read with the class; one that cannot be read is said, and nothing of the class is served")
    func template() throws {
        let bench = try PolicyBench(parameters("{format: Text, template: \"%EVENT% at 5%%\"}"))
        #expect(
            try bench.listener("plain").settings.accessLogFormat == .text(try AccessLogTemplate("%EVENT% at 5%%")))
        let wrong = try PolicyBench(parameters("{format: Text, template: \"%NEVER%\"}"))
        let status = wrong.result.statuses.gatewayParameters[ObjectKey(namespace: "infra", name: "params")]
        #expect(
            status?.conditions.first?.message.contains(
                "spec.telemetry.accessLog.template: there is no field %NEVER%") == true)
        #expect(wrong.result.configuration.listeners.isEmpty)
    }

    private func parameters(_ log: String) -> String {
        """
        ---
        apiVersion: sluice.dev/v1alpha1
        kind: GatewayParameters
        metadata: {name: params, namespace: infra}
        spec: {telemetry: {accessLog: \(log)}}

        """
    }
}
