import KubernetesAPI
import ManifestSource
import Platform
import Testing
import YAML

/// One object and the API server's answer to it.
struct BackendCase: Sendable, CustomTestStringConvertible {
    struct Expected: Codable, Sendable {
        struct Problem: Codable, Sendable {
            var field: String
            var message: String
            var type: String
            var rule: String?
            var sideEffect: Bool?
        }
        var valid: Bool
        var errors: [Problem]?
        var rulesSkipped: Bool?
    }

    var name: String
    var path: String
    var expected: Expected
    var defaulted: [String: String]
    var testDescription: String { name }

    static let folder = #filePath.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/BackendCases"

    static func all() throws -> [BackendCase] {
        let bytes = try readFile("\(folder)/expected.json")
        let root = try #require(YAMLStream(parsing: bytes).documents.first).root
        return try (root.entries ?? []).map { entry in
            let expected = try YAMLDecoder().decode(Expected.self, from: entry.value).value
            let defaulted = (entry.value["defaulted"]?.entries ?? []).map {
                ($0.key, $0.value.string ?? $0.value.shown)
            }
            return BackendCase(
                name: entry.key, path: "\(folder)/\(expected.valid ? "valid" : "invalid")/\(entry.key).yaml",
                expected: expected, defaulted: Dictionary(uniqueKeysWithValues: defaulted))
        }
    }
}

@Suite("Backends, as an API server judges them")
struct BackendCaseTests {
    @Test("there are cases, and each has its file")
    func present() throws {
        let cases = try BackendCase.all()
        let files = try listDirectory("\(BackendCase.folder)/valid") + listDirectory("\(BackendCase.folder)/invalid")
        #expect(cases.count == 33)
        #expect(Set(files) == Set(cases.map { "\($0.name).yaml" }))
    }

    @Test("verdict, fields, rules", arguments: try BackendCase.all())
    func verdict(of item: BackendCase) throws {
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

    @Test("defaults", arguments: try BackendCase.all().filter(\.expected.valid))
    func defaults(of item: BackendCase) throws {
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
