/// Finds values in JSON without decoding it, so that an object can be kept as it was sent. The text was decoded before, or will
/// be: what is no JSON is answered by nil, and nothing is proven about the rest.
struct JSONCutter {
    typealias Text = UnsafeBufferPointer<UInt8>

    private let text: Text

    init(_ text: Text) { self.text = text }

    /// The range of the value of a field of the object that begins at `start`.
    func value(of field: StaticString, from start: Int = 0) -> Range<Int>? {
        var found: Range<Int>?
        guard fields(from: start, { key, value in if matches(key, field) { found = value } }) != nil else { return nil }
        return found
    }

    /// The ranges of an array's elements.
    func elements(of range: Range<Int>) -> [Range<Int>]? {
        var result: [Range<Int>] = []
        let end = list(from: range.lowerBound, UInt8(ascii: "["), UInt8(ascii: "]")) { at in
            guard let end = skipValue(at) else { return nil }
            result.append(at..<end)
            return end
        }
        return end == nil ? nil : result
    }

    /// The object in `range` in one line, without what nobody reads: metadata.managedFields, annotations of `noise`, and
    /// the status where `keepsStatus` is false.
    func kept(_ range: Range<Int>, keepsStatus: Bool, noise: Set<String>) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(range.count)
        let isWhole = copyObject(from: range.lowerBound, to: &output) { key, value, output in
            if !keepsStatus, matches(key, "status") { return .drop }
            guard matches(key, "metadata") else { return .keep }
            let isCut = copyObject(from: value.lowerBound, to: &output) { key, value, output in
                if matches(key, "managedFields") { return .drop }
                guard matches(key, "annotations") else { return .keep }
                let isCut = copyObject(from: value.lowerBound, to: &output) { key, _, _ in
                    noise.contains(String(decoding: text[key.dropFirst().dropLast()], as: UTF8.self)) ? .drop : .keep
                }
                return isCut ? .written : .keep
            }
            return isCut ? .written : .keep
        }
        return isWhole ? output : nil
    }

    private enum Choice { case keep, drop, written }

    /// Copies an object's fields, each as `choose` says: it may write the value itself. False where there is no object; then
    /// `output` is as before.
    private func copyObject(
        from start: Int, to output: inout [UInt8], _ choose: (Range<Int>, Range<Int>, inout [UInt8]) -> Choice
    ) -> Bool {
        let before = output.count
        var isFirst = true
        output.append(UInt8(ascii: "{"))
        let end = fields(from: start) { key, value in
            let beforeField = output.count
            if !isFirst { output.append(UInt8(ascii: ",")) }
            copy(key, to: &output)
            output.append(UInt8(ascii: ":"))
            switch choose(key, value, &output) {
            case .keep: copy(value, to: &output)
            case .written: break
            case .drop:
                output.removeSubrange(beforeField...)
                return
            }
            isFirst = false
        }
        guard end != nil else {
            output.removeSubrange(before...)
            return false
        }
        output.append(UInt8(ascii: "}"))
        return true
    }

    /// Line ends stand only between values: in a string they are escaped.
    private func copy(_ range: Range<Int>, to output: inout [UInt8]) {
        let part = text[range]
        if part.contains(where: { $0 == 0x0a || $0 == 0x0d }) {
            output += part.filter { $0 != 0x0a && $0 != 0x0d }
        } else {
            output += part
        }
    }

    private func matches(_ key: Range<Int>, _ name: StaticString) -> Bool {
        key.count == name.utf8CodeUnitCount + 2
            && name.withUTF8Buffer { text[key.dropFirst().dropLast()].elementsEqual($0) }
    }

    // MARK: Walking

    /// Calls `body` with the ranges of each field's name, quotes included, and value. Returns the end of the object.
    private func fields(from start: Int, _ body: (Range<Int>, Range<Int>) -> Void) -> Int? {
        list(from: start, UInt8(ascii: "{"), UInt8(ascii: "}")) { at in
            guard at < text.count, text[at] == UInt8(ascii: "\""), let keyEnd = skipString(at) else { return nil }
            let colon = skipBlanks(keyEnd)
            guard colon < text.count, text[colon] == UInt8(ascii: ":") else { return nil }
            let start = skipBlanks(colon + 1)
            guard let end = skipValue(start) else { return nil }
            body(at..<keyEnd, start..<end)
            return end
        }
    }

    /// What stands between two brackets, separated by commas: `next` takes one and returns where it ends.
    private func list(
        from start: Int, _ opening: UInt8, _ closing: UInt8, _ next: (Int) -> Int?
    ) -> Int? {
        var at = skipBlanks(start)
        guard at < text.count, text[at] == opening else { return nil }
        at = skipBlanks(at + 1)
        if at < text.count, text[at] == closing { return at + 1 }
        while at < text.count {
            guard let end = next(at) else { return nil }
            at = skipBlanks(end)
            guard at < text.count else { return nil }
            if text[at] == closing { return at + 1 }
            guard text[at] == UInt8(ascii: ",") else { return nil }
            at = skipBlanks(at + 1)
        }
        return nil
    }

    private func skipBlanks(_ start: Int) -> Int {
        var at = start
        while at < text.count, [0x20, 0x0a, 0x0d, 0x09].contains(text[at]) { at += 1 }
        return at
    }

    /// `start` is at the opening quote.
    private func skipString(_ start: Int) -> Int? {
        var at = start + 1
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""): return at + 1
            case UInt8(ascii: "\\"): at += 2
            default: at += 1
            }
        }
        return nil
    }

    /// The end of any value: brackets are counted, whatever stands between them.
    private func skipValue(_ start: Int) -> Int? {
        guard start < text.count else { return nil }
        switch text[start] {
        case UInt8(ascii: "\""): return skipString(start)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return skipBrackets(start)
        default:
            // A number, true, false or null.
            let end = text[start...].firstIndex { [0x20, 0x0a, 0x0d, 0x09, 0x2c, 0x5d, 0x7d].contains($0) }
            return end == start ? nil : end ?? text.count
        }
    }

    private func skipBrackets(_ start: Int) -> Int? {
        var (at, depth) = (start, 0)
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""):
                guard let end = skipString(at) else { return nil }
                at = end
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            at += 1
            if depth == 0 { return at }
        }
        return nil
    }
}
