import KubernetesAPI
import ManifestSource
import Platform
import Testing

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
        #expect(
            (state.snapshot.gatewayParameters.count == 1)
                == (item.expected.valid || item.name == "params-ports-protocol"))
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
}
