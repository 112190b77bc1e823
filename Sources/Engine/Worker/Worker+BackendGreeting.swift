internal import CLinux
internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Glibc
internal import Platform

// What an endpoint is told in the clear before anything else: who the client is (PROXY protocol), and that TLS is wanted
// (PostgreSQL). Each attempt says it anew; until it is said in full no other byte goes that way.

/// What the socket did not take yet; there is one only while it takes no more.
final class PendingGreeting {
    let bytes: [UInt8]
    var sent: Int
    let asksForTLS: Bool

    init(bytes: [UInt8], sent: Int, asksForTLS: Bool) {
        (self.bytes, self.sent, self.asksForTLS) = (bytes, sent, asksForTLS)
    }
}

extension Worker {
    func greet(_ slot: Int, _ backend: BackendRuntime) -> StageOutcome {
        let settings = backend.configuration.settings
        var bytes: [UInt8] = []
        if let sending = settings.proxyProtocol {
            let (header, dropped) = headerToSend(slot, sending)
            guard let header else { return .refuse(.internalError, .proxy) }
            bytes = header
            if !dropped.isEmpty { noteDropped(slot, backend, dropped) }
        }
        // The client was told to go on, so the backend has to say the same.
        let repeats =
            backend.tls == nil && records[slot].opening.contains(.requestedTLS)
            && records[slot].tlsMode == .passthrough
        guard settings.startTLS == nil || backend.tls != nil || repeats else {
            return backendTLSFailed(slot, backend, "TLS is to be asked for, but there is none")
        }
        let asksForTLS = settings.startTLS != nil || repeats
        if asksForTLS { bytes += PostgresStart.sslRequestBytes }
        return send(slot, backend, PendingGreeting(bytes: bytes, sent: 0, asksForTLS: asksForTLS))
    }

    /// The socket takes more, or has failed.
    func continueGreeting(_ slot: Int) -> StageOutcome {
        let side = sides + (2 * slot + 1)
        if side.pointee.flags.contains(.failed) {
            return connectFailed(slot, sluice_socket_error(side.pointee.descriptor))
        }
        guard side.pointee.flags.contains(.writable) else { return .wait }
        guard let backend = records[slot].backend?.takeUnretainedValue(),
            let pending = records[slot].greeting?.takeRetainedValue()
        else { return .refuse(.internalError, .proxy) }
        records[slot].greeting = nil
        return send(slot, backend, pending)
    }

    private func send(_ slot: Int, _ backend: BackendRuntime, _ greeting: PendingGreeting) -> StageOutcome {
        let side = sides + (2 * slot + 1)
        while greeting.sent < greeting.bytes.count {
            let sent = greeting.bytes.withUnsafeBytes { bytes in
                sluice_send(
                    side.pointee.descriptor, bytes.baseAddress.map { $0 + greeting.sent }, bytes.count - greeting.sent,
                    0)
            }
            if sent == wouldBlock {
                side.pointee.flags.remove(.writable)
                records[slot].greeting = .passRetained(greeting)
                records[slot].stage = .greet
                return .wait
            }
            guard sent >= 0 else { return connectFailed(slot, sent == -Int64(EPIPE) ? ECONNRESET : Int32(-sent)) }
            greeting.sent += Int(sent)
        }
        return greeting.asksForTLS ? .proceed(.backendStartTLS) : greeted(slot, backend)
    }

    func dropGreeting(_ slot: Int) {
        records[slot].greeting?.release()
        records[slot].greeting = nil
    }

    private func noteDropped(_ slot: Int, _ backend: BackendRuntime, _ dropped: [ProxyProtocolSending.Field]) {
        backend.cells[handle.index].add(BackendField.droppedTLVs, UInt64(dropped.count))
        let names = dropped.map { "\($0)" }.joined(separator: ", ")
        logFailure(slot, .internalError, "the PROXY header has no room for all of its TLVs", "left out: \(names)")
    }
}
