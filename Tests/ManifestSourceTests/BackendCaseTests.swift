import KubernetesAPI
import ManifestSource
import Platform
import Testing

@Suite("Backends, as an API server judges them")
struct BackendCaseTests {
    @Test("there are cases, and each has its file")
    func present() throws {
        let cases = try PolicyCase.all("BackendCases")
        let files =
            try listDirectory("\(PolicyCase.folder("BackendCases"))/valid")
            + listDirectory("\(PolicyCase.folder("BackendCases"))/invalid")
        #expect(cases.count == 33)
        #expect(Set(files) == Set(cases.map { "\($0.name).yaml" }))
    }

    @Test("verdict, fields, rules", arguments: try PolicyCase.all("BackendCases"))
    func verdict(of item: PolicyCase) throws {
        let state = ManifestSource.load([item.path])
        #expect(state.problems.isEmpty == item.expected.valid, "\(state.problemLines)")
        #expect((state.snapshot.backends.count == 1) == (item.expected.valid || item.name == "backend-unknown-field"))
        let expected = (item.expected.errors ?? []).filter { $0.sideEffect != true }
        for problem in expected {
            // The server's decoder names an unknown field inside what should be a list; we name the list.
            let field = item.name == "backend-spec-wrong-type" ? "spec.endpoints" : problem.field
            let found = state.problems.filter { $0.field == field }
            #expect(!found.isEmpty, "\(problem.field) is not in \(state.problemLines)")
            if let rule = problem.rule { #expect(found.map(\.message).contains(rule)) }
            #expect(found.allSatisfy { $0.line > 0 && $0.severity == .error })
        }
        if item.expected.rulesSkipped != true {
            #expect(state.problems.count == expected.count, "\(state.problemLines)")
        }
    }

    @Test("defaults", arguments: try PolicyCase.all("BackendCases").filter(\.expected.valid))
    func defaults(of item: PolicyCase) throws {
        let backend = try #require(ManifestSource.load([item.path]).snapshot.backends.values.first)
        var defaulted: [String: String] = [:]
        if backend.spec.type == nil { defaulted["spec.type"] = "Endpoints" }
        if backend.spec.fallback == nil { defaulted["spec.fallback"] = "false" }
        for (index, endpoint) in (backend.spec.endpoints ?? []).enumerated() {
            let path = "spec.endpoints[\(index)]"
            if endpoint.weight == nil { defaulted["\(path).weight"] = "\(endpoint.effectiveWeight)" }
            if let fqdn = endpoint.fqdn, fqdn.srv == nil { defaulted["\(path).fqdn.srv"] = "false" }
        }
        #expect(defaulted == item.defaulted)
    }
}
