internal import Platform

/// A small file that others replace: its last good content, and whether it has changed since.
struct WatchedFile: Sendable {
    let path: String
    private(set) var content: [UInt8]?
    private var seen: FileStatus?

    init(_ path: String) { self.path = path }

    /// Reads the file where it is not the one that was read last. True: the content has changed.
    ///
    /// - Throws: where it cannot be read, or is empty; the last content stays.
    mutating func refresh() throws(ConfigurationError) -> Bool {
        let status = try? FileStatus(of: path)
        if content != nil, let status, status == seen { return false }
        let new = try contentOf(path)
        seen = status
        guard new != content else { return false }
        content = new
        return true
    }
}

extension PEMSource {
    var path: String? { if case .file(let path) = self { path } else { nil } }
}
