import Testing

/// Shows that the layering test can fail.
@Suite("Module map")
struct ModuleMapTests {
    private let map = ModuleMap(
        markdown: """
            | Other | table | x | y |
            | --- | --- | --- | --- |
            | Engine | Controller | – | not this one |

            | Module | May import | System modules | What |
            | --- | --- | --- | --- |
            | Core | – | – | values |
            | Engine | Core | Glibc, Dispatch | threads |
            | App | Engine | – | all |
            """)

    @Test("rows are read from the table of modules alone")
    func rows() {
        #expect(map.rows["Engine"] == ModuleRow(modules: ["Core"], system: ["Glibc", "Dispatch"]))
        #expect(map.rows.keys.sorted() == ["App", "Core", "Engine"])
        #expect(map.reachable(from: "App") == ["Engine", "Core"])
    }

    @Test("an import without an arrow is named with file and line")
    func violation() {
        let source = "internal import Core\npublic import Glibc\nimport Kubernetes\n"
        #expect(
            map.violations(of: "Engine", file: "Sources/Engine/A.swift", source: source)
                == ["Sources/Engine/A.swift:3: Engine may not import Kubernetes"])
        #expect(map.violations(of: "Core", file: "C.swift", source: source).count == 2)
        #expect(map.violations(of: "App", file: "B.swift", source: "import Core").count == 1)
    }

    @Test("a module without a row is a violation")
    func unknownModule() {
        #expect(map.violations(of: "New", file: "N.swift", source: "").count == 1)
    }

    @Test(
        "every spelling of an import is seen",
        arguments: [
            "import Core", "internal import Core", "@testable import Core", "  @preconcurrency public import Core",
            "import struct Core.Value", "import Core.Submodule", "import Core; import Engine",
        ])
    func spellings(line: String) {
        #expect(importedModules(in: "// import Other\n" + line) == [ImportedModule(name: "Core", line: 2)])
    }

    @Test(
        "words that only look like an import are not one",
        arguments: ["let importer = 1", "// import A", "important()"])
    func notImports(line: String) {
        #expect(importedModules(in: line).isEmpty)
    }
}
