internal import COpenSSL
internal import Platform

/// A fixed buffer that all connections of a thread read through.
final class EchoBuffer {
    let bytes: UnsafeMutableRawBufferPointer
    init(capacity: Int) { bytes = .allocate(byteCount: capacity, alignment: 16) }
    deinit { bytes.deallocate() }
}

/// How one attempt to move bytes went.
enum EchoOutcome: Equatable {
    case done(Int)
    case wantRead
    case wantWrite
    /// FIN on plain TCP, close_notify on TLS.
    case ended
    /// TLS: FIN without close_notify.
    case truncated
    case failed(String)
}

/// One non-blocking connection, plain or TLS. Owns its socket.
final class EchoTransport {
    let socket: FileDescriptor
    private let ssl: OpaquePointer?

    /// nil: no memory.
    init?(_ socket: consuming FileDescriptor, _ context: EchoTLSContext?) {
        var ssl: OpaquePointer?
        if let context {
            ssl = SSL_new(context.pointer)
            guard let ssl, SSL_set_fd(ssl, socket.raw) == 1 else {
                SSL_free(ssl)
                ERR_clear_error()
                return nil
            }
        }
        self.ssl = ssl
        self.socket = socket
    }

    deinit { SSL_free(ssl) }

    var isTLS: Bool { ssl != nil }

    func handshake() -> EchoOutcome {
        guard let ssl else { return .done(0) }
        return attempt(ssl) { SSL_accept($0) }
    }

    func read(_ buffer: EchoBuffer) -> EchoOutcome {
        guard let ssl else { return readPlain(buffer) }
        return attempt(ssl) { SSL_read($0, buffer.bytes.baseAddress, Int32(clamping: buffer.bytes.count)) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> EchoOutcome {
        guard let ssl else {
            do {
                return .done(try socket.write(bytes))
            } catch {
                return error == .wouldBlock ? .wantWrite : .failed(error.description)
            }
        }
        return attempt(ssl) { SSL_write($0, bytes.baseAddress, Int32(clamping: bytes.count)) }
    }

    /// close_notify; the FIN goes out with the socket.
    func finish() -> EchoOutcome {
        guard let ssl else { return .done(0) }
        return attempt(ssl) { ssl in
            let result = SSL_shutdown(ssl)
            // 0: ours is out, the client's has yet to come; nobody waits for it.
            return result == 0 ? 1 : result
        }
    }

    /// Takes raw bytes off the socket after a handshake that failed.
    func discard(_ buffer: EchoBuffer) -> EchoOutcome { readPlain(buffer) }

    /// FIN without anything of TLS before it.
    func shutdownWrite() { try? StreamSocket.shutdownWrite(socket) }

    private func readPlain(_ buffer: EchoBuffer) -> EchoOutcome {
        do {
            let count = try socket.read(into: buffer.bytes)
            return count == 0 ? .ended : .done(count)
        } catch {
            return error == .wouldBlock ? .wantRead : .failed(error.description)
        }
    }

    private func attempt(_ ssl: OpaquePointer, _ operation: (OpaquePointer) -> Int32) -> EchoOutcome {
        ERR_clear_error()
        let result = operation(ssl)
        let error = SSL_get_error(ssl, result)
        defer { ERR_clear_error() }
        switch error {
        case SSL_ERROR_NONE: return .done(Int(result))
        case SSL_ERROR_WANT_READ: return .wantRead
        case SSL_ERROR_WANT_WRITE: return .wantWrite
        case SSL_ERROR_ZERO_RETURN: return sluice_saw_close_notify(ssl) == 1 ? .ended : .truncated
        case SSL_ERROR_SYSCALL: return .failed("connection reset")
        default:
            let code = ERR_peek_last_error()
            return .failed(ERR_reason_error_string(code).map { String(cString: $0) } ?? "TLS failure")
        }
    }

    /// nil on plain TCP.
    var facts: TLSFacts? {
        guard let ssl else { return nil }
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &bytes, &count)
        let alpn = bytes.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self) }
        return TLSFacts(
            serverName: SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) },
            alpn: count > 0 ? alpn : nil, version: String(cString: SSL_get_version(ssl)))
    }
}
