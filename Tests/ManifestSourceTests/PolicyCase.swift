import Platform
import Testing
import YAML

/// One object of ours and the API server's answer to it.
struct PolicyCase: Sendable, CustomTestStringConvertible {
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

    static func folder(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/" + name
    }

    /// The cases of a folder beside this file.
    static func all(_ name: String) throws -> [PolicyCase] {
        let folder = folder(name)
        let bytes = try readFile("\(folder)/expected.json")
        let root = try #require(YAMLStream(parsing: bytes).documents.first).root
        return try (root.entries ?? []).map { entry in
            let expected = try YAMLDecoder().decode(Expected.self, from: entry.value).value
            let defaulted = (entry.value["defaulted"]?.entries ?? []).map {
                ($0.key, $0.value.string ?? $0.value.shown)
            }
            return PolicyCase(
                name: entry.key, path: "\(folder)/\(expected.valid ? "valid" : "invalid")/\(entry.key).yaml",
                expected: expected, defaulted: Dictionary(uniqueKeysWithValues: defaulted))
        }
    }
}
