internal import CCurl
internal import Platform

/// Requests that may share connections: one multi handle. Belongs to the client's thread.
final class ConnectionPool {
    let number: UInt32
    private unowned let loop: CurlLoop
    /// When it was made for a request that wanted a fresh connection.
    private let freshSince: MonotonicTime?
    private var multi: UnsafeMutableRawPointer?
    private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]
    /// When libcurl wants to act although no descriptor is ready.
    private(set) var deadline: MonotonicTime?
    var isRetired = false

    init?(number: UInt32, loop: CurlLoop, isFresh: Bool) {
        (self.number, self.loop, freshSince) = (number, loop, isFresh ? .now() : nil)
        guard let multi = sluice_multi_create(onSocket, onTimer, Unmanaged.passUnretained(self).toOpaque()) else {
            return nil
        }
        self.multi = multi
        for name in (try? listDirectory("/proc/self/fd")) ?? [] { sluice_curl_mark_pair(Int32(name) ?? -1) }
        sluice_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        // What API servers take; where a proxy takes fewer, libcurl tries each refused stream on another connection.
        sluice_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 250)
        sluice_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 32)
    }

    var isIdle: Bool { transfers.isEmpty }

    /// Whether all of its connections are younger than `window`.
    func isFresh(within window: Duration) -> Bool { freshSince.map { .now() - $0 < window } ?? false }

    func add(_ transfer: Transfer) throws(TransportError) {
        let code = sluice_multi_add(multi, transfer.easy)
        guard code == CURLM_OK else {
            throw TransportError(.other, "libcurl: " + String(cString: curl_multi_strerror(code)))
        }
        transfers[transfer.easy] = transfer
    }

    /// Ends a request without a result.
    func remove(_ transfer: Transfer) {
        guard transfers.removeValue(forKey: transfer.easy) != nil else { return }
        _ = sluice_multi_remove(multi, transfer.easy)
    }

    func removeAll() -> [Transfer] {
        let all = Array(transfers.values)
        for transfer in all { remove(transfer) }
        return all
    }

    func act(on descriptor: Int32) { _ = sluice_multi_act(multi, descriptor) }

    func actOnTime() {
        deadline = nil
        _ = sluice_multi_act(multi, CURL_SOCKET_TIMEOUT)
    }

    /// The next request that has ended, no longer among ours.
    func takeEnded() -> (Transfer, CURLcode)? {
        guard !transfers.isEmpty else { return nil }
        var code = CURLE_OK
        while let easy = sluice_multi_ended(multi, &code) {
            guard let transfer = transfers[easy] else { continue }
            remove(transfer)
            return (transfer, code)
        }
        return nil
    }

    /// Closes its connections. It must be idle.
    func close() {
        guard let multi else { return }
        self.multi = nil
        sluice_multi_destroy(multi)
    }

    deinit { close() }

    fileprivate func watch(_ descriptor: Int32, _ what: Int32) {
        switch what {
        case CURL_POLL_IN: loop.watch(descriptor, pool: number, .readable)
        case CURL_POLL_OUT: loop.watch(descriptor, pool: number, .writable)
        case CURL_POLL_INOUT: loop.watch(descriptor, pool: number, [.readable, .writable])
        default: loop.watch(descriptor, pool: number, nil)
        }
    }

    fileprivate func setTimer(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : .now() + .milliseconds(milliseconds)
    }
}

private let onSocket: sluice_curl_socket = { _, descriptor, what, context, _ in
    guard let context else { return 0 }
    Unmanaged<ConnectionPool>.fromOpaque(context).takeUnretainedValue().watch(descriptor, what)
    return 0
}

private let onTimer: sluice_curl_timer = { _, milliseconds, context in
    guard let context else { return 0 }
    Unmanaged<ConnectionPool>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
    return 0
}
