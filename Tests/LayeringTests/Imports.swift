/// An import in a Swift file.
struct ImportedModule: Equatable {
    var name: String
    /// Counted from 1.
    var line: Int
}

/// The imports of a Swift source, whatever attributes, access level and kind stand around the name.
func importedModules(in source: String) -> [ImportedModule] {
    source.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, text in
        var words = text.split { $0 == " " || $0 == "\t" || $0 == ";" }[...]
        while let word = words.first, word.hasPrefix("@") || accessLevels.contains(String(word)) { words.removeFirst() }
        guard words.popFirst() == "import", var path = words.popFirst() else { return nil }
        if importKinds.contains(String(path)), let named = words.popFirst() { path = named }
        guard let name = path.split(separator: ".").first else { return nil }
        return ImportedModule(name: String(name), line: index + 1)
    }
}

private let accessLevels: Set<String> = ["public", "package", "internal", "fileprivate", "private"]
private let importKinds: Set<String> = ["typealias", "struct", "class", "enum", "protocol", "let", "var", "func"]
