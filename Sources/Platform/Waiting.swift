internal import CLinux
internal import Glibc

/// An eventfd: any thread signals, one thread waits for it among other descriptors.
public final class EventDescriptor: Sendable {
    private let descriptor: FileDescriptor

    public init() throws(Errno) { descriptor = FileDescriptor(owning: try checked(sluice_event_create())) }

    /// For epoll or ``pollReadable(_:timeout:)``.
    public var raw: Int32 { descriptor.raw }
    public func signal() { _ = sluice_event_signal(descriptor.raw) }
    public func drain() { _ = sluice_event_drain(descriptor.raw) }
}

/// Waits until one of at most 64 descriptors is readable (or in error) and returns the indices of those that are; empty
/// after `timeout` (nil = none) or an interrupting signal.
public func pollReadable(_ descriptors: [Int32], timeout: Duration?) throws(Errno) -> [Int] {
    var mask: UInt64 = 0
    let milliseconds = timeout.map { Int32(clamping: max(0, ($0.wholeNanoseconds + 999_999) / 1_000_000)) } ?? -1
    let result = descriptors.withUnsafeBufferPointer {
        sluice_poll_readable($0.baseAddress, Int32($0.count), milliseconds, &mask)
    }
    try checked(result)
    return descriptors.indices.filter { mask & (1 << UInt64($0)) != 0 }
}

/// Signals as a descriptor. Make it before any thread starts, so that every thread inherits the blocked mask.
public struct SignalDescriptor: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    public init(_ signals: [Int32]) throws(Errno) {
        let result = signals.withUnsafeBufferPointer { sluice_signal_descriptor($0.baseAddress, Int32($0.count)) }
        descriptor = FileDescriptor(owning: try checked(result))
    }

    public var raw: Int32 { descriptor.raw }

    /// The next signal's number, or nil when none waits.
    public func read() -> Int32? {
        let result = sluice_signal_read(descriptor.raw)
        return result > 0 ? result : nil
    }
}

/// Splice and TLS writes to a closed peer raise SIGPIPE: every process of ours, tests included, ignores it first.
public func ignoreBrokenPipeSignal() { _ = sluice_signal_ignore(13) }

/// A descriptor that is waited for, and what it turned out to be. Errors and hang-ups count as all that was wanted.
public struct PollEntry: Hashable, Sendable {
    public let descriptor: Int32
    public let wantsRead: Bool
    public let wantsWrite: Bool
    public fileprivate(set) var isReadable = false
    public fileprivate(set) var isWritable = false

    public init(_ descriptor: Int32, read: Bool, write: Bool) {
        (self.descriptor, wantsRead, wantsWrite) = (descriptor, read, write)
    }
}

/// Waits until one of any number of descriptors is ready and marks those that are; none after `timeout` (nil = none) or an
/// interrupting signal.
public func pollReady(_ entries: inout [PollEntry], timeout: Duration?) throws(Errno) {
    var kernel = entries.map { entry in
        pollfd(
            fd: entry.descriptor,
            events: Int16((entry.wantsRead ? POLLIN : 0) | (entry.wantsWrite ? POLLOUT : 0)), revents: 0)
    }
    let milliseconds = timeout.map { Int32(clamping: max(0, ($0.wholeNanoseconds + 999_999) / 1_000_000)) } ?? -1
    if poll(&kernel, nfds_t(kernel.count), milliseconds) < 0, errno != EINTR { throw Errno(rawValue: errno) }
    for (index, entry) in kernel.enumerated() {
        let ready = Int32(entry.revents)
        let isBroken = ready & (POLLERR | POLLHUP | POLLNVAL) != 0
        entries[index].isReadable = entries[index].wantsRead && (isBroken || ready & POLLIN != 0)
        entries[index].isWritable = entries[index].wantsWrite && (isBroken || ready & POLLOUT != 0)
    }
}

/// A pipe, close-on-exec and non-blocking at both ends.
public struct Pipe: ~Copyable, Sendable {
    public let reading: FileDescriptor
    public let writing: FileDescriptor

    public init() throws(Errno) {
        var ends: [Int32] = [-1, -1]
        try checked(sluice_pipe(&ends))
        writing = FileDescriptor(owning: ends[1])
        reading = FileDescriptor(owning: ends[0])
    }
}
