internal import Platform

/// Lines that wait, first in first out. Not for several threads at once.
protocol EventSpool: Sendable {
    /// Bytes that wait.
    var size: Int { get }
    /// Lines that wait.
    func lineCount() throws(Errno) -> UInt64
    /// Adds whole lines; all of them or none.
    mutating func append(_ lines: [UInt8]) throws(Errno)
    /// Whole lines from the front: no more bytes than that, but at least one line where there is any.
    func front(_ most: Int) throws(Errno) -> [UInt8]
    /// Takes so many bytes, a number of whole lines, from the front.
    mutating func remove(_ count: Int) throws(Errno)
}

/// A spool that ends with the process.
struct MemorySpool: EventSpool {
    private var bytes: [UInt8] = []
    private var start = 0

    var size: Int { bytes.count - start }

    func lineCount() -> UInt64 { UInt64(bytes[start...].lineCount) }

    mutating func append(_ lines: [UInt8]) { bytes += lines }

    func front(_ most: Int) -> [UInt8] { Array(bytes[start...].wholeLines(most)) }

    mutating func remove(_ count: Int) {
        start += count
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            start = 0
        } else if start > bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whole lines from the front; more than `most` bytes only where the first line has more.
    func wholeLines(_ most: Int) -> ArraySlice<UInt8> {
        let newline = UInt8(ascii: "\n")
        if let end = prefix(most).lastIndex(of: newline) { return self[startIndex...end] }
        guard let end = firstIndex(of: newline) else { return [] }
        return self[startIndex...end]
    }

    /// As many whole lines as so many bytes hold; maybe none.
    func wholeLines(within most: Int) -> ArraySlice<UInt8> {
        guard let end = prefix(Swift.max(0, most)).lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        return self[startIndex...end]
    }

    var lineCount: Int { reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) } }

    /// The first so many lines.
    func firstLines(_ count: Int) -> ArraySlice<UInt8> {
        var left = count
        for (index, byte) in zip(indices, self) where byte == UInt8(ascii: "\n") {
            left -= 1
            if left == 0 { return self[startIndex...index] }
        }
        return self
    }
}
