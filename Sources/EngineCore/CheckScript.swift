/// Finds something in bytes. The engine's is RE2; this module has no C.
public protocol BytePattern: Sendable {
    /// The first match in the bytes from `offset` on; what stands before does not exist for it.
    func firstMatch(in bytes: UnsafeRawBufferPointer, from offset: Int) -> Range<Int>?
}

/// What is said to an endpoint, and expected of it, in one check.
public struct CheckScript: Sendable {
    public var steps: [Step]
    /// Of all that is received; at least 1.
    public var maximumBytes: Int

    public init(steps: [Step], maximumBytes: Int) {
        self.steps = steps
        self.maximumBytes = max(1, maximumBytes)
    }

    public struct Step: Sendable {
        public var action: Action
        /// Nanoseconds from the end of the step before; nil: no time of its own.
        public var timeout: Int64?

        public init(_ action: Action, timeout: Int64? = nil) {
            self.action = action
            self.timeout = timeout
        }
    }

    public enum Action: Sendable {
        case send([UInt8])
        case expect(ByteNeedle)
        case expectPattern(any BytePattern)
        /// The endpoint closes its side.
        case close
    }
}
