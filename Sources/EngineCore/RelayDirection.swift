/// One direction of a relayed connection, from what is read on one side to what is written on the other. An end of stream
/// is passed on once everything read before it is written; a reset is passed on at once. States: LIFECYCLE.md.
public struct RelayDirection: Hashable, Sendable {
    public enum Input: Sendable, Hashable {
        /// Bytes came from the source.
        case read(bytes: Int)
        /// Bytes were taken by the sink.
        case wrote(bytes: Int)
        /// FIN, or close_notify.
        case endOfStream
        /// A FIN where TLS owed a close_notify: passed on in kind.
        case truncatedEnd
        /// The source was reset, or the relay gives up.
        case reset
    }

    public enum Action: Sendable, Hashable {
        case none
        /// Tell the sink that no more comes; cleanly unless ``RelayDirection/isTruncated``.
        case shutdownWrite
        /// Reset the sink; what was buffered is lost.
        case abort
    }

    /// Most bytes that are read ahead of a sink that did not take a write whole.
    public static let readAhead = 65_536

    /// Read and not yet written.
    public private(set) var buffered = 0
    /// All bytes read, and all written, since the start.
    public private(set) var bytesRead: UInt64 = 0
    public private(set) var bytesWritten: UInt64 = 0
    /// The source has ended; nothing more will be read.
    public private(set) var hasEnded = false
    /// The source ended without its close_notify.
    public private(set) var isTruncated = false
    /// The sink was told of the end.
    public private(set) var isShutDown = false
    public private(set) var isAborted = false
    /// The sink left something over; bytes read since then.
    private var aheadSinceBlocked: Int?

    public init() {}

    /// Nothing more will happen in this direction.
    public var isFinished: Bool { isShutDown || isAborted }

    /// How many bytes may be read from the source now.
    public var readAllowance: Int {
        if hasEnded || isAborted { return 0 }
        return aheadSinceBlocked.map { max(0, RelayDirection.readAhead - $0) } ?? .max
    }

    /// Takes what happened and says what is to be done. Inputs after the end of this direction change nothing.
    ///
    /// - Parameter input: what happened; more written than was buffered counts as all of it.
    /// - Returns: each of ``Action/shutdownWrite`` and ``Action/abort`` at most once in a direction's life.
    public mutating func step(_ input: Input) -> Action {
        defer { assert(isConsistent, "relay direction: \(self)") }
        guard !isAborted else { return .none }
        switch input {
        case .read(let bytes): noteRead(bytes)
        case .wrote(let bytes): noteWritten(bytes)
        case .endOfStream: hasEnded = true
        case .truncatedEnd:
            isTruncated = isTruncated || !hasEnded
            hasEnded = true
        case .reset:
            (isAborted, buffered) = (true, 0)
            return .abort
        }
        guard hasEnded, buffered == 0, !isShutDown else { return .none }
        isShutDown = true
        return .shutdownWrite
    }

    private mutating func noteRead(_ bytes: Int) {
        guard !hasEnded, bytes > 0 else { return }
        buffered += bytes
        bytesRead &+= UInt64(bytes)
        if let ahead = aheadSinceBlocked { aheadSinceBlocked = ahead + bytes }
    }

    private mutating func noteWritten(_ bytes: Int) {
        let taken = min(max(0, bytes), buffered)
        buffered -= taken
        bytesWritten &+= UInt64(taken)
        if buffered == 0 {
            aheadSinceBlocked = nil
        } else if aheadSinceBlocked == nil {
            aheadSinceBlocked = 0
        }
    }

    private var isConsistent: Bool {
        buffered >= 0 && (!isShutDown || hasEnded && buffered == 0)
            && (isAborted || bytesRead == bytesWritten &+ UInt64(buffered))
    }
}
