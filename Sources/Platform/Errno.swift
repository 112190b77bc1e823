internal import Glibc

/// A kernel error number. An open set: any value may come from the kernel.
public struct Errno: Error, Hashable, Sendable, RawRepresentable, CustomStringConvertible {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let addressInUse = Errno(rawValue: EADDRINUSE)
    public static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
    public static let addressFamilyNotSupported = Errno(rawValue: EAFNOSUPPORT)
    public static let permissionDenied = Errno(rawValue: EACCES)
    public static let notPermitted = Errno(rawValue: EPERM)
    public static let noEntry = Errno(rawValue: ENOENT)
    public static let wouldBlock = Errno(rawValue: EAGAIN)
    public static let tooManyOpenFiles = Errno(rawValue: EMFILE)
    public static let tooManyOpenFilesInSystem = Errno(rawValue: ENFILE)
    public static let outOfMemory = Errno(rawValue: ENOMEM)
    public static let noBufferSpace = Errno(rawValue: ENOBUFS)
    public static let noSpace = Errno(rawValue: ENOSPC)
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    public static let connectionReset = Errno(rawValue: ECONNRESET)
    public static let timedOut = Errno(rawValue: ETIMEDOUT)
    public static let brokenPipe = Errno(rawValue: EPIPE)
    public static let inProgress = Errno(rawValue: EINPROGRESS)
    public static let invalidArgument = Errno(rawValue: EINVAL)
    public static let isDirectory = Errno(rawValue: EISDIR)

    /// The C library's sentence for it, such as `Address already in use`.
    public var description: String { String(cString: strerror(rawValue)) }
}

/// Turns a shim's result (a value, or a negated errno) into a value or a thrown ``Errno``.
@discardableResult
func checked<Result: FixedWidthInteger & SignedInteger>(_ result: Result) throws(Errno) -> Result {
    guard result >= 0 else { throw Errno(rawValue: Int32(truncatingIfNeeded: -result)) }
    return result
}
