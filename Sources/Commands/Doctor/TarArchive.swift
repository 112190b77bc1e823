/// A tar archive (POSIX.1-1988 ustar) of plain files. Values only.
struct TarArchive: Hashable, Sendable {
    private(set) var bytes: [UInt8] = []
    /// Seconds since 1970, of all files.
    private let modified: Int64

    private static let block = 512

    init(modified: Int64) { self.modified = max(0, modified) }

    /// Adds a file that its owner alone may read. `name` with slashes, relative, at most 100 bytes; false: it is longer, or the
    /// file greater than the format's 8 GiB.
    mutating func add(_ name: String, _ content: [UInt8]) -> Bool {
        guard name.utf8.count <= 100, content.count < 1 << 33 else { return false }
        bytes += header(name, content.count)
        bytes += content
        bytes += [UInt8](repeating: 0, count: (TarArchive.block - content.count % TarArchive.block) % TarArchive.block)
        return true
    }

    /// With its end: two empty blocks.
    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 2 * TarArchive.block) }

    private func header(_ name: String, _ size: Int) -> [UInt8] {
        var header: [UInt8] = []
        func text(_ text: String, _ width: Int) {
            header += Array(text.utf8) + [UInt8](repeating: 0, count: width - text.utf8.count)
        }
        /// Octal digits, ended by a zero byte.
        func number(_ value: Int, _ width: Int) {
            let digits = String(value, radix: 8)
            text(String(repeating: "0", count: width - 1 - digits.utf8.count) + digits, width)
        }
        text(name, 100)
        number(0o600, 8)
        number(0, 8)
        number(0, 8)
        number(size, 12)
        number(Int(modified), 12)
        let sumPlace = header.count
        text("        ", 8)
        // A plain file.
        text("0", 1)
        text("", 100)
        text("ustar", 6)
        text("00", 2)
        header += [UInt8](repeating: 0, count: TarArchive.block - header.count)
        let digits = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        let sum = String(repeating: "0", count: 6 - digits.utf8.count) + digits + "\0 "
        header.replaceSubrange(sumPlace..<sumPlace + 8, with: sum.utf8)
        return header
    }
}
