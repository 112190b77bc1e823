internal import Glibc

/// One end of a connection in the fuzzer's hands: what it has still to send, what it has got.
final class ScriptedPeer {
    enum End: Equatable { case fin, reset }

    /// Negative: not there yet, or closed.
    private(set) var descriptor: Int32 = -1
    /// Closed by this script.
    private(set) var isClosed = false
    private(set) var received: [UInt8] = []
    /// How the other side ended.
    private(set) var end: End?
    /// The other side ended in order, and was reset then.
    private(set) var wasResetBehindEnd = false
    /// Nothing is read meanwhile.
    var isPaused = false
    private var outgoing: [UInt8] = []
    private var offset = 0
    private var wantsEnd = false
    /// The other side took no more.
    private(set) var isBroken = false
    /// A call that sends has met RST: Linux says so once, and reading ends as behind FIN from then on.
    private var hasMetReset = false
    /// FIN was sent, behind everything else.
    private(set) var hasEnded = false
    /// Everything that was ever to be sent.
    private(set) var sent: [UInt8] = []

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

    func take(_ descriptor: Int32) {
        self.descriptor = descriptor
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        flush()
    }

    /// The connection was reset before it could be used.
    func noteRefused() { (end, isClosed, isBroken) = (.reset, true, true) }

    var isOpen: Bool { descriptor >= 0 }
    var wantsToSend: Bool { isOpen && end != .reset && (offset < outgoing.count || wantsEnd && !hasEnded) }
    var wantsToRead: Bool { isOpen && !isPaused && end == nil }
    /// Only RST is still to come: poll(2) tells of it without being asked.
    var awaitsReset: Bool { isOpen && end == .fin && !hasEnded && !wasResetBehindEnd }
    var willEnd: Bool { wantsEnd }

    /// FIN, and everything before it, is at the other side: what is still in our own kernel goes with a reset.
    var hasEndArrived: Bool {
        guard hasEnded, !isBroken, isOpen else { return false }
        // FIN_WAIT2, TIME_WAIT and CLOSE: acknowledged.
        return (5...7).contains(state)
    }

    /// As the kernel numbers them; 0: it does not say.
    private var state: UInt8 {
        var (state, size) = (UInt8(0), socklen_t(1))
        return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &state, &size) == 0 ? state : 0
    }

    func send(_ bytes: [UInt8]) {
        guard !wantsEnd, !isClosed else { return }
        outgoing += bytes
        sent += bytes
        flush()
    }

    func endSending() {
        wantsEnd = true
        flush()
    }

    /// RST, whatever waits.
    func reset() {
        guard isOpen else { return }
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    func close() {
        guard isOpen else { return }
        _ = Glibc.close(descriptor)
        (descriptor, isClosed) = (-1, true)
    }

    /// Sends what the socket takes.
    func flush() {
        guard wantsToSend else { return }
        while offset < outgoing.count {
            let count = outgoing.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            guard count > 0 else {
                // Refused meanwhile: what it is to be told is still to be read.
                if errno == ECONNRESET { hasMetReset = true }
                if errno != EAGAIN { (offset, wantsEnd, hasEnded, isBroken) = (outgoing.count, true, true, true) }
                return
            }
            offset += count
        }
        (outgoing, offset) = ([], 0)
        guard wantsEnd, !hasEnded else { return }
        shutdown(descriptor, Int32(SHUT_WR))
        hasEnded = true
    }

    /// Reads what there is.
    func read() {
        // CLOSE, which only a reset leads to from CLOSE_WAIT.
        if awaitsReset, state == 7 { wasResetBehindEnd = true }
        guard wantsToRead else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                received += buffer[..<count]
                continue
            }
            if count == 0 { end = hasMetReset ? .reset : .fin } else if errno != EAGAIN { end = .reset }
            break
        }
        flush()
    }
}
