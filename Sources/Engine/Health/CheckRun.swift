internal import CLinux
internal import COpenSSL
internal import EngineCore
internal import Glibc
internal import Platform
internal import Primitives

/// One check under way: its socket, and how far it has come. Belongs to the thread that made it; times are nanoseconds of the
/// monotonic clock. However it ends, nothing stays in TIME_WAIT: an open connection is ended by RST.
final class CheckRun {
    enum Phase { case connecting, header, request, answer, handshake, talking, done }

    let plan: CheckPlan
    /// Goes into the events of its socket.
    let token: UInt64
    private let target: KernelAddress
    private let endpoint: StreamAddress
    private(set) var phase = Phase.connecting
    private(set) var result: CheckResult?
    /// No result: our own want of something, which says nothing of the endpoint.
    private(set) var shortage: String?
    private let began: Int64
    let recordsOutcomes: Bool
    private var connectedAt: Int64?
    private var securedAt: Int64?
    private(set) var descriptor: Int32 = -1
    private(set) var ssl: OpaquePointer?
    /// The SSL object met a fatal error.
    var isBroken = false
    /// Of the header or the request.
    private var sent = 0
    var conversation: CheckConversation?
    /// How often something was received, and when that may be again: who sends byte by byte does not keep the thread busy.
    var reads = 0
    var nextLook: Int64 = 0

    static let promptReads = 32
    static let pause: Int64 = 5_000_000

    init(_ plan: CheckPlan, endpoint: StreamAddress, token: UInt64, now: Int64, recordsOutcomes: Bool = false) {
        self.plan = plan
        self.token = token
        self.endpoint = endpoint
        self.recordsOutcomes = recordsOutcomes
        target = KernelAddress(plan.address(of: endpoint))
        began = now
    }

    deinit { closeSocket() }

    var isDone: Bool { phase == .done }

    /// When it wants to be looked at, whatever happens; ``expire(now:_:)`` then.
    var deadline: Int64 {
        let whole = min(latest, conversation?.searchDue ?? .max)
        return nextLook > 0 ? min(whole, nextLook) : whole
    }

    /// When it has taken too long, by all that is known so far.
    private var latest: Int64 { min(began + plan.timeout, conversation?.deadline ?? .max) }

    /// Connects; the socket's events come to `epoll` with ``token``.
    func start(_ epoll: Epoll, now: Int64, _ scratch: UnsafeMutableRawBufferPointer) {
        if let problem = plan.problem ?? (plan.tls?.problem).map({ "TLS cannot be used: \($0)" }) {
            return fail(plan.problem == nil ? .tlsError : .invalid, problem, now: now)
        }
        let family = CheckRun.family(of: endpoint)
        let made = sluice_socket(family, streamType, 0)
        guard made >= 0 else { return noteShortage(-made) }
        descriptor = made
        if family != AF_UNIX {
            _ = sluice_set_linger_reset(made)
            if !plan.script.steps.isEmpty || plan.tls != nil {
                _ = sluice_set_option(made, protocolTCP, TCP_NODELAY, 1)
            }
        }
        let connected = target.withPointer { sluice_connect(made, $0, $1) }
        guard connected == 0 || connected == -EINPROGRESS else {
            if connected == -EADDRNOTAVAIL { return noteShortage(EADDRNOTAVAIL) }
            return connectFailed(-connected, now: now)
        }
        let added = sluice_epoll_control(epoll.raw, epollAdd, made, connectionEvents, token)
        guard added == 0 else { return noteShortage(-added) }
        if connected == 0 {
            noteConnected(now)
            proceed(now: now, scratch)
        }
    }

    /// The socket reported something.
    func handle(_ events: UInt32, now: Int64, _ scratch: UnsafeMutableRawBufferPointer) {
        if phase == .connecting {
            if events & (epollError | epollHangUp) != 0 {
                let error = sluice_socket_error(descriptor)
                // Connected and reset at once is no failure to connect.
                return connectFailed(error == 0 ? ECONNRESET : error, now: now)
            }
            guard events & epollOut != 0 else { return }
            noteConnected(now)
        }
        proceed(now: now, scratch)
    }

    /// Its ``deadline`` has come.
    func expire(now: Int64, _ scratch: UnsafeMutableRawBufferPointer) {
        if nextLook <= now { nextLook = 0 }
        // What is there already is in time.
        if now >= began + plan.timeout { conversation?.noteLastLook() }
        if phase != .connecting { proceed(now: now, scratch) }
        guard !isDone, now >= latest else { return }
        switch phase {
        case .connecting: fail(.connectTimeout, "no connection in time", now: now)
        case .handshake: fail(.timeout, "no TLS handshake in time", now: now)
        case .request, .answer: fail(.timeout, "no answer to the request for TLS in time", now: now)
        case .header: fail(.timeout, "the PROXY header was not taken in time", now: now)
        case .talking: failStep(.timeout, now: now)
        case .done: return
        }
    }

    private static func family(of address: StreamAddress) -> Int32 {
        switch address {
        case .unix: AF_UNIX
        case .ip(let address): address.ip.isV4 ? AF_INET : AF_INET6
        }
    }

    private func noteConnected(_ now: Int64) {
        connectedAt = now - began
        phase = .header
    }

