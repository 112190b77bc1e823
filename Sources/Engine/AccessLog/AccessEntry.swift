internal import EngineModel
internal import Primitives

/// A note as it is read: its fields, by name.
struct AccessEntry {
    let record: UnsafePointer<AccessRecord>
    private let texts: UnsafeRawPointer
    private let clockOffset: Int64
    /// JA4; empty: none is known.
    private let fingerprint: [UInt8]

    @inline(__always)
    init(_ note: UnsafeRawPointer, _ clockOffset: Int64, fingerprint: [UInt8] = []) {
        record = note.assumingMemoryBound(to: AccessRecord.self)
        texts = note + MemoryLayout<AccessRecord>.stride
        self.clockOffset = clockOffset
        self.fingerprint = fingerprint
    }

    /// Nil where the connection has none.
    func text(_ text: AccessText) -> UnsafeRawBufferPointer? {
        let count = Int(record.pointee.counts[text.rawValue])
        guard count > 0 else { return nil }
        var offset = 0
        for index in 0..<text.rawValue { offset += Int(record.pointee.counts[index]) }
        return UnsafeRawBufferPointer(start: texts + offset, count: count)
    }

    /// Nil where the connection has none.
    func name(_ field: AccessLogField) -> UnsafeRawBufferPointer? {
        let note = record.pointee
        let name: UnsafeRawBufferPointer? =
            switch field {
            case .gateway: note.listener?.first
            case .listener: note.listener?.second
            case .route: note.route?.first
            case .routeKind: note.route?.second
            case .backend: note.backend?.first
            default: nil
            }
        guard let name, !name.isEmpty else { return nil }
        return name
    }

    /// Since 1970.
    var startTime: Int64 { record.pointee.acceptedAt + clockOffset }
    var duration: Int64 { record.pointee.at - record.pointee.acceptedAt }
    private var isEnd: Bool { record.pointee.event == .close }

    /// Whether there is anything of what few connections have.
    var hasMore: Bool {
        @inline(__always) get {
            record.pointee.size > UInt32(MemoryLayout<AccessRecord>.stride)
                || record.pointee.proxyVersion != 0 || record.pointee.flags.contains(.isTerminated)
                || !fingerprint.isEmpty
        }
    }

    /// Whether the connection has the field.
    func has(_ field: AccessLogField) -> Bool {
        let note = record
        return switch field {
        case .startTime, .durationMilliseconds, .event, .connectionID, .configGeneration, .downstreamRemoteAddress,
            .downstreamDirectRemoteAddress, .bytesReceived, .bytesSent:
            true
        case .upstreamHost: note.pointee.flags.contains(.hasUpstream) || text(.upstreamPath) != nil
        case .upstreamLocalAddress: note.pointee.flags.contains(.hasUpstreamLocal)
        case .upstreamAttempts: note.pointee.attempts > 0
        case .downstreamLocalAddress: note.pointee.flags.contains(.hasLocal)
        case .proxyProtocolVersion: note.pointee.proxyVersion > 0
        case .tlsResumed: note.pointee.flags.contains(.isTerminated)
        case .proxyMilliseconds, .handshakeMilliseconds, .queueMilliseconds, .connectMilliseconds,
            .firstByteMilliseconds:
            time(field) >= 0
        case .closeReason, .closeSide: isEnd
        case .closeDetail: text(.detail) != nil || text(.policy) != nil
        case .throttledMilliseconds: note.pointee.throttled > 0
        case .gateway, .listener, .route, .routeKind, .backend: name(field) != nil
        case .ja4: !fingerprint.isEmpty
        default: field.text.flatMap { text($0) } != nil
        }
    }

