import FoundationEssentials
import KubernetesAPI
import Primitives
import Testing

@testable import KubernetesClient

@Suite("objects cut out of lists and events")
struct JSONCutterTests {
    private static func decoded(_ bytes: [UInt8]) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }

    private static func kept(_ text: String, keepsStatus: Bool = false) -> String? {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            JSONCutter(bytes).kept(0..<bytes.count, keepsStatus: keepsStatus, noise: ["noise", "loud"])
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test("all but what nobody reads stays, byte for byte")
    func kept() {
        #expect(Self.kept("{}") == "{}")
        let all = #"{"a":1.50,"b":[true,null,"x\"}"],"c":{"d":{}}}"#
        #expect(Self.kept(all) == all)
        #expect(Self.kept(#"{"status":{"a":[1]},"spec":{"status":1}}"#) == #"{"spec":{"status":1}}"#)
        #expect(Self.kept(#"{"status":{"a":[1]},"spec":1}"#, keepsStatus: true) == #"{"status":{"a":[1]},"spec":1}"#)
        let metadata =
            #"{ "metadata" : { "name":"a", "managedFields":[{"x":"]"}], "#
            + #""annotations":{"noise":"1","b":"\\","loud":""}, "uid":"u" } }"#
        #expect(Self.kept(metadata) == #"{"metadata":{"name":"a","annotations":{"b":"\\"},"uid":"u"}}"#)
        #expect(Self.kept("{\"a\":\n [1,\r\n 2]}") == #"{"a":[1, 2]}"#, "one line")
        let none = #"{"metadata":null,"a":{"managedFields":1}}"#
        #expect(Self.kept(none) == none)
        #expect(Self.kept(#"{"metadata":{"annotations":null}}"#) == #"{"metadata":{"annotations":null}}"#)
    }

    @Test("what is no object gives nothing, wherever it is cut off")
    func broken() {
        let text = #"{"metadata":{"name":"a","annotations":{"b":"\\"}},"spec":{"x":[1,{"y":"z"}]}}"#
        for end in 0..<text.utf8.count { #expect(Self.kept(String(text.prefix(end))) == nil, "\(end)") }
        for bad in [
            "[1]", "1", "\"a\"", "{\"a\" 1}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\\",
        ] {
            #expect(Self.kept(bad) == nil, "\(bad)")
        }
    }

    @Test("any list is taken apart into what decoding it gives", arguments: 0..<200 as Range<UInt64>)
    func lists(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let items = (0..<Int.random(in: 0...5, using: &random)).map { _ in JSONValue.object(Self.fields(3, &random)) }
        let list: JSONValue = .object([
            "kind": .string("List"), "metadata": .object(Self.fields(2, &random)), "items": .array(items),
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = seed % 2 == 0 ? [.prettyPrinted] : []
        let bytes = Array(try encoder.encode(list))
        try bytes.withUnsafeBufferPointer { buffer in
            let cutter = JSONCutter(buffer)
            let ranges = try #require(cutter.value(of: "items").flatMap { cutter.elements(of: $0) })
            try #require(ranges.count == items.count)
            for (range, item) in zip(ranges, items) {
                let text = try #require(cutter.kept(range, keepsStatus: false, noise: ["noise"]))
                #expect(!text.contains(0x0a))
                #expect(try Self.decoded(text) == Self.stripped(item))
            }
        }
    }

    /// What ``JSONCutter/kept(_:keepsStatus:noise:)`` leaves, by the values.
    private static func stripped(_ item: JSONValue) -> JSONValue {
        guard var fields = item.fields else { return item }
        fields["status"] = nil
        if var metadata = fields["metadata"]?.fields {
            metadata["managedFields"] = nil
            if var annotations = metadata["annotations"]?.fields {
                annotations["noise"] = nil
                metadata["annotations"] = .object(annotations)
            }
            fields["metadata"] = .object(metadata)
        }
        return .object(fields)
    }

    private static let names = [
        "metadata", "status", "managedFields", "annotations", "noise", "spec", "a\"b", "ü\n", "\\", "{", "]", "",
    ]

    private static func fields(_ depth: Int, _ random: inout SplitMix64) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [:]
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            fields[names.randomElement(using: &random) ?? ""] = value(depth, &random)
        }
        return fields
    }

    private static func value(_ depth: Int, _ random: inout SplitMix64) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 6 : 4), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .integer(Int64.random(in: -99...99, using: &random))
        case 3: .number(0.5)
        case 4: .string((names.randomElement(using: &random) ?? "") + "}],\"")
        case 5: .array((0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth - 1, &random) })
        default: .object(fields(depth - 1, &random))
        }
    }
}
