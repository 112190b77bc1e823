import Testing
import YAML

private struct Manifest: Codable, Hashable {
    struct Spec: Codable, Hashable {
        struct Port: Codable, Hashable {
            var name: String?
            var port: UInt16
        }
        var ports: [Port]
        var labels: [String: String]?
        var share: Double?
        var ready: Bool?
        var count: IntOrString?
    }
    var kind: String
    var spec: Spec
}

private enum IntOrString: Codable, Hashable {
    case int(Int)
    case string(String)
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .int(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        }
    }
}

@Suite("YAML decoder")
struct YAMLDecoderTests {
    private func decode(_ text: String, unread: Set<String> = []) throws -> YAMLDecoder.Decoded<Manifest> {
        let node = try #require(YAMLStream(parsing: text.utf8).documents.first).root
        let decoder = YAMLDecoder(file: "m.yaml") { $0 == Manifest.Spec.self ? unread : [] }
        return try decoder.decode(Manifest.self, from: node)
    }

    private func problem(_ text: String) -> String? {
        do {
            _ = try decode(text)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("a whole object, in YAML and in JSON")
    func whole() throws {
        let yaml = """
            kind: A
            spec:
              ports: [{port: 80}, {name: x, port: 0x50}, {port: 80.0}]
              labels: {a.b/c: d}
              share: 1
              ready: off
              count: 50%
            """
        let json =
            #"{"kind":"A","spec":{"ports":[{"port":80},{"name":"x","port":80},{"port":80}],"labels":{"a.b/c":"d"},"#
            + #""share":1,"ready":false,"count":"50%","name":null}}"#
        let expected = Manifest(
            kind: "A",
            spec: .init(
                ports: [.init(port: 80), .init(name: "x", port: 80), .init(port: 80)], labels: ["a.b/c": "d"], share: 1,
                ready: false, count: .string("50%")))
        #expect(try decode(yaml).value == expected)
        #expect(try decode(json).value == expected)
    }

    @Test("null counts as absent")
    func null() throws {
        let decoded = try decode("kind: A\nspec: {ports: [], labels: null, count: ~, ready: null}\n")
        #expect(decoded.value == Manifest(kind: "A", spec: .init(ports: [])))
        #expect(decoded.unknownFields.isEmpty)
    }

    @Test(
        "problems name file, line, field and what was found",
        arguments: [
            ("kind: A\nspec:\n  ports:\n  - port: abc\n", "4: spec.ports[0].port: expected an integer, found \"abc\""),
            (
                "kind: A\nspec:\n  ports:\n  - port: 70000\n",
                "4: spec.ports[0].port: expected an integer between 0 and 65535, found 70000"
            ),
            ("kind: A\nspec: {ports: [{port: 1.5}]}\n", "2: spec.ports[0].port: expected an integer, found 1.5"),
            ("kind: A\nspec: {ports: [{port: 1}, {}]}\n", "2: spec.ports[1].port: is required"),
            ("kind: A\nspec: {ports: [{port: null}]}\n", "2: spec.ports[0].port: is required"),
            ("kind: A\nspec: {ports: {}}\n", "2: spec.ports: expected a list, found an object"),
            ("kind: A\nspec: x\n", "2: spec: expected an object, found \"x\""),
            ("kind: 1.2\n", "1: kind: expected a string, found 1.2 (write it in quotes)"),
            (
                "kind: A\nspec: {ports: [], labels: {a.b/c: 1}}\n",
                "2: spec.labels[a.b/c]: expected a string, found 1 (write it in quotes)"
            ),
            ("kind: A\nspec: {ports: [], ready: maybe}\n", "2: spec.ready: expected true or false, found \"maybe\""),
            ("kind: A\nspec: {ports: [null]}\n", "2: spec.ports[0]: expected an object, found null"),
            (
                "kind: A\nspec: {ports: [], ready: \"a\\nb\"}\n",
                "2: spec.ready: expected true or false, found \"a\\nb\""
            ),
            ("- a\n", "1: expected an object, found a list"),
        ])
    func problems(text: String, expected: String) {
        let found = problem(text)
        #expect(found == "m.yaml:\(expected)")
    }

    @Test("unknown fields are reported beside the value, with the nearest name")
    func unknownFields() throws {
        let decoded = try decode(
            "kind: A\nspec:\n  prots: []\n  ports:\n  - {prt: 1, port: 2}\n  zebra: 1\n  selector: {}\nstatus: {}\n",
            unread: ["selector"])
        #expect(
            decoded.unknownFields.map(\.description) == [
                "m.yaml:3: spec.prots: unknown field \"prots\", did you mean \"ports\"?",
                "m.yaml:5: spec.ports[0].prt: unknown field \"prt\", did you mean \"port\"?",
                "m.yaml:6: spec.zebra: unknown field \"zebra\"",
                "m.yaml:8: status: unknown field \"status\"",
            ])
    }

    @Test("a type's own error gets the line of its field")
    func ownError() throws {
        struct Even: Decodable {
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                guard try container.decode(Int.self) % 2 == 0 else {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "is odd")
                }
            }
        }
        let node = try #require(YAMLStream(parsing: "a:\n- 2\n- 3\n".utf8).documents.first).root
        #expect(throws: YAMLProblem(line: 3, column: 3, field: "items[7].a[1]", message: "is odd")) {
            _ = try YAMLDecoder().decode([String: [Even]].self, from: node, prefix: "items[7]")
        }
    }
}
