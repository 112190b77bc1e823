internal import CLinux

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
