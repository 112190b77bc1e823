/// The labels of a series, rendered once: `gateway="edge",listener="db"`. Values may hold anything; names are ours and
/// match `[a-zA-Z_][a-zA-Z0-9_]*`.
public struct LabelSet: Hashable, Sendable {
    /// UTF-8 without braces.
    let rendered: [UInt8]

    public static let empty = LabelSet(rendered: [])

    public init(_ labels: KeyValuePairs<String, String>) {
        var rendered: [UInt8] = []
        for (name, value) in labels { Self.append(name, value, to: &rendered) }
        self.rendered = rendered
    }

    /// These labels and one more.
    public func adding(_ name: String, _ value: some StringProtocol) -> LabelSet {
        var rendered = rendered
        rendered.reserveCapacity(rendered.count + name.utf8.count + value.utf8.count + 4)
        Self.append(name, value, to: &rendered)
        return LabelSet(rendered: rendered)
    }

    private init(rendered: [UInt8]) { self.rendered = rendered }

    private static func append(_ name: String, _ value: some StringProtocol, to output: inout [UInt8]) {
        assert(isName(name), "\(name) is no label name")
        if !output.isEmpty { output.append(UInt8(ascii: ",")) }
        output.append(contentsOf: name.utf8)
        output.append(contentsOf: "=\"".utf8)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): output.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\""): output.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\n"): output.append(contentsOf: #"\n"#.utf8)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}
