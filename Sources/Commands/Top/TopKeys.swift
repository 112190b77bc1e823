/// A key, as a terminal in raw mode sends it.
enum TopKey: Hashable, Sendable {
    case character(Character)
    case enter, escape, backspace, tab
    case up, down, left, right, pageUp, pageDown, home, end
    /// Ctrl-C, Ctrl-D.
    case interrupt

    /// The keys of what was read at once. A sequence that is not known says nothing.
    static func keys(_ bytes: [UInt8]) -> [TopKey] {
        var keys: [TopKey] = []
        var rest = bytes[...]
        while let byte = rest.first {
            switch byte {
            case 0x1b: escaped(&rest).map { keys.append($0) }
            case 0x80...: keys += text(&rest)
            default:
                rest.removeFirst()
                plain(byte).map { keys.append($0) }
            }
        }
        return keys
    }

    private static func plain(_ byte: UInt8) -> TopKey? {
        switch byte {
        case 0x03, 0x04: .interrupt
        case 0x08, 0x7f: .backspace
        case 0x09: .tab
        case 0x0a, 0x0d: .enter
        case 0x20..<0x7f: .character(Character(Unicode.Scalar(byte)))
        default: nil
        }
    }

    /// Characters beyond ASCII.
    private static func text(_ rest: inout ArraySlice<UInt8>) -> [TopKey] {
        let bytes = rest.prefix { $0 >= 0x80 }
        rest = rest.dropFirst(bytes.count)
        return String(decoding: bytes, as: UTF8.self).filter { $0 != "\u{fffd}" }.map { .character($0) }
    }

    /// `ESC [ A`, `ESC O A`, `ESC [ 5 ~`, or the key alone.
    private static func escaped(_ rest: inout ArraySlice<UInt8>) -> TopKey? {
        rest.removeFirst()
        guard let kind = rest.first, kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else { return .escape }
        rest.removeFirst()
        let parameters = rest.prefix { (0x20...0x3f).contains($0) }
        rest = rest.dropFirst(parameters.count)
        guard let final = rest.popFirst() else { return nil }
        return named(String(decoding: parameters, as: UTF8.self), Character(Unicode.Scalar(final)))
    }

    private static func named(_ parameters: String, _ final: Character) -> TopKey? {
        switch (parameters, final) {
        case (_, "A"): .up
        case (_, "B"): .down
        case (_, "C"): .right
        case (_, "D"): .left
        case (_, "H"), ("1", "~"), ("7", "~"): .home
        case (_, "F"), ("4", "~"), ("8", "~"): .end
        case ("5", "~"): .pageUp
        case ("6", "~"): .pageDown
        default: nil
        }
    }
}
