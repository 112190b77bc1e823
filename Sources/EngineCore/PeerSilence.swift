/// Tells a peer that is gone from one that only does not read. TCP_USER_TIMEOUT cannot: Linux counts it for a closed window as
/// well, however often the peer says that it is still there (tcp_probe_timer), and cuts a client that waits to read.
public struct PeerSilence: Hashable, Sendable {
    /// What the kernel says of a socket (TCP_INFO).
    public struct Facts: Hashable, Sendable {
        /// Something was sent that the peer has to answer: segments in flight, or probes of its window or life.
        public var owes: Bool
        /// It had its chance: a segment was sent again after its timeout, or two probes went by.
        public var missedAnswers: Bool
        /// Milliseconds since anything was heard.
        public var quiet: Int64

        public init(owes: Bool, missedAnswers: Bool, quiet: Int64) {
            (self.owes, self.missedAnswers, self.quiet) = (owes, missedAnswers, quiet)
        }
    }

    public enum Verdict: Hashable, Sendable {
        case gone
        /// Milliseconds until the next look.
        case lookAgain(after: Int64)
    }

    /// Seconds, modulo 2^16, of the first look at which it owed an answer that has not come; 0: it owes none. Two bytes, because
    /// each side of a connection holds one where it has no room for more.
    private var since: UInt16 = 0
    /// Longer ones would not be told apart from short ones. The kernel itself gives up earlier (tcp_retries2, 15 minutes).
    static let longest: Int64 = 1 << 15

    public init() {}

    /// A look at `now` milliseconds. It is gone once it has owed an answer for `limit` seconds, 2 at least: between one and one and
    /// a half times that after what it did not answer was sent.
    public mutating func look(_ facts: Facts, limit: Int64, now: Int64) -> Verdict {
        let limit = min(max(2, limit), PeerSilence.longest)
        guard facts.owes else {
            since = 0
            return .lookAgain(after: limit * 500)
        }
        let time = max(1, UInt16(truncatingIfNeeded: now / 1000))
        let elapsed = Int64(time &- since)
        // Whole seconds: what seems to be heard less than one after the first look may have been heard before it.
        guard since != 0, facts.quiet + 1000 >= elapsed * 1000 else {
            since = time
            return .lookAgain(after: (limit + 1) * 1000)
        }
        guard elapsed > limit else { return .lookAgain(after: (limit + 1 - elapsed) * 1000) }
        return facts.missedAnswers ? .gone : .lookAgain(after: max(1000, limit * 125))
    }
}
