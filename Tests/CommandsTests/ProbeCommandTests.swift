import EngineModel
import Observability
import TestSupport
import Testing

@testable import Commands

@Suite("probe")
struct ProbeCommandTests {
    private let folder: TemporaryDirectory
    private let log = MemoryLog()

    init() throws { folder = try TemporaryDirectory() }

    private static let scene = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge}
        spec: {gatewayClassName: sluice, listeners: [{name: plain, protocol: TCP, port: 9000}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: TCPRoute
        metadata: {name: db}
        spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{group: sluice.dev, kind: Backend, name: db}]}]}
        ---
        apiVersion: sluice.dev/v1alpha1
        kind: Backend
        metadata: {name: db}
        spec: {endpoints: [{ip: {address: 127.0.0.1, port: 9101}}]}

        """

    private static func policy(_ spec: String) -> String {
        """
        apiVersion: sluice.dev/v1alpha1
        kind: BackendPolicy
        metadata: {name: check}
        spec: {targetRefs: [{group: sluice.dev, kind: Backend, name: db}], \(spec)}
        """
    }

    /// Whatever is asked passes.
    private struct Passing: BackendProbing {
        func probe(_ backend: BackendConfiguration) -> BackendProbe {
            let endpoint = EndpointProbe(
                endpoint: "127.0.0.1:9101", target: "127.0.0.1:9101", passed: true, steps: [], duration: .zero)
            return BackendProbe(endpoints: [endpoint], problems: [])
        }
    }

    private func probe(_ path: String) throws -> (output: String, exitCode: Int32) {
        guard case .probe(let options) = Interpretation(["probe", "default/db", "-f", path], environment: { _ in nil })
        else { throw TestFailure("not understood") }
        return try ProbeCommand(options: options, logger: Logger(recordingTo: log), prober: Passing()).run()
    }

    private func failure(_ path: String) -> String {
        do {
            return "\(try probe(path))"
        } catch {
            return "\(error)"
        }
    }

    @Test("a folder that is not there, and a file that cannot be read, are named")
    func unreadable() throws {
        let absent = folder.path + "/absent"
        #expect(failure(absent) == "sluice probe: \(absent): cannot be read: No such file or directory")
        try folder.write(Self.scene, to: "scene.yaml")
        #expect(try probe(folder.path).exitCode == 0)
        try folder.write(Self.policy("healthCheck: {active: 7}"), to: "policy.yaml")
        let message = failure(folder.path)
        #expect(message.contains("policy.yaml:4: BackendPolicy default/check: spec.healthCheck.active"), "\(message)")
    }

    @Test("a policy that is not accepted, whose check is none, is named")
    func refused() throws {
        try folder.write(Self.scene, to: "scene.yaml")
        try folder.write(Self.policy("healthCheck: {active: {type: TCP}}"), to: "policy.yaml")
        #expect(try !probe(folder.path).output.contains("no health check"))
        #expect(log.text.isEmpty)
        try folder.write(Self.policy("healthCheck: {active: {type: TCP}}, dns: {}"), to: "policy.yaml")
        #expect(try probe(folder.path).output.contains("no health check is configured"))
        let line = log.text
        #expect(
            line.contains("policy is not accepted") && line.contains("BackendPolicy default/check")
                && line.contains("dns has no effect"), "\(line)")
    }
}
