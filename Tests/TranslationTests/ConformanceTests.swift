import EngineModel
import FoundationEssentials
import KubernetesAPI
import Primitives
import Testing
import Translation

/// What upstream's conformance tests assert of conditions and of where traffic goes, as far as it concerns TCP and TLS: a file
/// for each of them under Conformance, by its name, with manifests of ours. docs/conformance.md lists them all.
@Suite("Conformance")
struct ConformanceTests {
    @Test("statuses and traffic are as upstream's test of that name expects", arguments: try ConformanceCase.all())
    func matches(conformance: ConformanceCase) throws {
        let input = try GoldenInput(parsing: try conformance.read(), file: conformance.name)
        try #require(!input.expectations.isEmpty)
        for expectations in input.expectations {
            let snapshot = try input.snapshot.without(expectations.without ?? [])
            let result = translate(snapshot, options: input.options)
            let report = ConformanceReport(result, try closed(result, input.surroundings))
            #expect(!expectations.expect.isEmpty)
            for text in expectations.expect {
                let expectation = try ConformanceExpectation(text)
                let found = report[expectation.subject]
                #expect(expectation.holds(in: found), "\(text): found \(found)")
            }
        }
    }

    /// Every binding is bound unless the case says otherwise.
    private func closed(_ result: TranslationResult, _ surroundings: GoldenInput.Surroundings) throws -> StatusReport {
        var states: [Binding: BindingState] = [:]
        for binding in result.statuses.bindings.values.joined() {
            states[binding] = try surroundings.acknowledgement?[binding.description].map(bindingState) ?? .bound
        }
        let address = try #require(IPAddress("192.0.2.1"))
        return compose(result.statuses, Acknowledgement(generation: 1, bindings: states), addresses: [address])
    }
}

/// One file under Conformance.
struct ConformanceCase: CustomTestStringConvertible, Sendable {
    let name: String
    var testDescription: String { name }

    private static let folder = String(#filePath.dropLast("ConformanceTests.swift".count)) + "Conformance/"

    static func all() throws -> [ConformanceCase] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }.sorted()
            .map { ConformanceCase(name: String($0.dropLast(".yaml".count))) }
    }

    func read() throws -> String {
        try String(contentsOfFile: ConformanceCase.folder + name + ".yaml", encoding: .utf8)
    }
}

/// `SUBJECT: FACT`, where a fact is `TYPE=STATUS`, then optionally the reason and `@GENERATION`; `TYPE absent`; `NAME=VALUE`; or
/// where traffic goes.
struct ConformanceExpectation {
    let subject: String
    private let fact: String

    init(_ text: String) throws {
        let separator = try #require(text.firstRange(of: ": "))
        subject = String(text[..<separator.lowerBound])
        fact = String(text[separator.upperBound...])
    }

    func holds(in found: [String]?) -> Bool {
        guard let found else { return false }
        if subject.hasPrefix("Traffic ") || subject.hasSuffix("addresses") { return found == [fact] }
        if fact.hasSuffix(" absent") { return !found.contains { $0.hasPrefix(fact.dropLast(" absent".count) + "=") } }
        let wanted = fact.split(separator: " ")
        return found.contains { line in
            let words = line.split(separator: " ")
            return words.first == wanted.first && wanted.dropFirst().allSatisfy { words.dropFirst().contains($0) }
        }
    }
}

extension ClusterSnapshot {
    /// The snapshot without objects given as `KIND namespace/name`.
    func without(_ objects: [String]) throws -> ClusterSnapshot {
        var copy = self
        for object in objects {
            let parts = object.split(whereSeparator: { " /".contains($0) }).map(String.init)
            try #require(parts.count == 3 && parts[0] == "ReferenceGrant")
            let key = ObjectKey(namespace: parts[1], name: parts[2])
            try #require(copy.referenceGrants.removeValue(forKey: key) != nil)
        }
        return copy
    }
}
