internal import CLinux

/// Level-triggered readiness of many descriptors for one thread (epoll). Events carry the caller's token, never a
/// descriptor: with tokens that are not used twice, a late event cannot reach a descriptor's next owner.
public struct Poller: ~Copyable {
    public struct Interest: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let readable = Interest(rawValue: EPOLLIN.rawValue)
        public static let writable = Interest(rawValue: EPOLLOUT.rawValue)
        /// For a descriptor that several pollers watch: wakes one or some of them. It can be removed, not changed.
        public static let exclusive = Interest(rawValue: EPOLLEXCLUSIVE.rawValue)
    }

    private let descriptor: FileDescriptor
    private var events: [epoll_event]

    /// `capacity`: events that one ``wait(timeout:)`` returns at most.
    public init(capacity: Int = 256) throws(Errno) {
        events = [epoll_event](repeating: epoll_event(), count: capacity)
        descriptor = FileDescriptor(owning: try checked(sluice_epoll_create()))
    }

    public func add(_ raw: Int32, token: UInt64, _ interest: Interest) throws(Errno) {
        try checked(sluice_epoll_control(descriptor.raw, EPOLL_CTL_ADD, raw, interest.rawValue, token))
    }

    public func change(_ raw: Int32, token: UInt64, _ interest: Interest) throws(Errno) {
        try checked(sluice_epoll_control(descriptor.raw, EPOLL_CTL_MOD, raw, interest.rawValue, token))
    }

    /// Not needed before closing a descriptor that has no duplicate.
    public func remove(_ raw: Int32) { _ = sluice_epoll_control(descriptor.raw, EPOLL_CTL_DEL, raw, 0, 0) }

    /// The tokens of the descriptors that are ready, or in error, or hung up; empty after `timeout` (nil = none) or an
    /// interrupting signal.
    public mutating func wait(timeout: Duration?) throws(Errno) -> [UInt64] {
        let milliseconds = timeout.map { Int32(clamping: max(0, ($0.wholeNanoseconds + 999_999) / 1_000_000)) } ?? -1
        let count = try checked(
            sluice_epoll_wait(descriptor.raw, &events, Int32(clamping: events.count), milliseconds))
        return events.prefix(Int(count)).map(\.data.u64)
    }
}
