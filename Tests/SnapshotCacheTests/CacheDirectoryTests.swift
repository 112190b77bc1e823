import Glibc
import Platform
import TestSupport
import Testing

@testable import SnapshotCache

@Suite("the cache's directory")
struct CacheDirectoryTests {
    private let folder: TemporaryDirectory
    private let path: String
    private var file: String { "\(path)/\(CacheDirectory.fileName)" }

    init() throws {
        folder = try TemporaryDirectory()
        path = folder.path + "/cache"
    }

    private func write(_ text: String) throws { try CacheDirectory(path).write(WipedBytes(Array(text.utf8))) }

    private func read() throws -> String { String(decoding: try CacheDirectory(path).read().bytes, as: UTF8.self) }

    /// Why it is not read.
    private func problem() -> CacheProblem? {
        do throws(CacheProblem) {
            _ = try CacheDirectory(path).read()
            return nil
        } catch { return error }
    }

    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("it is made for its owner alone, whatever the umask, and the file replaced as a whole")
    func made() throws {
        #expect(problem() == .absent)
        #expect(mode(path) == 0o700)
        try write("one")
        #expect(mode(file) == 0o600)
        try write("two, which is longer")
        #expect(try read() == "two, which is longer")
        try write("3")
        #expect(try read() == "3")
        #expect(try listDirectory(path) == [CacheDirectory.fileName])
    }

    @Test("what a process left that ended on the way is in nobody's way")
    func leftover() throws {
        try write("good")
        try folder.write("half", to: "cache/cluster.cache.new")
        #expect(try read() == "good")
        try write("better")
        #expect(try read() == "better")
        #expect(try listDirectory(path) == [CacheDirectory.fileName])
    }

    @Test("what could not be put in its place is taken away again")
    func failedWrite() throws {
        _ = try CacheDirectory(path)
        #expect(mkdir(file, 0o700) == 0)
        #expect(throws: CacheProblem.self) { try write("no room for it") }
        #expect(try listDirectory(path) == [CacheDirectory.fileName])
    }

    @Test("a file that is larger than any of ours is not read into memory")
    func large() throws {
        try write("good")
        #expect(truncate(file, off_t(CacheHeader.largest) + 1) == 0)
        #expect(problem() == .tooLarge(CacheHeader.largest + 1))
    }

    @Test("a directory that others can enter is not believed", arguments: [0o750, 0o701, 0o770, 0o777, 0o704])
    func openDirectory(mode: Int) throws {
        try write("good")
        #expect(chmod(path, mode_t(mode)) == 0)
        guard case .unsafe(let words)? = problem() else { throw TestFailure("\(String(describing: problem()))") }
        #expect(words.contains(String(mode, radix: 8)))
        #expect(throws: CacheProblem.self) { try write("more") }
    }

    @Test("a file that others can read or write is not believed", arguments: [0o640, 0o604, 0o660, 0o606])
    func openFile(mode: Int) throws {
        try write("good")
        #expect(chmod(file, mode_t(mode)) == 0)
        guard case .unsafe? = problem() else { throw TestFailure("\(String(describing: problem()))") }
        try write("ours again")
        #expect(try read() == "ours again")
    }

    @Test("links, pipes, directories and second names in the file's place are not believed")
    func foreign() throws {
        try write("good")
        let elsewhere = try folder.write("planted", to: "elsewhere")
        #expect(chmod(elsewhere, 0o600) == 0)
        for plant in [
            { symlink(elsewhere, file) }, { link(elsewhere, file) }, { mkfifo(file, 0o600) }, { mkdir(file, 0o700) },
        ] {
            if unlink(file) != 0 { rmdir(file) }
            #expect(plant() == 0)
            guard case .unsafe? = problem() else { throw TestFailure("\(String(describing: problem()))") }
        }
        rmdir(file)
        // A link in the place of what is written is not followed either.
        #expect(symlink(elsewhere, path + "/cluster.cache.new") == 0)
        try write("good")
        #expect(try read() == "good")
        #expect(String(decoding: try readFile(elsewhere), as: UTF8.self) == "planted")
    }

    @Test("a link in the directory's place is not believed, nor a file")
    func linkedDirectory() throws {
        try write("good")
        #expect(rename(path, path + "2") == 0 && symlink(path + "2", path) == 0)
        guard case .unsafe? = problem() else { throw TestFailure("\(String(describing: problem()))") }
        #expect(unlink(path) == 0)
        try folder.write("", to: "cache")
        guard case .unsafe? = problem() else { throw TestFailure("\(String(describing: problem()))") }
    }

    @Test("what belongs to another user is not believed", .enabled(if: geteuid() == 0, "only root gives files away"))
    func owner() throws {
        try write("good")
        #expect(chown(file, 65534, 65534) == 0)
        guard case .unsafe(let words)? = problem() else { throw TestFailure("\(String(describing: problem()))") }
        #expect(words.contains("65534"))
        #expect(chown(file, 0, 0) == 0 && chown(path, 65534, 0) == 0)
        guard case .unsafe? = problem() else { throw TestFailure("\(String(describing: problem()))") }
    }

    @Test("what it is in must be there")
    func parent() throws {
        #expect(throws: CacheProblem.system(folder.path + "/no/cache", .noEntry)) {
            _ = try CacheDirectory(folder.path + "/no/cache")
        }
    }
}
