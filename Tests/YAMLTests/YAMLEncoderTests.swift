import Testing
import YAML

@Suite("YAML encoder")
struct YAMLEncoderTests {
    private struct Sample: Codable, Hashable {
        struct Item: Codable, Hashable {
            var name: String
            var port: Int?
        }
        var zebra: String
        var items: [Item]
        var labels: [String: String]
        var empty: [Int]
        var none: [String: Int]
        var share: Double
        var ready: Bool
    }

    @Test("block style, fields in their order, a dictionary's keys sorted")
    func text() throws {
        let sample = Sample(
            zebra: "a", items: [.init(name: "x", port: 80), .init(name: "z")], labels: ["b": "2", "a": "one"],
            empty: [], none: [:], share: 0.5, ready: true)
        let text = try YAMLEncoder().text(sample)
        #expect(
            text == """
                zebra: a
                items:
                - name: x
                  port: 80
                - name: z
                labels:
                  a: one
                  b: "2"
                empty: []
                none: {}
                share: 0.5
                ready: true

                """)
        let node = try #require(YAMLStream(parsing: text.utf8).documents.first).root
        #expect(try YAMLDecoder().decode(Sample.self, from: node).value == sample)
    }

    @Test(
        "quotes only where something else would be read",
        arguments: [
            ("plain", "plain"), ("a b", "a b"), ("10.0.0.1", "\"10.0.0.1\""), ("2001:db8::1", "2001:db8::1"),
            ("y", "\"y\""),
            ("yes", "\"yes\""), ("1.2", "\"1.2\""), ("", "\"\""), ("null", "\"null\""), ("a: b", "'a: b'"),
            ("#x", "'#x'"), ("*.example.com", "'*.example.com'"), ("2026-01-02", "\"2026-01-02\""),
            ("5Mi", "5Mi"), ("http://x", "http://x"), ("é", "é"), ("<<", "\"<<\""), ("a\tb", "\"a\\tb\""),
        ])
    func quotes(value: String, expected: String) throws {
        #expect(try YAMLEncoder().text(["k": value]) == "k: \(expected)\n")
    }

    @Test("several lines become a block")
    func block() throws {
        #expect(try YAMLEncoder().text(["k": "a\nb\n"]) == "k: |\n  a\n  b\n")
    }

    @Test("several documents in one stream")
    func stream() {
        let text = YAMLEmitter.text(of: [YAMLNode("a"), YAMLNode(.mapping([YAMLEntry(key: "b", value: YAMLNode(1))]))])
        #expect(text == "a\n---\nb: 1\n")
        #expect(YAMLStream(parsing: text.utf8).documents.count == 2)
    }

    @Test("any string comes back as it was, as a key and as a value")
    func roundTrip() throws {
        let alphabet = Array("ab \n\t:#-'\"{}[],&*!|>%@\\~01.ye\u{0}\u{7F}\u{85}\u{FEFF}é😀\r\u{2028}".unicodeScalars)
        for _ in 0..<3000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...8) { text.append(alphabet.randomElement() ?? "a") }
            let value = String(text)
            let written = try YAMLEncoder().text([value: [value]])
            let stream = YAMLStream(parsing: written.utf8)
            let entry = try #require(stream.documents.first?.root.entries?.first, "\(written.debugDescription)")
            #expect(Array(entry.key.utf8) == Array(value.utf8), "\(written.debugDescription)")
            #expect(entry.value[0]?.string == value, "\(written.debugDescription)")
        }
    }
}
