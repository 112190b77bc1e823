/// Bytes as a line that people can read: what is no printable ASCII is escaped as in many languages (`\r`, `\n`, `\t`, `\\`, `\"`,
/// `\x1f`), and of more than `limit` bytes the rest is left out (`…`).
public func printable(_ bytes: some Collection<UInt8>, limit: Int = 256) -> String {
    var text = ""
    for byte in bytes.prefix(limit) {
        switch byte {
        case UInt8(ascii: "\r"): text += "\\r"
        case UInt8(ascii: "\n"): text += "\\n"
        case UInt8(ascii: "\t"): text += "\\t"
        case UInt8(ascii: "\\"): text += "\\\\"
        case UInt8(ascii: "\""): text += "\\\""
        case 0x20..<0x7f: text.unicodeScalars.append(Unicode.Scalar(byte))
        default: text += byte < 16 ? "\\x0" + String(byte, radix: 16) : "\\x" + String(byte, radix: 16)
        }
    }
    return bytes.count > limit ? text + "…" : text
}
