/// Addresses from a text: a block or an address a line, comments from `#` on, empty lines; as lists of them are published.
public struct AddressList: Hashable, Sendable {
    public let addresses: CIDRSet
    /// Blocks and addresses in the text.
    public let count: Int

    /// - Throws: the first line that is neither, by its number; then nothing of the text is used.
    public init(_ text: String) throws(AddressListProblem) {
        var blocks: [CIDR] = []
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let entry = AddressList.trimmed(line.prefix { $0 != UInt8(ascii: "#") })
            if entry.isEmpty { continue }
            guard let text = String(entry), let block = CIDR(text) ?? AddressList.host(text) else {
                throw AddressListProblem(line: number, text: printable(String(decoding: entry, as: UTF8.self), limit: 60))
            }
            blocks.append(block)
        }
        addresses = CIDRSet(blocks)
        count = blocks.count
    }

    /// A bare address stands for itself.
    private static func host(_ text: String) -> CIDR? {
        IPAddress(text).flatMap { CIDR($0, $0.isV4 ? 32 : 128) }
    }

    private static func trimmed(_ line: Substring.UTF8View) -> Substring.UTF8View {
        var line = line
        while let first = line.first, isSpace(first) { line.removeFirst() }
        while let last = line.last, isSpace(last) { line.removeLast() }
        return line
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
}

/// A line of a list that is no address.
public struct AddressListProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    public var line: Int
    /// What stands there, as much as can be shown.
    public var text: String
    public var description: String { "line \(line): \"\(text)\" is no CIDR such as 10.0.0.0/8 or 2001:db8::/32" }
}
