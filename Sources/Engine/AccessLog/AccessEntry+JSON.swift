internal import EngineModel
internal import Primitives

// The form that is written most, so by hand: what every connection has in straight lines, what few have behind a test each.

extension AccessEntry {
    /// The most that a line takes: six bytes for each one of a text.
    static let longestJSON = 6 * 1024 * (AccessText.count + 5) + 4096

    /// An object with the fields that the connection has. There is room for ``longestJSON`` bytes.
    @inline(__always)
    func writeJSON(to buffer: inout LineBuffer) {
        let note = record
        var cursor = buffer.cursor
        buffer.putHead(startTime, &cursor)
        cursor.put("Z\",\"duration_ms\":")
        cursor.put(milliseconds: duration)
        switch note.pointee.event {
        case .close: cursor.put(",\"event\":\"close\",\"connection_id\":\"")
        case .open: cursor.put(",\"event\":\"open\",\"connection_id\":\"")
        // No line is made of these.
        case .hello: cursor.put(",\"connection_id\":\"")
        case .periodic: cursor.put(",\"event\":\"periodic\",\"connection_id\":\"")
        }
        cursor.put(hexadecimal: note.pointee.id)
        cursor.put("\",\"config_generation\":")
        cursor.put(decimal: note.pointee.generation)
        if let names = note.pointee.listener { cursor.put(padded: names.members) }
        if let names = note.pointee.route { cursor.put(padded: names.members) }
        if let names = note.pointee.backend { cursor.put(padded: names.members) }
        putUpstream(&cursor, &buffer)
        putDownstream(&cursor)
        if hasMore { putPeer(&cursor, &buffer) }
        cursor.put(",\"bytes_received\":")
        cursor.put(decimal: note.pointee.received)
        cursor.put(",\"bytes_sent\":")
        cursor.put(decimal: note.pointee.sent)
        putTimes(&cursor)
        if note.pointee.event == .close {
            cursor.put(padded: buffer.ends[note.pointee.reason, note.pointee.side])
        }
        if hasMore { putDetail(&cursor, &buffer) }
        if note.pointee.throttled > 0 {
            cursor.put(",\"throttled_ms\":")
            cursor.put(milliseconds: note.pointee.throttled)
        }
        cursor.put("}\n")
        buffer.advance(to: cursor)
    }

    @inline(__always)
    private func putUpstream(_ cursor: inout LineCursor, _ buffer: inout LineBuffer) {
        let note = record
        if note.pointee.flags.contains(.hasUpstream) {
            cursor.put(",\"upstream_host\":\"")
            cursor.put(note.pointee.upstream)
            cursor.put(UInt8(ascii: "\""))
        } else if hasMore {
            put(AccessMember.upstream, &cursor, &buffer)
        }
        if note.pointee.flags.contains(.hasUpstreamLocal) {
            cursor.put(",\"upstream_local_address\":\"")
            cursor.put(note.pointee.upstreamLocal)
            cursor.put(UInt8(ascii: "\""))
        }
        if note.pointee.attempts > 0 {
            cursor.put(",\"upstream_attempts\":")
            cursor.put(decimal: UInt64(note.pointee.attempts))
        }
    }

    @inline(__always)
    private func putDownstream(_ cursor: inout LineCursor) {
        let note = record
        cursor.put(",\"downstream_remote_address\":\"")
        let start = cursor.next
        cursor.put(note.pointee.client)
        let count = cursor.next - start
        cursor.put("\",\"downstream_direct_remote_address\":\"")
        if note.pointee.flags.contains(.isDirect) {
            cursor.repeat(from: start, count)
        } else {
            cursor.put(note.pointee.peer)
        }
        cursor.put(UInt8(ascii: "\""))
        if note.pointee.flags.contains(.hasLocal) {
            cursor.put(",\"downstream_local_address\":\"")
            cursor.put(note.pointee.local)
            cursor.put(UInt8(ascii: "\""))
        }
    }

