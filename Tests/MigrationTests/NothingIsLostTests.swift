import Migration
import Testing
import YAML

/// Whatever an input says is in the result: as an object's field or in a comment. Seen by changing the input.
@Suite("Nothing is lost")
struct NothingIsLostTests {
    /// What no conversion depends on.
    private static let exceptions = [
        // What an API server fills in, objects that are only looked up, and what holds them.
        "metadata.uid", "status.", "kind=Service",
        // Which of the versions of a format it is.
        "apiVersion", "version",
        // What is not shown.
        "authtoken", "tunnels.ended.key", "server_private_key", "password",
        // The port's name behind the Service's, for which the service's number stands.
        "backend_switching_rule_list.0.name", "backend_switching_rule_list.1.name",
    ]

    @Test("a field that is unknown is named in a comment, wherever it stands", arguments: GoldenTests.names)
    func unknownFields(name: String) throws {
        let documents = try Fixture(name).documents
        for place in documents.flatMap(\.root.mappings)
        where !Self.isExempt(place.path) && place.path != "kind=List." {
            let changed = documents.map { $0.root.inserting("zz-unknown", at: place.node) }
            let conversion = convert(
                [.init(name: "in", text: Array(YAMLEmitter.text(of: changed).utf8))], options: Fixture.options)
            #expect(conversion.text.contains("zz-unknown"), "\(name): \(place.path)")
        }
    }

    @Test("another value gives another result, wherever it stands", arguments: GoldenTests.names)
    func values(name: String) throws {
        let documents = try Fixture(name).documents
        let before = convert(
            [.init(name: "in", text: Array(YAMLEmitter.text(of: documents.map(\.root)).utf8))], options: Fixture.options
        )
        for place in documents.flatMap(\.root.scalars) where !Self.isExempt(place.path) {
            let changed = documents.map { $0.root.changing(place.node) }
            let conversion = convert(
                [.init(name: "in", text: Array(YAMLEmitter.text(of: changed).utf8))], options: Fixture.options)
            #expect(conversion.text != before.text, "\(name): \(place.path)")
        }
    }

    private static func isExempt(_ path: String) -> Bool { exceptions.contains { path.contains($0) } }
}

extension Fixture {
    var documents: [YAMLStream.Document] { YAMLStream(parsing: input.text).documents }
}

/// A node and where it stands; nodes are told apart by their lines and columns.
struct Place {
    var path: String
    var node: YAMLNode
}

extension YAMLNode {
    var mappings: [Place] { places("").filter { $0.node.entries != nil } }
    var scalars: [Place] { places("").filter { $0.node.value != nil } }

    private func places(_ path: String) -> [Place] {
        let here = self["kind"]?.string.map { path + "kind=\($0)." } ?? path
        let below =
            (entries ?? []).flatMap { $0.value.places("\(here)\($0.key).") }
            + (elements ?? []).enumerated().flatMap { $0.element.places("\(path)\($0.offset).") }
        return [Place(path: here, node: self)] + below
    }

    func inserting(_ key: String, at target: YAMLNode) -> YAMLNode {
        mapped { node in
            guard node == target, let entries = node.entries else { return node }
            var node = node
            node.content = .mapping(entries + [YAMLEntry(key: key, value: YAMLNode("1"))])
            return node
        }
    }

    func changing(_ target: YAMLNode) -> YAMLNode {
        mapped { node in
            guard node == target else { return node }
            switch node.value {
            case .bool(let flag)?: return YAMLNode(!flag)
            case .integer(let number)?: return YAMLNode(number + 1)
            case .string(let text)?: return YAMLNode(Int(text).map { "\($0 + 1)" } ?? text + "x")
            default: return YAMLNode("x")
            }
        }
    }

    /// Changes nodes from below; the node that is compared is as it was read.
    private func mapped(_ change: (YAMLNode) -> YAMLNode) -> YAMLNode {
        let changed = change(self)
        guard changed == self else { return changed }
        var node = self
        switch content {
        case .scalar: break
        case .sequence(let elements): node.content = .sequence(elements.map { $0.mapped(change) })
        case .mapping(let entries):
            node.content = .mapping(
                entries.map { entry in
                    YAMLEntry(key: entry.key, line: entry.line, column: entry.column, value: entry.value.mapped(change))
                })
        }
        return node
    }
}
