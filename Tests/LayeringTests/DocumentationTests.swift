import FoundationEssentials
import Testing

@Suite("Documentation")
struct DocumentationTests {
    private let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }

    private func read(_ path: String) throws -> String {
        try String(contentsOfFile: root + "/" + path, encoding: .utf8)
    }

    /// Names that stand between `opening` and a closing character in a text.
    private func names(in text: String, after opening: String, prefix: String, until closing: Character) -> Set<String>
    {
        var names: Set<String> = []
        for part in text.split(separator: opening, omittingEmptySubsequences: false).dropFirst() {
            let name = part.prefix { $0 != closing && $0 != "\n" }
            if name.hasPrefix(prefix), name.allSatisfy({ $0.isLetter || $0 == "_" }) { names.insert(String(name)) }
        }
        return names
    }

    @Test("metrics are named in one place of the sources, and docs/reference/metrics.md names those and no other")
    func metrics() throws {
        let registry = "Observability/Metrics/"
        var described: Set<String> = []
        for file in try FileManager.default.subpathsOfDirectory(atPath: root + "/Sources")
        where file.hasSuffix(".swift") {
            let source = try read("Sources/" + file)
            let named = names(in: source, after: "\"", prefix: "sluice_", until: "\"")
            if file.hasPrefix(registry) {
                described.formUnion(named.union(names(in: source, after: "\"", prefix: "process_", until: "\"")))
            } else {
                #expect(named.sorted() == [], "\(file) names metrics: they belong to Sources/\(registry)")
            }
        }
        let page = try read("docs/reference/metrics.md")
        let documented = ["sluice_", "process_"].reduce(into: Set()) {
            $0.formUnion(names(in: page, after: "\n| `", prefix: $1, until: "`"))
        }
        #expect(described.count > 60)
        #expect(documented.symmetricDifference(described).sorted() == [])
    }

    @Test("every relative link in the documentation leads somewhere")
    func links() throws {
        let pages = [
            "README.md", "CHANGELOG.md", "docs/admin.md", "docs/architecture.md", "docs/benchmarks.md",
            "docs/conformance.md", "docs/backend-policy.md", "docs/client-policy.md", "docs/kubernetes.md",
            "docs/how-to/migrating.md", "docs/profiles.md", "docs/status-page.md", "docs/systemd.md",
            "docs/reference/backend.md", "docs/reference/cli.md", "docs/reference/manifests.md",
            "docs/reference/reasons.md", "docs/troubleshooting.md", "examples/broken/README.md",
            "examples/quickstart/README.md",
        ]
        for page in pages {
            let folder = page.split(separator: "/").dropLast().map { $0 + "/" }.joined()
            for part in try read(page).split(separator: "](").dropFirst() {
                let target = part.prefix { $0 != ")" && $0 != "#" }
                guard !target.isEmpty, !target.contains("://") else { continue }
                let path = root + "/" + folder + target
                #expect(FileManager.default.fileExists(atPath: path), "\(page): \(target)")
            }
        }
    }

    /// What an API server said to the cases of Backend.
    private struct Verdict: Decodable {
        struct Fault: Decodable { var rule: String? }
        var errors: [Fault]?
    }

    @Test("the definition of Backend has every rule that an API server, and check, report")
    func definition() throws {
        let cases = try read("Tests/ManifestSourceTests/BackendCases/expected.json")
        let verdicts = try JSONDecoder().decode([String: Verdict].self, from: Data(cases.utf8))
        let rules = Set(verdicts.values.flatMap { $0.errors ?? [] }.compactMap(\.rule))
        #expect(rules.count >= 6)
        let definition = try read("crds/sluice.dev_backends.yaml")
        for rule in rules { #expect(definition.contains("message: \(rule)\n"), "\(rule)") }
    }
}
