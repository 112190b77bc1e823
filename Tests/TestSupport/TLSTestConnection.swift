internal import COpenSSL
internal import Glibc
public import Platform
public import Primitives

public typealias TLSTestClient = TLSTestConnection

/// One TLS connection, client or server. One thread may send while another receives: the lock is held only while OpenSSL
/// works, never while it waits.
public final class TLSTestConnection: TestStream {
    private let socket: TestSocket
    private let ssl: Locked<SSLOwner>
    private let context: TLSTestContext
    public let localAddress: SocketAddress?
    public let peerAddress: SocketAddress?

    /// Connects and shakes hands as a client.
    public convenience init(
        to address: StreamAddress, _ options: TLSClientOptions = TLSClientOptions(), timeout: Duration = .seconds(10)
    ) throws {
        try self.init(over: try PlainClient(to: address, timeout: timeout), options, timeout: timeout)
    }

    /// To 127.0.0.1.
    public convenience init(
        port: UInt16, _ options: TLSClientOptions = TLSClientOptions(), timeout: Duration = .seconds(10)
    ) throws {
        try self.init(to: .ip(SocketAddress(.loopbackV4, port)), options, timeout: timeout)
    }

    /// Shakes hands as a client over a connection that may have carried other bytes before; `plain` is used up.
    public convenience init(
        over plain: PlainClient, _ options: TLSClientOptions, timeout: Duration = .seconds(10)
    ) throws {
        let context = try TLSTestContext(client: options)
        try self.init(plain, context)
        try ssl.withLock { try $0.prepare(options) }
        if !options.earlyData.isEmpty { try sendEarly(options.earlyData) }
        try shakeHands(timeout, asServer: false)
    }

    convenience init(accepted plain: PlainClient, _ context: TLSTestContext, timeout: Duration) throws {
        try self.init(plain, context)
        try shakeHands(timeout, asServer: true)
    }

    private init(_ plain: PlainClient, _ context: TLSTestContext) throws {
        (socket, localAddress, peerAddress) = (plain.socket, plain.localAddress, plain.peerAddress)
        self.context = context
        ssl = Locked(try SSLOwner(context, descriptor: try plain.socket.raw()))
    }

    public var ordinaryEnd: StreamEnd { .closeNotify }

    public func send(_ bytes: [UInt8], timeout: Duration) throws {
        let deadline = MonotonicTime.now() + timeout
        var offset = 0
        while offset < bytes.count {
            let count = try perform(until: deadline, "sending \(bytes.count) bytes over TLS") { ssl in
                bytes.withUnsafeBytes {
                    SSL_write(ssl, $0.baseAddress?.advanced(by: offset), Int32($0.count - offset))
                }
            }
            // Of a write that failed after the peer's close_notify OpenSSL says just that.
            guard count > 0 else { throw StreamError.reset }
            offset += count
        }
    }

    public func receive(max: Int, timeout: Duration) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max)
        let count = try perform(until: .now() + timeout, "receiving over TLS") { ssl in
            bytes.withUnsafeMutableBytes { SSL_read(ssl, $0.baseAddress, Int32($0.count)) }
        }
        bytes.removeSubrange(count...)
        return bytes
    }

    /// close_notify, without a FIN.
    public func halfClose() throws {
        _ = try ssl.withLock { owner in
            guard SSL_shutdown(owner.pointer) >= 0 else { throw TestFailure("SSL_shutdown: \(openSSLErrors())") }
        }
    }

    /// A FIN without close_notify before it, the cut-off that a receiver must not take for an end.
    public func finWithoutCloseNotify() throws { try socket.shutdownWrite() }
    /// close_notify, then FIN.
    public func finish() throws {
        try halfClose()
        try socket.shutdownWrite()
    }
    /// FIN without close_notify, in both directions.
    public func close() { socket.close() }
    public func reset() { socket.close(reset: true) }

    private func shakeHands(_ timeout: Duration, asServer: Bool) throws {
        let count = try perform(until: .now() + timeout, "the TLS handshake") { ssl in
            asServer ? SSL_accept(ssl) : SSL_connect(ssl)
        }
        if count == 0 { throw StreamError.truncated }
    }

    /// Repeats one operation while it wants to read or write; 0 is close_notify.
    private func perform(until deadline: MonotonicTime, _ what: String, _ operation: (OpaquePointer) -> Int32) throws
        -> Int
    {
        while true {
            _ = try socket.raw()
            let (result, error, number, isNotified) = ssl.withLock { owner in
                ERR_clear_error()
                errno = 0
                let result = operation(owner.pointer)
                let number = errno
                return (
                    result, SSL_get_error(owner.pointer, result), number, sluice_saw_close_notify(owner.pointer) == 1
                )
            }
            switch error {
            case SSL_ERROR_NONE: return Int(result)
            case SSL_ERROR_ZERO_RETURN:
                guard isNotified else { throw StreamError.truncated }
                return 0
            case SSL_ERROR_WANT_READ: try socket.wait(POLLIN, until: deadline, for: what)
            case SSL_ERROR_WANT_WRITE: try socket.wait(POLLOUT, until: deadline, for: what)
            case SSL_ERROR_SYSCALL: throw number == 0 ? StreamError.truncated : streamError(number)
            default: throw tlsError()
            }
        }
    }

    private func tlsError() -> StreamError {
        let reason = ERR_GET_REASON(ERR_peek_last_error())
        let text = openSSLErrors()
        if reason > SSL_AD_REASON_OFFSET, let alert = UInt8(exactly: reason - SSL_AD_REASON_OFFSET) {
            return .alert(TLSAlert(rawValue: alert))
        }
        let verification = ssl.withLock { SSL_get_verify_result($0.pointer) }
        guard verification != X509_V_OK else { return .tls(text) }
        return .tls("\(text): \(String(cString: X509_verify_cert_error_string(verification)))")
    }

    func withSSL<Value>(_ body: (OpaquePointer) throws -> Value) rethrows -> Value {
        try ssl.withLock { try body($0.pointer) }
    }
}

/// Owns one `SSL *` and frees it.
final class SSLOwner {
    let pointer: OpaquePointer

    init(_ context: TLSTestContext, descriptor: Int32? = nil) throws {
        guard let ssl = SSL_new(context.pointer) else { throw TestFailure(openSSLErrors()) }
        pointer = ssl
        if let descriptor { SSL_set_fd(ssl, descriptor) }
    }

    deinit { SSL_free(pointer) }

    func prepare(_ options: TLSClientOptions) throws {
        if let name = options.serverName { _ = sluice_set_server_name(pointer, name) }
        if let session = options.session {
            // A copy: it would be spoiled for the next connection when this one ends without close_notify.
            guard let copy = SSL_SESSION_dup(session.pointer) else { throw TestFailure(openSSLErrors()) }
            if !options.earlyData.isEmpty { SSL_SESSION_set_max_early_data(copy, UInt32(options.earlyData.count)) }
            SSL_set_session(pointer, copy)
            SSL_SESSION_free(copy)
        }
        guard options.trust != nil, let name = options.verifyName else { return }
        if IPAddress(name) != nil {
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(pointer), name)
        } else {
            SSL_set1_host(pointer, name)
        }
    }
}