    /// Goes on until something is awaited.
    private func proceed(now: Int64, _ scratch: UnsafeMutableRawBufferPointer) {
        while true {
            let goesOn: Bool
            switch phase {
            case .connecting, .done: return
            case .header: goesOn = sendAll(plan.header, then: plan.tls == nil ? .talking : .request, now: now)
            case .request:
                goesOn = sendAll(plan.request, then: plan.request.isEmpty ? .handshake : .answer, now: now)
            case .answer: goesOn = readAnswer(now: now)
            case .handshake: goesOn = handshake(now: now)
            case .talking: goesOn = talk(now: now, scratch)
            }
            guard goesOn else { return }
        }
    }

    // MARK: Before the conversation

    private func sendAll(_ bytes: [UInt8], then next: Phase, now: Int64) -> Bool {
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { all -> Int64 in
                let rest = UnsafeRawBufferPointer(rebasing: all[sent...])
                return sluice_send(descriptor, rest.baseAddress, rest.count, 0)
            }
            if count == wouldBlock { return false }
            guard count > 0 else {
                reset("the connection was reset", now: now)
                return false
            }
            sent += Int(count)
        }
        (sent, phase) = (0, next)
        return true
    }

    private func readAnswer(now: Int64) -> Bool {
        var answer: UInt8 = 0
        let count = sluice_recv(descriptor, &answer, 1, 0)
        if count == wouldBlock { return false }
        if count == 1, answer == UInt8(ascii: "S") {
            phase = .handshake
            return true
        }
        let said = count == 1 ? "answered \"\(printable([answer]))\" to" : "closed after"
        fail(.tlsError, "the endpoint \(said) the request for TLS", now: now)
        return false
    }

    private func handshake(now: Int64) -> Bool {
        guard let tls = plan.tls else { return false }
        if ssl == nil {
            // A whole handshake each time: a certificate that has run out is to be seen.
            guard let made = tls.makeConnection(to: endpoint, resumes: false) else {
                noteShortage(ENOMEM)
                return false
            }
            ssl = made
            guard SSL_set_fd(made, descriptor) == 1 else {
                noteShortage(ENOMEM)
                return false
            }
        }
        guard let ssl else { return false }
        ERR_clear_error()
        let result = sluice_tls_handshake(ssl)
        if result == 1 {
            if let problem = tls.verifyPeer(of: ssl) {
                fail(.tlsError, problem, now: now)
                return false
            }
            securedAt = now - began
            phase = .talking
            return true
        }
        let error = SSL_get_error(ssl, result)
        if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE { return false }
        isBroken = true
        if error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN {
            fail(.tlsError, "the connection ended during the TLS handshake", now: now)
        } else if let problem = tls.verificationProblem(of: ssl) {
            fail(.tlsError, problem, now: now)
        } else {
            fail(.tlsError, "TLS handshake: \(CheckRun.takeTLSError())", now: now)
        }
        return false
    }

    private static func takeTLSError() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else { return "failed" }
        return String(cString: text)
    }
}

extension CheckRun {
    // MARK: The end

    private func connectFailed(_ error: Int32, now: Int64) {
        let reason: CheckFailureReason =
            switch error {
            case ECONNREFUSED, ENOENT: .connectRefused
            case ECONNRESET, EPIPE: .reset
            case ETIMEDOUT: .connectTimeout
            default: .connectUnreachable
            }
        fail(reason, "\(Errno(rawValue: error))", now: now)
    }

    func reset(_ problem: String, now: Int64) {
        fail(.reset, problem, now: now, step: conversation?.step)
    }

    func failStep(_ failure: CheckConversation.Failure, now: Int64) {
        let step = conversation?.step
        switch failure {
        case .timeout: fail(.timeout, "nothing that fits came in time", now: now, step: step)
        case .closed: fail(.closed, "the endpoint closed", now: now, step: step)
        case .noMatch:
            fail(.noMatch, "not in the first \(plan.script.maximumBytes) bytes", now: now, step: step)
        }
    }

    private func fail(_ reason: CheckFailureReason, _ problem: String, now: Int64, step: Int? = nil) {
        let received = Array((conversation?.unmatched ?? []).prefix(CheckFailure.keptBytes + 1))
        end(CheckFailure(reason: reason, step: step, problem: problem, received: received), now: now)
    }

    func pass(now: Int64) { end(nil, now: now) }

    private func end(_ failure: CheckFailure?, now: Int64) {
        guard phase != .done else { return }
        phase = .done
        result = CheckResult(
            failure: failure, duration: now - began, connected: connectedAt, secured: securedAt,
            outcomes: conversation?.outcomes ?? [])
        if let ssl, !isBroken, securedAt != nil {
            // close_notify, as far as it goes at once: then the connection is reset.
            ERR_clear_error()
            _ = sluice_tls_shutdown(ssl)
            ERR_clear_error()
        }
        closeSocket()
    }

    private func noteShortage(_ error: Int32) {
        shortage = "\(Errno(rawValue: error))"
        phase = .done
        closeSocket()
    }

    private func closeSocket() {
        if let ssl { SSL_free(ssl) }
        ssl = nil
        if descriptor >= 0 { _ = sluice_close(descriptor) }
        descriptor = -1
    }
}
