internal import Glibc
internal import Platform

/// What a spool asks of the file system.
enum SpoolFiles {
    static func makeDirectory(_ path: String) throws(Errno) {
        let result = mkdir(path, 0o700)
        let error = errno
        if result != 0, error != EEXIST { throw Errno(rawValue: error) }
    }

    /// An open file with an advisory lock that ends with it. EAGAIN: another process has it.
    static func lock(_ path: String) throws(Errno) -> FileDescriptor {
        let file = try open(path, O_RDWR | O_CREAT)
        try check(flock(file.raw, LOCK_EX | LOCK_NB))
        return file
    }

    /// Appends all of it; where that fails the file is as long as before, or has a torn last line.
    static func append(_ bytes: [UInt8], to path: String) throws(Errno) {
        let file = try open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK)
        let before = lseek(file.raw, 0, SEEK_END)
        do throws(Errno) { try file.writeAll(bytes) } catch {
            if before >= 0 { _ = ftruncate(file.raw, before) }
            throw error
        }
    }

    static func truncate(_ path: String, to size: Int) throws(Errno) {
        try check(Glibc.truncate(path, size))
    }

    static func remove(_ path: String) throws(Errno) { try check(unlink(path)) }

    /// Puts a file in the place of what was there, whole or not at all.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Errno) {
        let next = path + ".new"
        let file = try open(next, O_WRONLY | O_CREAT | O_TRUNC)
        try file.writeAll(bytes)
        try check(rename(next, path))
    }

    /// At most so many bytes from `offset` on.
    static func read(_ path: String, at offset: Int, _ most: Int) throws(Errno) -> [UInt8] {
        let file = try FileDescriptor(readingFileAt: path)
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { memory, count in
            while count < most {
                let result = pread(file.raw, memory.baseAddress?.advanced(by: count), most - count, offset + count)
                if result < 0, errno == EINTR { continue }
                if result <= 0 { break }
                count += result
            }
        }
        return bytes
    }

    private static func open(_ path: String, _ flags: Int32) throws(Errno) -> FileDescriptor {
        let raw = Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        let error = errno
        guard raw >= 0 else { throw Errno(rawValue: error) }
        return FileDescriptor(owning: raw)
    }

    private static func check(_ result: Int32) throws(Errno) {
        let error = errno
        if result != 0 { throw Errno(rawValue: error) }
    }
}
