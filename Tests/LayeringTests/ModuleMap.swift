/// What a module may import: a row of the table in docs/architecture.md.
struct ModuleRow: Equatable {
    /// Modules of this package.
    var modules: Set<String>
    /// Modules of the toolchain and the C library.
    var system: Set<String>
}

/// The table of modules in docs/architecture.md.
struct ModuleMap {
    var rows: [String: ModuleRow]

    /// Reads the table whose heading begins with `Module`.
    init(markdown: String) {
        rows = [:]
        var inTable = false
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                inTable = false
                continue
            }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().map(ModuleMap.trimmed)
            guard cells.count >= 4 else { continue }
            if cells[0] == "Module" {
                inTable = true
            } else if inTable, !cells[0].hasPrefix("---") {
                rows[cells[0]] = ModuleRow(modules: ModuleMap.names(cells[1]), system: ModuleMap.names(cells[2]))
            }
        }
    }

    /// Every module that `module` reaches by one arrow or several.
    func reachable(from module: String) -> Set<String> {
        var found: Set<String> = []
        var open = [module]
        while let next = open.popLast() {
            for target in rows[next]?.modules ?? [] where found.insert(target).inserted { open.append(target) }
        }
        return found
    }

    /// One sentence for each import that the table does not allow.
    func violations(of module: String, file: String, source: String) -> [String] {
        guard let row = rows[module] else { return ["\(file): module \(module) has no row in docs/architecture.md"] }
        return importedModules(in: source)
            .filter { $0.name != module && !row.modules.contains($0.name) && !row.system.contains($0.name) }
            .map { "\(file):\($0.line): \(module) may not import \($0.name)" }
    }

    private static func names(_ cell: String) -> Set<String> {
        Set(cell.split(separator: ",").map(trimmed).filter { $0 != "–" && !$0.isEmpty })
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
