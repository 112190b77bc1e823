internal import CMicroHTTPD
internal import Observability
internal import Platform

/// The library's daemon and its connections. Made on the server's thread, used there only, gone with it.
final class HTTPLoop {
    private struct Connection {
        let accepted: MonotonicTime
        /// The request has come and the answer is on its way.
        var isServed = false
    }

    private let responder: HTTPResponder
    private let limits: HTTPServer.Limits
    private let logger: Logger
    private let log: UnsafeMutablePointer<sluice_mhd_log>
    private var daemon: OpaquePointer?
    private var connections: [Int32: Connection] = [:]
    /// The library told of a connection or a request since the last turn began.
    private var madeProgress = false
    /// Per message of the library; and for the warning below under the key "".
    private var repetitions = LogRateLimiter<String>(limit: 3, per: .seconds(10), capacity: 32)

    init(routes: [HTTPRoute], hosts: HostPolicy, limits: HTTPServer.Limits, logger: Logger) {
        responder = HTTPResponder(routes: routes, hosts: hosts, answerLimit: limits.answers)
        (self.limits, self.logger) = (limits, logger)
        log = .allocate(capacity: 1)
        log.initialize(to: sluice_mhd_log())
    }

    deinit {
        if let daemon { MHD_stop_daemon(daemon) }
        log.deallocate()
    }

    /// Takes over the socket. On failure it may stay open: closing it here too might close a stranger's descriptor.
    func start(listeningOn socket: consuming FileDescriptor) throws(Errno) {
        var options = sluice_mhd_options()
        options.listen_socket = socket.release()
        options.connection_limit = UInt32(clamping: limits.connections)
        options.idle_timeout_seconds = UInt32(clamping: (limits.idle.wholeMilliseconds + 999) / 1000)
        options.connection_memory_bytes = limits.connectionMemory
        options.context = Unmanaged.passUnretained(self).toOpaque()
        options.handler = { context, connection, path, method, _, _, _, _ in
            HTTPLoop.lent(context)?.answer(connection, method: method, path: path) ?? .NO
        }
        options.notify = { context, connection, _, event in HTTPLoop.lent(context)?.note(connection, event) }
        options.log = { context, message in HTTPLoop.lent(context)?.note(message) }
        let result = sluice_mhd_start(&options, log, &daemon)
        guard result == 0 else { throw Errno(rawValue: -result) }
    }

    /// Serves until `stop` is signalled and what had begun is answered.
    func run(until stop: EventDescriptor) {
        guard let daemon else { return }
        while turn(daemon, watching: [sluice_mhd_epoll_descriptor(daemon), stop.raw], stop: stop.raw) {}
        let socket = MHD_quiesce_daemon(daemon)
        if socket >= 0 { _ = FileDescriptor(owning: socket) }
        for (descriptor, connection) in connections where !connection.isServed {
            StreamSocket.shutdownBoth(descriptor)
        }
        let deadline = MonotonicTime.now() + limits.grace
        while !connections.isEmpty, MonotonicTime.now() < deadline {
            _ = turn(daemon, watching: [sluice_mhd_epoll_descriptor(daemon)], stop: nil)
        }
        MHD_stop_daemon(daemon)
        self.daemon = nil
    }

    /// Waits, lets the library work, closes what took too long. False once `stop` is readable.
    private func turn(_ daemon: OpaquePointer, watching descriptors: [Int32], stop: Int32?) -> Bool {
        var timeout = connections.isEmpty ? nil : Duration.milliseconds(250)
        let wanted = sluice_mhd_timeout(daemon)
        if wanted >= 0 { timeout = min(timeout ?? .milliseconds(wanted), .milliseconds(wanted)) }
        let ready = (try? pollReadable(descriptors, timeout: timeout)) ?? []
        if ready.contains(1) { return false }
        madeProgress = false
        MHD_run(daemon)
        // A connection that went may have made room for one that waits: the library looks only when it runs again.
        if madeProgress { MHD_run(daemon) }
        if !madeProgress, connections.isEmpty, !ready.isEmpty, let stop {
            // Something waits to be accepted and cannot be: no descriptors are left. Do not spin on it.
            if repetitions.admit("", now: .now()) != nil {
                logger.warning("cannot accept a connection: the process has no descriptor left, or no memory")
            }
            _ = try? pollReadable([stop], timeout: .milliseconds(50))
        }
        closeOverdue(now: .now())
        return true
    }

    private func closeOverdue(now: MonotonicTime) {
        let isFull = connections.count >= limits.connections
        let request = isFull ? limits.request / 5 : limits.request
        for (descriptor, connection) in connections
        where now - connection.accepted > (connection.isServed ? limits.total : request) {
            StreamSocket.shutdownBoth(descriptor)
        }
    }
}

/// What the library calls, on the loop's thread.
extension HTTPLoop {
    private static func lent(_ context: UnsafeMutableRawPointer?) -> HTTPLoop? {
        context.map { Unmanaged<HTTPLoop>.fromOpaque($0).takeUnretainedValue() }
    }

    private func answer(
        _ connection: OpaquePointer?, method: UnsafePointer<CChar>?, path: UnsafePointer<CChar>?
    ) -> MHD_Result {
        guard let connection, let method, let path else { return .NO }
        madeProgress = true
        connections[sluice_mhd_connection_descriptor(connection)]?.isServed = true
        let name = String(cString: method)
        let request = HTTPRequest(of: connection, name == "POST" ? .post : .get, path: String(cString: path))
        let response = responder.respond(to: request, method: name)
        logger.debug("request answered", ["path": LogValue(request.path), "status": LogValue(response.status)])
        return responder.queue(response, on: connection)
    }

    private func note(_ connection: OpaquePointer?, _ event: MHD_ConnectionNotificationCode) {
        guard let connection else { return }
        madeProgress = true
        let descriptor = sluice_mhd_connection_descriptor(connection)
        connections[descriptor] = event == .CONNECTION_NOTIFY_STARTED ? Connection(accepted: .now()) : nil
    }

    private func note(_ message: UnsafePointer<CChar>?) {
        guard let message, logger.isEnabled(.debug) else { return }
        let text = String(cString: message)
        guard let suppressed = repetitions.admit(text, now: .now()) else { return }
        logger.debug(
            "HTTP library",
            [
                "detail": LogValue(text.last == "\n" ? String(text.dropLast()) : text),
                LogKey.suppressed: LogValue(suppressed),
            ])
    }
}
