internal import CLinux
internal import COpenSSL
internal import Glibc

/// What came after the bytes of a TLS read.
enum TLSReadEnding {
    /// The buffer is full: there may be more.
    case none
    case wouldBlock
    case closeNotify
    /// FIN without close_notify.
    case truncated
    case reset
    case failed
}

extension Worker {
    /// The longest plaintext of one record (RFC 8446 §5.1). One SSL_write takes at most that, so that a write that must
    /// be repeated is repeated with at least as many bytes.
    private static let recordSize = 16 << 10
    /// Records that one round takes at most: a stream of tiny ones must not keep the others waiting.
    private static let recordsPerRound = 64

    /// Gathers records into the scratch buffer: several reads, one write.
    func readTLS(_ source: UnsafeMutablePointer<Side>, _ size: Int) -> (count: Int, ending: TLSReadEnding) {
        guard let ssl = source.pointee.tls, !source.pointee.flags.contains(.tlsBroken) else {
            return (0, source.pointee.flags.contains(.tlsReset) ? .reset : .failed)
        }
        var (count, records) = (0, 0)
        while count < size, records < Worker.recordsPerRound {
            records += 1
            ERR_clear_error()
            let result = sluice_tls_read(ssl, scratch + count, Int32(size - count))
            guard result <= 0 else {
                count += Int(result)
                continue
            }
            let ending = classify(ssl, result, source)
            return (count, ending)
        }
        return (count, .none)
    }

    private func classify(
        _ ssl: OpaquePointer, _ result: Int32, _ source: UnsafeMutablePointer<Side>
    ) -> TLSReadEnding {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            return .wouldBlock
        case SSL_ERROR_ZERO_RETURN where sluice_sent_too_many_messages(ssl) == 1,
            SSL_ERROR_SYSCALL where sluice_sent_too_many_messages(ssl) == 1:
            source.pointee.flags.insert(.tlsBroken)
            return .failed
        case SSL_ERROR_ZERO_RETURN:
            return sluice_saw_close_notify(ssl) == 1 ? .closeNotify : .truncated
        case let error:
            brokeTLS(source, error)
            return error == SSL_ERROR_SYSCALL ? .reset : .failed
        }
    }

    /// The session must not be used again; it is the socket that failed (SSL_ERROR_SYSCALL), or what the peer sent.
    private func brokeTLS(_ side: UnsafeMutablePointer<Side>, _ error: Int32) {
        side.pointee.flags.insert(error == SSL_ERROR_SYSCALL ? [.tlsBroken, .tlsReset] : .tlsBroken)
    }

    /// Bytes taken, -1 when the session or its socket failed.
    func writeTLS(_ sink: UnsafeMutablePointer<Side>, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard let ssl = sink.pointee.tls, !sink.pointee.flags.contains(.tlsBroken) else { return -1 }
        var written = 0
        while written < count {
            ERR_clear_error()
            let result = sluice_tls_write(ssl, bytes + written, Int32(min(Worker.recordSize, count - written)))
            guard result <= 0 else {
                written += Int(result)
                continue
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_WRITE, SSL_ERROR_WANT_READ: return written
            case let error:
                brokeTLS(sink, error)
                return -1
            }
        }
        return written
    }

    /// False: there was no room for it yet.
    func sendCloseNotify(_ ssl: OpaquePointer, _ sink: UnsafeMutablePointer<Side>) -> Bool {
        ERR_clear_error()
        let result = sluice_tls_shutdown(ssl)
        guard result < 0 else { return true }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_WRITE: return false
        case SSL_ERROR_WANT_READ: return true
        case let error:
            brokeTLS(sink, error)
            return true
        }
    }
}
