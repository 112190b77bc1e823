internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Platform

/// A question to every worker about its connections, or an order to end some.
final class SlotWalk: Sendable {
    struct Result {
        var connections: [ConnectionInfo] = []
        var workersLeft = 0
    }
    let limit: Int
    /// Nil: only look.
    let closes: CloseReason?
    let isWanted: @Sendable (ConnectionInfo) -> Bool
    let result = Monitored(Result())

    init(limit: Int, closes: CloseReason?, isWanted: @escaping @Sendable (ConnectionInfo) -> Bool) {
        self.limit = limit
        self.closes = closes
        self.isWanted = isWanted
    }
}

/// How far a worker has come with a walk.
struct SlotCursor {
    let walk: SlotWalk
    var next = 0
}

extension Worker {
    /// Slots looked at in one turn.
    private static let walkStride = 256

    func begin(_ walk: SlotWalk) {
        walks.append(SlotCursor(walk: walk))
        isGoingThroughSlots = true
    }

    /// Goes on with all that looks at every slot, the same in each turn.
    func goThroughSlots() {
        if !walks.isEmpty { continueWalks() }
        if !rechecks.isEmpty { continueRechecks() }
        if sweepNext >= 0 { continueSweep() }
        if rebindNext >= 0 { continueRebind() }
        isGoingThroughSlots = !walks.isEmpty || !rechecks.isEmpty || sweepNext >= 0 || rebindNext >= 0
    }

    private func continueWalks() {
        for index in walks.indices {
            let end = min(walks[index].next + Worker.walkStride, highestSlot)
            let walk = walks[index].walk
            var found: [ConnectionInfo] = []
            for slot in walks[index].next..<max(end, walks[index].next) {
                guard let info = describe(slot), walk.isWanted(info) else { continue }
                found.append(info)
                if let reason = walk.closes { endOnDemand(slot, reason) }
            }
            walks[index].next = end
            let isDone = end >= highestSlot
            let isFull = walk.result.update { result in
                result.connections += found.prefix(max(0, walk.limit - result.connections.count))
                let isFull = result.connections.count >= walk.limit
                if isDone || isFull { result.workersLeft -= 1 }
                return isFull
            }
            if isDone || isFull { walks[index].next = .max }
        }
        walks.removeAll { $0.next == .max }
    }

    private func endOnDemand(_ slot: Int, _ reason: CloseReason) {
        close(slot, reason, .proxy, reset: false)
    }

    /// Nil for a free slot.
    private func describe(_ slot: Int) -> ConnectionInfo? {
        let record = records[slot]
        guard record.stage != .free else { return nil }
        let tls = sides[2 * slot].tls
        let proxy = record.proxyHeader?.takeUnretainedValue().header
        let idle =
            record.lastActivity > 0 ? nowMilliseconds - record.lastActivity : (now - record.acceptedAt) / 1_000_000
        return ConnectionInfo(
            id: record.id, state: record.stage.publicState,
            listener: record.listener?.takeUnretainedValue().state.id,
            port: record.listener?.takeUnretainedValue().state.port,
            route: record.route?.takeUnretainedValue().configuration.id,
            backend: record.backend?.takeUnretainedValue().configuration.id,
            endpoint: record.endpoint.map { "\($0.takeUnretainedValue().address)" },
            attempts: Int(record.attempts), client: record.client, peer: record.peer,
            proxyProtocolVersion: proxy.map { Int($0.version.rawValue) },
            proxyUniqueID: proxy?.tlvs[ProxyTLVType.uniqueID].map { String(decoding: $0, as: UTF8.self) },
            serverName: record.serverName.map { String(cString: $0) },
            tlsVersion: record.handshakenAt > 0 ? tls.map { String(cString: SSL_get_version($0)) } : nil,
            tlsCipher: record.handshakenAt > 0
                ? tls.map { String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher($0))) } : nil,
            alpn: tls.flatMap(negotiatedALPN), age: .nanoseconds(now - record.acceptedAt), idle: .milliseconds(idle),
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
