/// Addresses from a text: a block or an address a line, comments from `#` on, empty lines; as lists of them are published.
public struct AddressList: Hashable, Sendable {
    public let addresses: CIDRSet
    /// Blocks and addresses in the text.
    public let count: Int

    /// - Throws: the first line that is neither, by its number; then nothing of the text is used.
    public init(_ text: String) throws(AddressListProblem) { try self.init(utf8: Array(text.utf8)) }

    /// From the text's bytes, with or without a byte order mark.
    ///
    /// - Throws: as ``init(_:)``.
    public init(utf8 text: [UInt8]) throws(AddressListProblem) {
        var blocks: [CIDR] = []
        var number = 0
        var rest = text.starts(with: [0xef, 0xbb, 0xbf]) ? text.dropFirst(3) : text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            number += 1
            let entry = AddressList.entry(rest[..<end])
            rest = end == rest.endIndex ? [] : rest[(end + 1)...]
            if entry.isEmpty { continue }
            guard let block = CIDR(utf8: entry) ?? AddressList.host(entry) else {
                throw AddressListProblem(
                    line: number, text: printable(String(decoding: entry, as: UTF8.self), limit: 60))
            }
            blocks.append(block)
        }
        addresses = CIDRSet(blocks)
        count = blocks.count
    }

    /// A bare address stands for itself.
    private static func host(_ text: ArraySlice<UInt8>) -> CIDR? {
        IPAddress(utf8: text).flatMap { CIDR($0, $0.isV4 ? 32 : 128) }
    }

    /// A line without its comment and the blanks around it.
    private static func entry(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (first, end) = (line.startIndex, line.firstIndex(of: UInt8(ascii: "#")) ?? line.endIndex)
        while first < end, isBlank(line[first]) { first += 1 }
        while first < end, isBlank(line[end - 1]) { end -= 1 }
        return line[first..<end]
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
}

/// A line of a list that is no address.
public struct AddressListProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    /// What stands there, as much as can be shown.
    public var text: String

    public init(line: Int, text: String) { (self.line, self.text) = (line, text) }

    public var description: String { "line \(line): \"\(text)\" is no CIDR such as 10.0.0.0/8 or 2001:db8::/32" }
}
