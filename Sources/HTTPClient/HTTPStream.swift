/// An answer that comes line by line and may last for ever. The curl thread appends, one consumer takes. Safe to use
/// from any thread.
public protocol HTTPStream: Sendable {
    /// What has come since the last call. Does not block.
    func take() -> HTTPStreamPart
    /// Ends the request; ``HTTPStreamPart/end`` then says `cancelled`. Does not block.
    func cancel()
}

/// Part of an answer.
public struct HTTPStreamPart: Sendable {
    /// Given once, with the first part that has it.
    public var head: HTTPHead?
    /// Whole lines without their line ends. Of an answer that is not 200: one element with the whole body.
    public var lines: [[UInt8]]
    /// How the stream ended; nil while it lasts. Given with the last part, and with every one after it.
    public var end: HTTPStreamEnd?

    public init(head: HTTPHead? = nil, lines: [[UInt8]] = [], end: HTTPStreamEnd? = nil) {
        (self.head, self.lines, self.end) = (head, lines, end)
    }
}

public enum HTTPStreamEnd: Hashable, Sendable {
    /// The server ended it in order.
    case finished
    /// More bytes waited for the consumer than it may be behind: the stream was cut rather than paused.
    case consumerTooSlow
    case failed(TransportError)
}
