/// Makes names that Kubernetes takes.
enum Names {
    /// Lower case letters, digits and inner hyphens, at most `limit` characters; `fallback` where nothing is left.
    static func label(_ text: String, limit: Int = 63, fallback: String = "converted") -> String {
        var name = ""
        for byte in text.lowercased().utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            default: if !name.isEmpty, name.last != "-" { name += "-" }
            }
        }
        name = String(name.prefix(limit))
        while name.last == "-" { name.removeLast() }
        return name.isEmpty ? fallback : name
    }

    /// The name, or the name with the first number that makes it another than those taken.
    static func unused(_ name: String, in taken: inout Set<String>) -> String {
        var candidate = name
        var number = 2
        while !taken.insert(candidate).inserted {
            let suffix = "-\(number)"
            candidate = String(name.prefix(63 - suffix.count)) + suffix
            number += 1
        }
        return candidate
    }
}
