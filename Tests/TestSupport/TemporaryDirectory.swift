internal import Glibc

/// A new directory, removed with everything in it when the last reference goes.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/sluice-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestFailure("mkdtemp in \(parent) failed: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { remove(directory: path) }

    /// Writes a file, making the directories on its way; returns its absolute path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try makeParents(of: name)
        guard let stream = fopen(file, "w") else { throw TestFailure("cannot write \(file): errno \(errno)") }
        let written = fwrite(bytes, 1, bytes.count, stream)
        guard fclose(stream) == 0, written == bytes.count else { throw TestFailure("cannot write all of \(file)") }
        return file
    }

    /// Writes beside the file and renames over it, as editors and Kubernetes do.
    @discardableResult
    public func replace(_ name: String, with text: String) throws -> String {
        let temporary = try write(text, to: ".\(name.split(separator: "/").joined(separator: "-")).new")
        try makeParents(of: name)
        let file = "\(path)/\(name)"
        guard rename(temporary, file) == 0 else { throw TestFailure("cannot rename to \(file): errno \(errno)") }
        return file
    }

    public func delete(_ name: String) throws {
        guard unlink("\(path)/\(name)") == 0 else { throw TestFailure("cannot delete \(name): errno \(errno)") }
    }

    private func makeParents(of name: String) throws {
        var directory = path
        for part in name.split(separator: "/").dropLast() {
            directory += "/" + part
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
                throw TestFailure("cannot make \(directory): errno \(errno)")
            }
        }
    }
}

private func remove(directory: String) {
    if let stream = opendir(directory) {
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name != ".", name != ".." else { continue }
            let path = "\(directory)/\(name)"
            if unlink(path) != 0 { remove(directory: path) }
        }
    }
    rmdir(directory)
}
