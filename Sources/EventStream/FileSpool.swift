internal import Platform

/// A spool in a directory: segments that are appended to, and a file that says how far the first of them is done. What was
/// appended is there after a crash of the process; nothing is flushed to the disk by force.
struct FileSpool: EventSpool {
    private struct Segment {
        let number: UInt64
        var size: Int
    }

    private let directory: String
    private let segmentSize: Int
    private var segments: [Segment] = []
    /// Bytes of the first segment that are done.
    private var done = 0
    private(set) var size = 0
    /// The highest number there was.
    private var highest: UInt64 = 0

    private static let suffix = ".events"

    /// Takes over what is there; a last line that was torn is cut off.
    init(_ directory: String, segmentSize: Int = 1 << 20) throws(Errno) {
        (self.directory, self.segmentSize) = (directory, segmentSize)
        let numbers = try listDirectory(directory).compactMap(FileSpool.number).sorted()
        for number in numbers {
            let path = path(of: number)
            let size = try FileSpool.wholeSize(path)
            segments.append(Segment(number: number, size: size))
            highest = number
        }
        try readDone()
        size = segments.reduce(0) { $0 + $1.size } - done
    }

    private func path(of number: UInt64) -> String {
        let digits = String(number)
        return "\(directory)/\(String(repeating: "0", count: max(0, 20 - digits.count)))\(digits)\(FileSpool.suffix)"
    }

    func lineCount() throws(Errno) -> UInt64 {
        var (count, offset) = (UInt64(0), done)
        for segment in segments {
            while offset < segment.size {
                let part = try SpoolFiles.read(path(of: segment.number), at: offset, 1 << 20)
                guard !part.isEmpty else { break }
                count += UInt64(part[...].lineCount)
                offset += part.count
            }
            offset = 0
        }
        return count
    }

    private var donePath: String { "\(directory)/done" }

    private static func number(_ name: String) -> UInt64? {
        name.hasSuffix(suffix) ? UInt64(name.dropLast(suffix.count)) : nil
    }

    /// The size of a segment without a line that was torn, which is cut off.
    private static func wholeSize(_ path: String) throws(Errno) -> Int {
        var (offset, whole) = (0, 0)
        while true {
            let part = try SpoolFiles.read(path, at: offset, 1 << 20)
            if part.isEmpty { break }
            if let end = part.lastIndex(of: UInt8(ascii: "\n")) { whole = offset + end + 1 }
            offset += part.count
        }
        if whole < offset { try SpoolFiles.truncate(path, to: whole) }
        return whole
    }

    /// Segments before the one that `done` names were finished, and only their removal was not.
    private mutating func readDone() throws(Errno) {
        var bytes: [UInt8] = []
        do throws(Errno) { bytes = try readFile(donePath, limit: 256) } catch { if error != .noEntry { throw error } }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let number = UInt64(words[0]), let offset = Int(words[1]) else { return }
        highest = max(highest, number)
        while let first = segments.first, first.number < number { try removeFirst() }
        if let first = segments.first, first.number == number, (0...first.size).contains(offset) { done = offset }
    }

    private mutating func removeFirst() throws(Errno) {
        try SpoolFiles.remove(path(of: segments[0].number))
        segments.removeFirst()
    }

    mutating func append(_ lines: [UInt8]) throws(Errno) {
        if let last = segments.last, last.size < segmentSize {
            try SpoolFiles.append(lines, to: path(of: last.number))
            segments[segments.count - 1].size += lines.count
        } else {
            // Never the number of one that was there: `done` may still name it.
            let number = highest + 1
            try SpoolFiles.append(lines, to: path(of: number))
            segments.append(Segment(number: number, size: lines.count))
            highest = number
        }
        size += lines.count
    }

    func front(_ most: Int) throws(Errno) -> [UInt8] {
        guard let first = segments.first, size > 0 else { return [] }
        let wanted = min(most, first.size - done)
        let bytes = try SpoolFiles.read(path(of: first.number), at: done, wanted)
        let lines = bytes[...].wholeLines(wanted)
        if !lines.isEmpty { return Array(lines) }
        // One line that is longer than what was asked for.
        return Array(try SpoolFiles.read(path(of: first.number), at: done, first.size - done)[...].wholeLines(1))
    }

    mutating func remove(_ count: Int) throws(Errno) {
        guard let first = segments.first else { return }
        (done, size) = (done + count, size - count)
        if done < first.size {
            try SpoolFiles.replace(donePath, with: Array("\(first.number) \(done)\n".utf8))
            return
        }
        done = 0
        try removeFirst()
    }
}
