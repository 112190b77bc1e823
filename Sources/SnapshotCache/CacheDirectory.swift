internal import Glibc
internal import Platform

/// The directory and the file in it. Nothing of it is believed that others could have written: both must belong to the
/// process' user and be closed to everybody else, and neither may be a link.
struct CacheDirectory: ~Copyable {
    static let fileName = "cluster.cache"
    private static let nextName = "cluster.cache.new"

    private let descriptor: FileDescriptor

    /// Makes the directory where it is missing; what it is in must be there.
    init(_ path: String) throws(CacheProblem) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .system(path, lastError) }
        let raw = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if raw < 0 {
            let error = lastError
            if [ELOOP, ENOTDIR].contains(error.rawValue) { throw .unsafe("\(path) is no directory, or a link to one") }
            throw .system(path, error)
        }
        let opened = FileDescriptor(owning: raw)
        _ = try CacheDirectory.ownStatus(of: raw, path)
        descriptor = opened
    }

    /// Until this value goes, no other process writes here.
    func lock() throws(CacheProblem) {
        guard flock(descriptor.raw, LOCK_EX | LOCK_NB) != 0 else { return }
        let error = lastError
        throw error == .wouldBlock ? .inUse : .system("lock", error)
    }

    func read() throws(CacheProblem) -> WipedBytes {
        let name = Self.fileName
        // Of a pipe that somebody put there, opening would wait for ever.
        let raw = openat(descriptor.raw, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        if raw < 0 {
            switch lastError {
            case .noEntry: throw .absent
            case Errno(rawValue: ELOOP): throw .unsafe("\(name) is a link")
            case let error: throw .system(name, error)
            }
        }
        let file = FileDescriptor(owning: raw)
        let status = try CacheDirectory.ownStatus(of: raw, name)
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unsafe("\(name) is no regular file") }
        guard status.st_nlink == 1 else { throw .unsafe("\(name) has a second name") }
        guard status.st_size <= CacheHeader.largest else { throw .tooLarge(status.st_size) }
        let bytes = WipedBytes(count: status.st_size)
        var offset = 0
        while offset < bytes.count {
            let count: Int
            do throws(Errno) {
                count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes.memory[offset...]))
            } catch { throw .system(name, error) }
            guard count > 0 else { throw .damaged("it is cut off") }
            offset += count
        }
        return bytes
    }

    /// Puts the file in the place of the one before, whole or not at all, and on the disk before this returns.
    func write(_ bytes: borrowing WipedBytes) throws(CacheProblem) {
        let (directory, name) = (descriptor.raw, Self.nextName)
        // Of a process that ended on the way.
        if unlinkat(directory, name, 0) != 0, errno != ENOENT { throw .system(name, lastError) }
        do throws(CacheProblem) {
            try CacheDirectory.fill(directory, name, with: bytes)
            guard renameat(directory, name, directory, Self.fileName) == 0 else { throw .system(name, lastError) }
        } catch {
            // The room is for whoever needs it.
            _ = unlinkat(directory, name, 0)
            throw error
        }
        guard fsync(directory) == 0 else { throw .system("directory", lastError) }
    }

    private static func fill(
        _ directory: Int32, _ name: String, with bytes: borrowing WipedBytes
    ) throws(CacheProblem) {
        let raw = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw .system(name, lastError) }
        let file = FileDescriptor(owning: raw)
        do throws(Errno) {
            var offset = 0
            while offset < bytes.count {
                offset += try file.write(UnsafeRawBufferPointer(rebasing: bytes.memory[offset...]))
            }
        } catch { throw .system(name, error) }
        guard fsync(raw) == 0 else { throw .system(name, lastError) }
    }

    private static func ownStatus(of descriptor: Int32, _ name: String) throws(CacheProblem) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(name, lastError) }
        guard status.st_uid == geteuid() else {
            throw .unsafe("\(name) belongs to user \(status.st_uid), and not to \(geteuid()) as which Sluice runs")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            throw .unsafe("\(name) is open to others (mode \(mode)): only its owner may have rights")
        }
        return status
    }
}

private var lastError: Errno { Errno(rawValue: errno) }
