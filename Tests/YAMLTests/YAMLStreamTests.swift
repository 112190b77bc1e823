import Testing
import YAML

@Suite("YAML stream")
struct YAMLStreamTests {
    private func root(_ text: String) throws -> YAMLNode {
        let stream = YAMLStream(parsing: text.utf8)
        #expect(stream.problem == nil)
        return try #require(stream.documents.first).root
    }

    @Test("documents are split, and empty ones are null")
    func documents() throws {
        let stream = YAMLStream(parsing: "a: 1\n---\n# nothing\n---\nb: 2\n".utf8)
        #expect(stream.problem == nil)
        #expect(stream.documents.count == 3)
        #expect(stream.documents[1].root.isNull)
        #expect(stream.documents[2].root["b"]?.value == .integer(2))
        #expect(stream.documents[2].root.line == 5)
    }

    @Test("nothing, blanks and comments hold no document", arguments: ["", "\n\n", "# only a comment\n"])
    func empty(text: String) {
        let stream = YAMLStream(parsing: text.utf8)
        #expect(stream.documents.isEmpty)
        #expect(stream.problem == nil)
    }

    @Test("every node knows its line and column")
    func positions() throws {
        let node = try root("spec:\n  listeners:\n  - name: a\n    port: 80\n")
        let port = try #require(node["spec"]?["listeners"]?[0]?["port"])
        #expect((port.line, port.column) == (4, 11))
        #expect(node["spec"]?.entries?.first?.line == 2)
    }

    @Test("quotes and blocks make strings of what would be a number")
    func styles() throws {
        let node = try root("a: '1'\nb: \"yes\"\nc: |\n  1\nd: >-\n  on\ne: !!str 5\nf: !!int '6'\n")
        #expect(node["a"]?.value == .string("1"))
        #expect(node["b"]?.value == .string("yes"))
        #expect(node["c"]?.value == .string("1\n"))
        #expect(node["d"]?.value == .string("on"))
        #expect(node["e"]?.value == .string("5"))
        #expect(node["f"]?.value == .integer(6))
    }

