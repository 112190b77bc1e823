import FoundationEssentials
import Testing

@Suite("Layering")
struct LayeringTests {
    private let root: String
    private let map: ModuleMap

    init() throws {
        root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        map = ModuleMap(markdown: try String(contentsOfFile: root + "/docs/architecture.md", encoding: .utf8))
    }

    @Test("every import under Sources has its arrow in docs/architecture.md")
    func importsHaveArrows() throws {
        var files = 0
        var violations: [String] = []
        for file in try FileManager.default.subpathsOfDirectory(atPath: root + "/Sources").sorted() {
            guard file.hasSuffix(".swift"), let module = file.split(separator: "/").first else { continue }
            files += 1
            let source = try String(contentsOfFile: root + "/Sources/" + file, encoding: .utf8)
            violations += map.violations(of: String(module), file: "Sources/" + file, source: source)
        }
        #expect(files > 20)
        #expect(violations == [])
    }

    @Test("the table and the folders of Sources name the same modules")
    func tableIsComplete() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: root + "/Sources").filter { $0.first != "." }
        #expect(Set(folders) == Set(map.rows.keys))
        for (module, row) in map.rows {
            #expect(row.modules.isSubset(of: map.rows.keys), "\(module) names a module that does not exist")
            #expect(row.system.isDisjoint(with: map.rows.keys))
        }
    }

    @Test("the arrows have no cycle")
    func noCycles() {
        for module in map.rows.keys { #expect(!map.reachable(from: module).contains(module), "\(module)") }
    }

    @Test(
        "pure modules know no system module and no C library",
        arguments: ["Primitives", "EngineModel", "EngineCore", "Translation", "KubernetesAPI"])
    func pureModules(module: String) throws {
        let row = try #require(map.rows[module])
        #expect(row.system.subtracting(module == "KubernetesAPI" ? ["FoundationEssentials"] : []) == [])
        #expect(map.reachable(from: module).filter { $0.hasPrefix("C") && libraries.keys.contains($0) } == [])
    }

    @Test("the engine and Kubernetes do not know each other")
    func engineAndKubernetes() {
        let kubernetes: Set = ["KubernetesAPI", "Translation", "ManifestSource", "Controller", "YAML"]
        #expect(map.reachable(from: "Engine").isDisjoint(with: kubernetes))
        #expect(map.reachable(from: "EngineCore").isDisjoint(with: kubernetes))
        #expect(!map.reachable(from: "Controller").contains("Engine"))
        #expect(map.rows.filter { $0.value.modules.contains("Engine") }.map(\.key) == ["sluice"])
    }

    private let libraries: [String: Set<String>] = [
        "CLinux": ["Platform", "Engine"], "COpenSSL": ["Certificates", "Engine", "EchoServer", "SnapshotCache"],
        "CYAML": ["YAML"],
        "CMicroHTTPD": ["AdminServer"], "CCares": ["Resolver"], "CCurl": ["HTTPClient"],
        "CRE2": ["Patterns"], "CStatusPage": ["AdminServer"],
    ]

    @Test("each C library has only its own importers")
    func librariesAreFenced() {
        for (library, importers) in libraries {
            #expect(Set(map.rows.filter { $0.value.modules.contains(library) }.keys) == importers, "\(library)")
        }
    }

    @Test("Foundation is imported nowhere")
    func noFoundation() {
        for (module, row) in map.rows { #expect(!row.system.contains("Foundation"), "\(module)") }
    }
}
