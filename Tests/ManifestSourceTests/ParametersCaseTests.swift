import KubernetesAPI
import Platform
import Testing

@testable import ManifestSource

@Suite("GatewayParameters, as an API server judges them")
struct ParametersCaseTests {
    @Test("there are cases, and each has its file")
    func present() throws {
        let folder = PolicyCase.folder("ParametersCases")
        let cases = try PolicyCase.all("ParametersCases")
        let files = try listDirectory("\(folder)/valid") + listDirectory("\(folder)/invalid")
        #expect(cases.count == 31)
        #expect(Set(files) == Set(cases.map { "\($0.name).yaml" }))
    }

    @Test("verdict, fields, rules", arguments: try PolicyCase.all("ParametersCases"))
    func verdict(of item: PolicyCase) throws {
        let state = ManifestSource.load([item.path])
        #expect(state.problems.isEmpty == item.expected.valid, "\(state.problemLines)")
        // Refused ones stay, so that the translation refuses what they would hold for; this one cannot be read at all.
        #expect(state.snapshot.gatewayParameters.isEmpty == (item.name == "params-annotation-value"))
        let expected = (item.expected.errors ?? []).filter { $0.sideEffect != true }
        for problem in expected {
            let found = state.problems.filter { $0.field == problem.field }
            #expect(!found.isEmpty, "\(problem.field) is not in \(state.problemLines)")
            if let rule = problem.rule { #expect(found.map(\.message).contains(rule)) }
            #expect(found.allSatisfy { $0.line > 0 && $0.severity == .error })
        }
        if item.expected.rulesSkipped != true {
            #expect(state.problems.count == expected.count, "\(state.problemLines)")
        }
    }

    @Test("nothing is defaulted, because the class's fields and the gateway's are merged")
    func defaults() throws {
        #expect(try PolicyCase.all("ParametersCases").allSatisfy(\.defaulted.isEmpty))
        let path = PolicyCase.folder("ParametersCases") + "/valid/params-empty.yaml"
        let parameters = try #require(ManifestSource.load([path]).snapshot.gatewayParameters.values.first)
        #expect(parameters.spec == GatewayParameters.Spec())
    }

    @Test("a refused object stands for itself until there is a good one, which then stays")
    func lastGood() {
        var catalog = Catalog(unknownFields: .error)
        func exposure(_ text: String?) -> String? {
            if let text {
                let manifest = """
                    {apiVersion: sluice.dev/v1alpha1, kind: GatewayParameters, metadata: {name: p}, spec: {exposure: \(text)}}
                    """
                catalog.update("p.yaml", content: Array(manifest.utf8))
            } else {
                catalog.remove("p.yaml")
            }
            return catalog.snapshot(asOf: 0).state.snapshot.gatewayParameters.values.first?.spec.exposure
        }
        let seen = [exposure("Pod"), exposure("Host"), exposure("Node"), exposure(nil), exposure("Node")]
        #expect(seen == ["Pod", "Host", "Host", nil, "Node"])
    }
}