    @Test("a key given twice is a problem with both lines, and the tree stays readable")
    func duplicates() throws {
        let stream = YAMLStream(
            parsing: "kind: Gateway\nspec:\n  a: 1\n  b: 2\n  a: 3\n---\nok: 1\n".utf8, file: "g.yaml")
        #expect(stream.problem == nil)
        #expect(stream.documents.count == 2)
        #expect(stream.documents[0].root["kind"]?.string == "Gateway")
        #expect(
            stream.documents[0].problems.map(\.description) == [
                "g.yaml:5: the key \"a\" is given twice (first in line 3)"
            ])
        #expect(stream.documents[1].problems.isEmpty)
    }

    @Test("keys are strings, as in JSON")
    func keys() throws {
        let node = try root("1: a\non: b\n0x10: c\n1.5: d\n")
        #expect(node.entries?.map(\.key) == ["1", "true", "16", "1.5"])
    }

    @Test("keys that cannot be strings are problems", arguments: ["? [a]\n: b\n", "~: b\n", "? {a: b}\n: c\n"])
    func badKeys(text: String) throws {
        let document = try #require(YAMLStream(parsing: text.utf8).documents.first)
        #expect(document.problems.count == 1)
        #expect(document.problems.first?.message.hasPrefix("a key must be text") == true)
    }

    @Test("anchors, aliases and merge keys")
    func aliases() throws {
        let node = try root("base: &b {x: 1, z: 2}\nuse:\n  <<: *b\n  z: 3\nlist: [*b, *b]\n")
        #expect(node["use"]?["x"]?.value == .integer(1))
        #expect(node["use"]?["z"]?.value == .integer(3))
        #expect(node["list"]?[1]?["z"]?.value == .integer(2))
    }

    @Test("an alias without its anchor, or inside it, is a problem", arguments: ["a: *x\n", "a: &x [*x]\n"])
    func danglingAlias(text: String) throws {
        let document = try #require(YAMLStream(parsing: text.utf8).documents.first)
        #expect(document.problems.first?.message.contains("anchor that is not defined") == true)
    }

    @Test("a billion laughs end at the limit")
    func billionLaughs() {
        var text = "l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1...12 {
            let row = Array(repeating: "*l\(level - 1)", count: 10).joined(separator: ",")
            text += "l\(level): &l\(level) [\(row)]\n"
        }
        let stream = YAMLStream(parsing: text.utf8)
        #expect(stream.documents.isEmpty)
        #expect(stream.problem?.message == "aliases repeat more than 100000 nodes")
    }

    @Test("nesting ends at the limit", arguments: ["[", "{a: ", "- "])
    func depth(unit: String) {
        let stream = YAMLStream(parsing: String(repeating: unit, count: 5000).utf8)
        #expect(stream.problem != nil)
        let shallow = String(repeating: "[", count: 90) + String(repeating: "]", count: 90)
        #expect(YAMLStream(parsing: shallow.utf8).problem == nil)
    }

    @Test("a syntax error has its line, and keeps the documents before it")
    func syntaxError() {
        let stream = YAMLStream(parsing: "a: 1\n---\nb: [1, 2\nc: 3\n".utf8, file: "x.yaml")
        #expect(stream.documents.map(\.root["a"]?.value) == [.integer(1)])
        #expect(stream.problem?.line == 4)
        #expect(stream.problem?.file == "x.yaml")
    }

    @Test(
        "bytes that are no text are refused in words", arguments: [[0xFF, 0x41], [0x61, 0x00], [0xC3], [0x1B, 0x5B]])
    func notText(bytes: [UInt8]) {
        #expect(YAMLStream(parsing: bytes).problem?.message.hasPrefix("not text") == true)
    }

    @Test("whatever is cut off or changed in a manifest, reading it ends")
    func mutations() {
        let text = Array(
            """
            apiVersion: v1
            kind: List
            items: &a
            - {metadata: {name: "x\\u00e9", labels: {a: 'b'}}, <<: *a}
            - metadata: !!map
                name: |
                  block
            ---
            {"json": [1, -2.5e3, null, "\\ud83d\\ude00"]}
            """.utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var changed = text
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                changed[Int.random(in: 0..<changed.count)] =
                    "{}[]:,-&*!|>'\"%@\\\t\n a0~\u{0}".utf8.randomElement() ?? 0
            }
            let cut = changed.prefix(Int.random(in: 0...changed.count))
            for document in YAMLStream(parsing: cut).documents { _ = document.root.text }
        }
    }
}

@Suite("JSON through the YAML door")
struct JSONTests {
    @Test("escapes, tabs, nesting and long lines")
    func json() throws {
        let text =
            "\t{\n\t\"a\": \"x\\u00e9\\n\\/\\\"\",\n\t\"e\":\"\\uD83D\\uDE00\", \"lone\": \"\\ud83d!\","
            + "\n\t\"n\": [1,-2,3.5,1e3,true,false,null], \"o\":{}, \"url\":\"http://x\"}\n"
        let stream = YAMLStream(parsing: text.utf8)
        #expect(stream.problem == nil)
        let node = try #require(stream.documents.first).root
        #expect(node["a"]?.string == "xé\n/\"")
        #expect(node["e"]?.string == "😀")
        #expect(node["lone"]?.string == "\u{FFFD}!")
        #expect(
            node["n"]?.elements?.map(\.value) == [
                .integer(1), .integer(-2), .float(3.5), .float(1000), .bool(true), .bool(false), .null,
            ])
        #expect(node["o"]?.entries == [])
        #expect(node["url"]?.string == "http://x")
        #expect(node["n"]?.line == 4)
    }

    @Test("YAML that is no JSON keeps its backslashes")
    func plainBackslashes() throws {
        let node = try #require(YAMLStream(parsing: "a: '\\ud83d\\ude00'\n".utf8).documents.first).root
        #expect(node["a"]?.string == "\\ud83d\\ude00")
    }

    @Test("keys and values as long as JSON may have them")
    func long() throws {
        let value = String(repeating: "v", count: 200_000)
        let key = String(repeating: "k", count: 900)
        let node = try #require(YAMLStream(parsing: "{\"\(key)\":\"\(value)\"}".utf8).documents.first).root
        #expect(node[key]?.string == value)
    }
}
