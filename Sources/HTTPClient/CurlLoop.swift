internal import CCurl
internal import Observability
internal import Platform

/// The client's thread: made on it, gone with it. Waits for commands and for libcurl's sockets and timers.
final class CurlLoop {
    private static let mailboxToken = UInt64.max

    private let mailbox: CurlMailbox
    private let logger: Logger
    private let freshWindow: Duration
    private var poller: Poller?
    /// By number, which is never used again.
    private var pools: [UInt32: ConnectionPool] = [:]
    /// Where new requests of a group go.
    private var currentPools: [HTTPClient.Group: UInt32] = [:]
    private var lastPool: UInt32 = 0
    private var streams: [ObjectIdentifier: Transfer] = [:]

    init(_ mailbox: CurlMailbox, freshWindow: Duration, _ logger: Logger) {
        (self.mailbox, self.freshWindow, self.logger) = (mailbox, freshWindow, logger)
    }

    func run() {
        mailbox.begin()
        do throws(Errno) {
            let poller = try Poller()
            try poller.add(mailbox.descriptor, token: CurlLoop.mailboxToken, .readable)
            self.poller = consume poller
            while obeyCommands() { try turn() }
        } catch {
            logger.error("the HTTP client cannot wait and ends", ["error": "\(error)"])
        }
        end()
    }

    /// Waits once and lets libcurl act on what is ready.
    private func turn() throws(Errno) {
        let now = MonotonicTime.now()
        let wait = pools.values.compactMap(\.deadline).min().map { max(.zero, $0 - now) }
        for token in try poller?.wait(timeout: wait) ?? [] where token != CurlLoop.mailboxToken {
            pools[UInt32(truncatingIfNeeded: token >> 32)]?.act(on: Int32(truncatingIfNeeded: token))
        }
        let later = MonotonicTime.now()
        for pool in pools.values where pool.deadline.map({ $0 <= later }) ?? false { pool.actOnTime() }
        for pool in Array(pools.values) { collectEnded(of: pool) }
    }

    /// False: stop.
    private func obeyCommands() -> Bool {
        for command in mailbox.takeAll() {
            switch command {
            case .start(let start, let sink): begin(start, sink)
            case .cancel(let lines): cancel(lines)
            case .stop: return false
            }
        }
        return true
    }

    private func begin(_ start: TransferStart, _ sink: TransferSink) {
        if case .lines(let lines) = sink, lines.hasEnded { return lines.wake() }
        do throws(TransportError) {
            let pool = try pool(for: start)
            let transfer = try Transfer(start, sink, poolNumber: pool.number)
            try pool.add(transfer)
            if case .lines(let lines) = sink { streams[ObjectIdentifier(lines)] = transfer }
        } catch {
            sink.fail(error)
        }
    }

    private func cancel(_ lines: LineBuffer) {
        if let transfer = streams.removeValue(forKey: ObjectIdentifier(lines)) {
            pools[transfer.poolNumber]?.remove(transfer)
            dropIfDone(transfer.poolNumber)
        }
        lines.wake()
    }

    private func collectEnded(of pool: ConnectionPool) {
        while let (transfer, code) = pool.takeEnded() {
            if case .lines(let lines) = transfer.sink { streams[ObjectIdentifier(lines)] = nil }
            // On HTTP/2 libcurl would go on using a connection that no longer answers.
            if code == CURLE_OPERATION_TIMEDOUT, transfer.wasSent { retire(pool) }
            transfer.finish(code)
        }
        dropIfDone(pool.number)
    }

    /// The connections that a request may use.
    private func pool(for start: TransferStart) throws(TransportError) -> ConnectionPool {
        if let number = currentPools[start.group], let pool = pools[number] {
            guard start.isFresh, !pool.isFresh(within: freshWindow) else { return pool }
            retire(pool)
            dropIfDone(number)
        }
        lastPool += 1
        guard let pool = ConnectionPool(number: lastPool, loop: self, isFresh: start.isFresh) else {
            throw TransportError(.other, "libcurl has no memory or descriptor for another connection")
        }
        pools[lastPool] = pool
        currentPools[start.group] = lastPool
        return pool
    }

    /// Takes no more requests; those that it has go on.
    private func retire(_ pool: ConnectionPool) {
        for (group, number) in currentPools where number == pool.number { currentPools[group] = nil }
        pool.isRetired = true
    }

    private func dropIfDone(_ number: UInt32) {
        guard let pool = pools[number], pool.isRetired, pool.isIdle else { return }
        pools[number] = nil
        pool.close()
    }

    private func end() {
        for command in mailbox.close() {
            if case .start(_, let sink) = command { sink.fail(.closed) }
        }
        for pool in pools.values {
            for transfer in pool.removeAll() { transfer.sink.fail(.closed) }
            pool.close()
        }
        (pools, streams) = ([:], [:])
        mailbox.end()
    }

    // MARK: For the pools

    /// Registers what libcurl waits for at a descriptor; nil: nothing any more.
    func watch(_ descriptor: Int32, pool: UInt32, _ interest: Poller.Interest?) {
        guard let interest else {
            poller?.remove(descriptor)
            return
        }
        let token = UInt64(pool) << 32 | UInt64(UInt32(bitPattern: descriptor))
        do throws(Errno) {
            try poller?.change(descriptor, token: token, interest)
        } catch {
            try? poller?.add(descriptor, token: token, interest)
        }
    }
}

extension TransferSink {
    func fail(_ error: TransportError) {
        switch self {
        case .whole(let completion): completion(.failure(error))
        case .lines(let lines): lines.end(.failed(error))
        }
    }
}
