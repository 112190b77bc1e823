import KubernetesAPI
@testable import ManifestSource
import TestSupport
import Testing

@Suite("Patterns of policies")
struct PatternProblemTests {
    private let folder: TemporaryDirectory
    init() throws { folder = try TemporaryDirectory() }

    private func policy(_ name: String, expecting patterns: String...) -> String {
        let steps = patterns.map { "{expect: {type: Regex, regex: '\($0)'}}" }.joined(separator: ", ")
        return """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: \(name)}
            spec:
              targetRefs: [{group: "", kind: Service, name: db}]
              healthCheck: {active: {type: TCP, tcp: {steps: [\(steps)]}}}

            """
    }

    @Test("what RE2 has against a pattern is a fact of the snapshot")
    func fact() throws {
        try folder.write(policy("a", expecting: "role:(master|primary)", "(open"), to: "a.yaml")
        try folder.write(policy("b", expecting: "(open", "[z-a]"), to: "b.yaml")
        let state = ManifestSource.load([folder.path], unknownFields: .error, asOf: 7)
        #expect(state.problemLines == [])
        #expect(
            state.snapshot.patternProblems
                == ["(open": "missing ): (open", "[z-a]": "invalid character class range: z-a"])
    }

    @Test("it comes and goes with the pattern")
    func changes() throws {
        try folder.write(policy("a", expecting: "ok"), to: "a.yaml")
        let source = try RunningSource(folder.path)
        try source.wait("the policy") { $0.snapshot.backendPolicies.count == 1 && $0.snapshot.patternProblems == [:] }
        try folder.write(policy("a", expecting: "(", "ok"), to: "a.yaml")
        try source.wait("the problem") { $0.snapshot.patternProblems == ["(": "missing ): ("] }
        try folder.write(policy("a", expecting: "ok"), to: "a.yaml")
        try source.wait("no problem") { $0.snapshot.patternProblems == [:] }
    }
}
