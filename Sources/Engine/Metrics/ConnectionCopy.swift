internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Primitives

/// What a worker copies of one of its connections for somebody who looks: numbers and references. The words are made of them by
/// whoever asked, on their own thread.
struct ConnectionCopy: Sendable {
    /// Text that OpenSSL has for as long as the process lives.
    struct LibraryText: @unchecked Sendable {
        // Sendable because nobody changes or frees what the pointer leads to: names of versions and ciphers are literals.
        let pointer: UnsafePointer<CChar>
    }

    let id: UInt64
    let stage: Stage
    let attempts: UInt8
    let client: SocketAddress
    let peer: SocketAddress
    let listener: ListenerRuntime?
    let route: RouteRuntime?
    let backend: BackendRuntime?
    let endpoint: EndpointState?
    let proxyHeader: ReceivedProxyHeader?
    let serverName: String?
    let tlsVersion: LibraryText?
    let tlsCipher: LibraryText?
    let alpn: String?
    /// Nanoseconds.
    let age: Int64
    /// Milliseconds.
    let idle: Int64
    let requestBytes: UInt64
    let responseBytes: UInt64
}

extension ConnectionInfo {
    init(_ copy: ConnectionCopy) {
        let proxy = copy.proxyHeader?.header
        self.init(
            id: copy.id, state: copy.stage.publicState, listener: copy.listener?.state.id,
            port: copy.listener?.state.port, route: copy.route?.configuration.id,
            backend: copy.backend?.configuration.id, endpoint: copy.endpoint.map { "\($0.address)" },
            attempts: Int(copy.attempts), client: copy.client, peer: copy.peer,
            proxyProtocolVersion: proxy.map { Int($0.version.rawValue) },
            proxyUniqueID: proxy?.tlvs[ProxyTLVType.uniqueID].map { String(decoding: $0, as: UTF8.self) },
            serverName: copy.serverName, tlsVersion: copy.tlsVersion.map { String(cString: $0.pointer) },
            tlsCipher: copy.tlsCipher.map { String(cString: $0.pointer) }, alpn: copy.alpn,
            age: .nanoseconds(copy.age), idle: .milliseconds(copy.idle), requestBytes: copy.requestBytes,
            responseBytes: copy.responseBytes)
    }
}

extension Worker {
    /// Nil for a free slot.
    func copy(_ slot: Int) -> ConnectionCopy? {
        let record = records + slot
        guard record.pointee.stage != .free else { return nil }
        let tls = sides[2 * slot].tls
        let handshaken = record.pointee.handshakenAt > 0 ? tls : nil
        let idle =
            record.pointee.lastActivity > 0
            ? nowMilliseconds - record.pointee.lastActivity : (now - record.pointee.acceptedAt) / 1_000_000
        return ConnectionCopy(
            id: record.pointee.id, stage: record.pointee.stage, attempts: record.pointee.attempts,
            client: record.pointee.client, peer: record.pointee.peer,
            listener: record.pointee.listener?.takeUnretainedValue(),
            route: record.pointee.route?.takeUnretainedValue(),
            backend: record.pointee.backend?.takeUnretainedValue(),
            endpoint: record.pointee.endpoint?.takeUnretainedValue(),
            proxyHeader: record.pointee.proxyHeader?.takeUnretainedValue(),
            serverName: record.pointee.serverName.map { String(cString: $0) },
            tlsVersion: handshaken.flatMap { SSL_get_version($0) }.map { .init(pointer: $0) },
            tlsCipher: handshaken.flatMap { SSL_CIPHER_get_name(SSL_get_current_cipher($0)) }
                .map { .init(pointer: $0) },
            alpn: tls.flatMap(negotiatedALPN), age: now - record.pointee.acceptedAt, idle: idle,
            requestBytes: flows[2 * slot].bytes, responseBytes: flows[2 * slot + 1].bytes)
    }

    private func negotiatedALPN(_ ssl: OpaquePointer) -> String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        guard let name, length > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }
}

extension Stage {
    fileprivate var publicState: ConnectionInfo.State {
        switch self {
        case .proxyHeader, .startTLS, .inspect: .inspecting
        case .handshake: .handshaking
        case .pending: .queued
        case .free, .admit, .choose, .resolve, .connect, .greet, .retry, .backendHandshake, .backendStartTLS:
            .connecting
        case .relay: .relaying
        case .linger, .delay: .closing
        }
    }
}
