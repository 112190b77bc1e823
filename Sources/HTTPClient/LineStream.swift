internal import Glibc
internal import Platform

/// The consumer's end of a stream: going away cancels it.
final class LineStream: HTTPStream {
    private let lines: LineBuffer
    private let mailbox: CurlMailbox

    init(_ lines: LineBuffer, _ mailbox: CurlMailbox) { (self.lines, self.mailbox) = (lines, mailbox) }

    deinit { cancel() }

    func take() -> HTTPStreamPart { lines.take() }

    func cancel() {
        if lines.cancel() { mailbox.post(.cancel(lines)) }
    }
}

/// What lies between the curl thread, which appends, and the consumer, who takes.
final class LineBuffer: Sendable {
    /// Bodies of answers that are not 200 are messages: bytes beyond this are dropped.
    private static let messageLimit = 1 << 20

    private struct State {
        var head: HTTPHead?
        var headIsTaken = false
        var lines: [[UInt8]] = []
        /// Bytes of `lines`.
        var waiting = 0
        /// A line whose end has not come, or the body so far of an answer that is not 200.
        var partial: [UInt8] = []
        var end: HTTPStreamEnd?
        /// The consumer was told and has not looked since.
        var isAnnounced = false
    }

    private let state = Locked(State())
    private let limit: Int
    private let onActivity: @Sendable () -> Void

    init(limit: Int, onActivity: @escaping @Sendable () -> Void) { (self.limit, self.onActivity) = (limit, onActivity) }

    func take() -> HTTPStreamPart {
        state.withLock { state in
            var part = HTTPStreamPart(lines: state.lines, end: state.end)
            if !state.headIsTaken, let head = state.head {
                part.head = head
                state.headIsTaken = true
            }
            (state.lines, state.waiting, state.isAnnounced) = ([], 0, false)
            return part
        }
    }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// The header is whole.
    func set(_ head: HTTPHead) {
        announce { state in
            guard state.end == nil, head.status == 200 else {
                // Told together with the body, so that a status is never without its message.
                state.head = head
                return false
            }
            state.head = head
            return true
        }
    }

    /// Bytes of the body. False: the stream is cut, nothing more is wanted.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var isWanted = true
        announce { state in
            guard state.end == nil else {
                isWanted = false
                return false
            }
            guard state.head?.status == 200 else {
                state.partial += bytes.prefix(max(0, LineBuffer.messageLimit - state.partial.count))
                return false
            }
            let found = cut(bytes, &state)
            guard state.waiting + state.partial.count > limit else { return found }
            if state.waiting == 0 {
                let text = "a line of the answer is longer than \(limit) bytes"
                state.end = .failed(TransportError(.other, text))
            } else {
                state.end = .consumerTooSlow
            }
            (state.lines, state.waiting, state.partial, isWanted) = ([], 0, [], false)
            return true
        }
        return isWanted
    }

    /// False when it had ended before.
    @discardableResult
    func end(_ end: HTTPStreamEnd) -> Bool {
        var isFirst = false
        announce { state in
            guard state.end == nil else { return false }
            isFirst = true
            state.end = end
            if !state.partial.isEmpty, end == .finished { state.lines.append(state.partial) }
            state.partial = []
            return true
        }
        return isFirst
    }

    /// The consumer wants no more; it is not woken from within its own call. False when it had ended before.
    func cancel() -> Bool {
        state.withLock { state in
            guard state.end == nil else { return false }
            (state.end, state.lines, state.waiting, state.partial) = (.failed(.cancelled), [], 0, [])
            return true
        }
    }

    /// Tells the consumer once more that there is something to take.
    func wake() { onActivity() }

    /// Cuts whole lines off; whether there was one.
    private func cut(_ bytes: UnsafeRawBufferPointer, _ state: inout State) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        var offset = 0
        var found = false
        while let end = memchr(base + offset, 10, bytes.count - offset) {
            let length = UnsafeRawPointer(end) - (base + offset)
            state.partial += UnsafeRawBufferPointer(start: base + offset, count: length)
            offset += length + 1
            if state.partial.last == UInt8(ascii: "\r") { state.partial.removeLast() }
            if state.partial.isEmpty { continue }
            state.waiting += state.partial.count
            state.lines.append(state.partial)
            state.partial = []
            found = true
        }
        state.partial += UnsafeRawBufferPointer(start: base + offset, count: bytes.count - offset)
        return found
    }

    /// Changes the state; where that gave something to take, wakes a consumer that has not been woken yet.
    private func announce(_ body: (inout State) -> Bool) {
        let tells = state.withLock { state in
            guard body(&state), !state.isAnnounced else { return false }
            state.isAnnounced = true
            return true
        }
        if tells { onActivity() }
    }
}