    /// Adds the value of a field that the connection has; texts are escaped, without quotes.
    func write(_ field: AccessLogField, to buffer: inout LineBuffer) {
        let note = record
        switch field {
        case .startTime: buffer.append(time: startTime)
        case .durationMilliseconds: buffer.append(milliseconds: duration)
        case .event: buffer.append(note.pointee.event.name)
        case .connectionID: buffer.append(hexadecimal: note.pointee.id)
        case .configGeneration: buffer.append(decimal: note.pointee.generation)
        case .upstreamHost: writeUpstream(to: &buffer)
        case .upstreamLocalAddress: buffer.append(note.pointee.upstreamLocal)
        case .upstreamAttempts: buffer.append(decimal: UInt64(note.pointee.attempts))
        case .downstreamRemoteAddress: buffer.append(note.pointee.client)
        case .downstreamDirectRemoteAddress:
            buffer.append(note.pointee.flags.contains(.isDirect) ? note.pointee.client : note.pointee.peer)
        case .downstreamLocalAddress: buffer.append(note.pointee.local)
        case .proxyProtocolVersion: buffer.append(decimal: UInt64(note.pointee.proxyVersion))
        case .tlsResumed: buffer.append(note.pointee.flags.contains(.isResumed) ? "true" : "false")
        case .bytesReceived: buffer.append(decimal: note.pointee.received)
        case .bytesSent: buffer.append(decimal: note.pointee.sent)
        case .proxyMilliseconds, .handshakeMilliseconds, .queueMilliseconds, .connectMilliseconds,
            .firstByteMilliseconds, .throttledMilliseconds:
            buffer.append(milliseconds: time(field))
        case .closeReason: buffer.append(AccessWords.reasons[note.pointee.reason.index])
        case .closeSide: buffer.append(AccessWords.sides[note.pointee.side] ?? [])
        case .closeDetail: writeDetail(to: &buffer)
        case .ja4: buffer.append(fingerprint)
        case .gateway, .listener, .route, .routeKind, .backend:
            if let name = name(field) { buffer.append(escaped: name) }
        default: if let text = field.text.flatMap({ text($0) }) { buffer.append(escaped: text) }
        }
    }

    private func time(_ field: AccessLogField) -> Int64 {
        switch field {
        case .proxyMilliseconds: record.pointee.proxy
        case .handshakeMilliseconds: record.pointee.handshake
        case .queueMilliseconds: record.pointee.queue
        case .connectMilliseconds: record.pointee.connect
        case .firstByteMilliseconds: record.pointee.firstByte
        case .throttledMilliseconds: record.pointee.throttled
        default: -1
        }
    }

    private func writeUpstream(to buffer: inout LineBuffer) {
        if record.pointee.flags.contains(.hasUpstream) {
            buffer.append(record.pointee.upstream)
        } else if let path = text(.upstreamPath) {
            buffer.append("unix:")
            buffer.append(escaped: path)
        }
    }

    private func writeDetail(to buffer: inout LineBuffer) {
        if let detail = text(.detail) { buffer.append(escaped: detail) }
        guard let policy = text(.policy) else { return }
        buffer.append(text(.detail) == nil ? "ClientPolicy " : ", ClientPolicy ")
        buffer.append(escaped: policy)
    }
}

extension AccessLogField {
    /// Where it stands in a note, if it is one of its texts.
    fileprivate var text: AccessText? {
        switch self {
        case .requestedServerName: .serverName
        case .alpn: .alpn
        case .tlsVersion: .tlsVersion
        case .tlsCipher: .tlsCipher
        case .clientCertificateSubject: .subject
        case .clientCertificateSAN: .names
        case .clientCertificateSPKI: .publicKey
        case .authorizationRule: .rule
        default: nil
        }
    }
}

extension AccessEvent {
    fileprivate var name: StaticString {
        switch self {
        case .open: "open"
        case .periodic: "periodic"
        case .close: "close"
        case .hello: ""
        }
    }
}

/// Words of lines, made once.
enum AccessWords {
    /// By ``CloseReason/index``.
    static let reasons = CloseReason.allCases.map { Array($0.rawValue.utf8) }
    static let sides: [CloseSide: [UInt8]] = Dictionary(
        uniqueKeysWithValues: CloseSide.allCases.map { ($0, Array($0.rawValue.utf8)) })
}

extension AccessEntry {
    /// Fields that the connection has not are a hyphen.
    func write(_ template: AccessLogTemplate, to buffer: inout LineBuffer) {
        for piece in template.pieces {
            switch piece {
            case .text(let text): buffer.append(Array(text.utf8))
            case .field(let field):
                if has(field) { write(field, to: &buffer) } else { buffer.append(UInt8(ascii: "-")) }
            }
        }
    }
}