    @inline(__always)
    private func putTimes(_ cursor: inout LineCursor) {
        let note = record
        // Below 0, all of them: most connections have none of these.
        if note.pointee.proxy & note.pointee.handshake & note.pointee.queue >= 0 { putRareTimes(&cursor) }
        if note.pointee.connect >= 0 {
            cursor.put(",\"t_connect_ms\":")
            cursor.put(milliseconds: note.pointee.connect)
        }
        if note.pointee.firstByte >= 0 {
            cursor.put(",\"t_first_byte_ms\":")
            cursor.put(milliseconds: note.pointee.firstByte)
        }
    }

    @inline(never)
    private func putRareTimes(_ cursor: inout LineCursor) {
        let note = record
        if note.pointee.proxy >= 0 {
            cursor.put(",\"t_proxy_ms\":")
            cursor.put(milliseconds: note.pointee.proxy)
        }
        if note.pointee.handshake >= 0 {
            cursor.put(",\"t_handshake_ms\":")
            cursor.put(milliseconds: note.pointee.handshake)
        }
        if note.pointee.queue >= 0 {
            cursor.put(",\"t_queue_ms\":")
            cursor.put(milliseconds: note.pointee.queue)
        }
    }

    // MARK: What few have

    @inline(never)
    private func putPeer(_ cursor: inout LineCursor, _ buffer: inout LineBuffer) {
        for member in AccessMember.peer { put(member, &cursor, &buffer) }
    }

    @inline(never)
    private func putDetail(_ cursor: inout LineCursor, _ buffer: inout LineBuffer) {
        for member in AccessMember.detail { put(member, &cursor, &buffer) }
    }

    private func put(_ member: AccessMember, _ cursor: inout LineCursor, _ buffer: inout LineBuffer) {
        guard has(member.field) else { return }
        buffer.advance(to: cursor)
        buffer.append(member.start)
        write(member.field, to: &buffer)
        if member.isText { buffer.append(UInt8(ascii: "\"")) }
        cursor = buffer.cursor
    }
}

/// A member of an object that few connections have.
private struct AccessMember {
    let field: AccessLogField
    /// `,"name":`, and of a text the first quote.
    let start: [UInt8]
    let isText: Bool

    init(_ field: AccessLogField, isText: Bool = true) {
        (self.field, self.isText) = (field, isText)
        start = Array(",\"\(field.rawValue)\":\(isText ? "\"" : "")".utf8)
    }

    static let upstream = AccessMember(.upstreamHost)
    static let peer = [
        AccessMember(.proxyProtocolVersion, isText: false), AccessMember(.requestedServerName), AccessMember(.alpn),
        AccessMember(.tlsVersion), AccessMember(.tlsCipher), AccessMember(.tlsResumed, isText: false),
        AccessMember(.clientCertificateSubject), AccessMember(.clientCertificateSAN),
        AccessMember(.clientCertificateSPKI), AccessMember(.ja4),
    ]
    static let detail = [AccessMember(.closeDetail), AccessMember(.authorizationRule)]
}

/// How an end is told in JSON, for each reason and side; made once and never freed.
struct AccessEnds: @unchecked Sendable {
    // Sendable because nothing is ever written there again.
    private let texts: UnsafePointer<UnsafeRawBufferPointer>

    static let shared = AccessEnds()

    /// `,"close_reason":"…","close_side":"…"`; beyond it ``LineCursor/slack`` bytes can be read.
    @inline(__always)
    subscript(reason: CloseReason, side: CloseSide) -> UnsafeRawBufferPointer {
        texts[reason.index &* 3 &+ side.index]
    }

    private init() {
        let (reasons, sides) = (CloseReason.allCases, CloseSide.allCases)
        let texts = UnsafeMutablePointer<UnsafeRawBufferPointer>.allocate(capacity: reasons.count * sides.count)
        for reason in reasons {
            for side in sides {
                let text = Array(",\"close_reason\":\"\(reason.rawValue)\",\"close_side\":\"\(side.rawValue)\"".utf8)
                let memory = UnsafeMutableRawPointer.allocate(byteCount: text.count + LineCursor.slack, alignment: 1)
                memory.initializeMemory(as: UInt8.self, repeating: 0, count: text.count + LineCursor.slack)
                memory.copyMemory(from: text, byteCount: text.count)
                (texts + (reason.index * sides.count + side.index)).initialize(
                    to: UnsafeRawBufferPointer(start: memory, count: text.count))
            }
        }
        self.texts = UnsafePointer(texts)
    }
}
