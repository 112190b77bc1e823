internal import Glibc
internal import Platform

/// Ports that a process has taken for itself, so that others that run tests at the same time leave them alone: a byte of a file for each
/// port, locked as long as this is there, or its process.
final class PortClaims: Sendable {
    // The fcntl of Linux that locks for an open file rather than for the process; Glibc's module lacks it.
    private static let setLock: Int32 = 37  // F_OFD_SETLK
    private let file: FileDescriptor

    /// Of all processes of this user: one file, wherever their temporary files are.
    static let path = "/tmp/sluice-test-ports-\(getuid())"
    static let shared = Result { try PortClaims(path) }

    /// Opens the file, or makes it.
    init(_ path: String) throws {
        let raw = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw TestFailure("cannot open \(path): \(Errno(rawValue: errno))") }
        file = FileDescriptor(owning: raw)
    }

    /// Whether nobody else has any of them; now we do.
    func take(_ ports: ClosedRange<UInt16>) throws -> Bool {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        (lock.l_start, lock.l_len) = (off_t(ports.lowerBound), off_t(ports.count))
        while true {
            if fcntl(file.raw, PortClaims.setLock, &lock) == 0 { return true }
            switch errno {
            case EAGAIN, EACCES: return false
            case EINTR: continue
            default: throw TestFailure("cannot lock ports \(ports): \(Errno(rawValue: errno))")
            }
        }
    }
}
