@testable import Engine
import EngineModel
import Observability
import Primitives
import TestSupport
import Testing

/// JSON as it is written, beside the plainest way to write it.
@Suite("Access log: JSON")
struct AccessEncoderTests {
    private let writer = NoteWriter()

    @Test("lines are what the plainest encoder makes of the same notes", arguments: [1, 2, 3] as [UInt64])
    func same(seed: UInt64) throws {
        var notes = RandomNotes(seed)
        for round in 0..<400 {
            var expected = ""
            var names: [AccessNames] = []
            let line = writer.line { draft in
                names = notes.fill(&draft)
                expected = PlainEncoder(draft.record.pointee, notes.texts, names).line
            }
            // Notes refer to them, and the line is made after the note.
            withExtendedLifetime(names) {}
            #expect(line == expected, "seed \(seed), note \(round)")
            _ = try AccessFields(String(line.dropLast()))
        }
    }

    @Test("numbers of every size")
    func numbers() {
        var values: [UInt64] = [0, .max, .max - 1]
        for power in 0..<64 as Range<UInt64> { values += [1 << power, (1 << power) - 1, (1 << power) + 1] }
        var ten: UInt64 = 1
        while ten < 1_000_000_000_000_000_000 {
            values += [ten, ten - 1, ten + 1, 9 * ten]
            ten *= 10
        }
        var buffer = LineBuffer(capacity: 4096)
        for value in values {
            buffer.removeAll()
            buffer.append(decimal: value)
            buffer.append(UInt8(ascii: " "))
            buffer.append(hexadecimal: value)
            #expect(String(decoding: buffer.bytes, as: UTF8.self) == "\(value) \(String(value, radix: 16))")
        }
        for time in [-1, 0, 999, 1000, 999_999, 1_000_000, 123_456_789, 86_400_000_000_000, Int64.max] {
            buffer.removeAll()
            buffer.append(milliseconds: time)
            #expect(String(decoding: buffer.bytes, as: UTF8.self) == PlainEncoder.milliseconds(time))
        }
    }

    @Test("times of successive seconds, and of the one before")
    func times() {
        var buffer = LineBuffer(capacity: 4096)
        for time in [1_763_812_371_443_000_000, 1_763_812_372_000_999_999, 1_763_812_371_999_999_999, 0, -5] as [Int64]
        {
            buffer.removeAll()
            buffer.append(time: time)
            #expect(String(decoding: buffer.bytes, as: UTF8.self) == PlainEncoder.time(max(0, time)))
        }
    }
}

/// Notes of all kinds, hostile texts among them.
private struct RandomNotes {
    private var random: SplitMix64
    /// What the last one was given.
    private(set) var texts: [AccessText: [UInt8]] = [:]

    init(_ seed: UInt64) { random = SplitMix64(seed: seed) }

    private mutating func number(below limit: UInt64) -> UInt64 { random.next() % limit }
    private mutating func isSo(_ percent: UInt64) -> Bool { number(below: 100) < percent }
    /// Small ones, and of any size.
    private mutating func value() -> UInt64 { random.next() >> number(below: 64) }

    private mutating func address() -> SocketAddress {
        let ip: IPAddress =
            isSo(70)
            ? .v4(UInt32(truncatingIfNeeded: random.next()))
            : .v6(high: isSo(50) ? 0 : random.next(), low: isSo(30) ? 0xffff_0000_0000 | value() >> 32 : random.next())
        return SocketAddress(ip, UInt16(truncatingIfNeeded: value()))
    }

    private mutating func text() -> [UInt8] {
        let longest = isSo(5) ? 3000 : 40
        let count = Int(number(below: UInt64(longest)))
        let isHostile = isSo(30)
        return (0..<count).map { _ in
            isHostile ? UInt8(truncatingIfNeeded: random.next()) : UInt8(32 + number(below: 95))
        }
    }

    private mutating func time(_ percent: UInt64) -> Int64 { isSo(percent) ? Int64(bitPattern: value() >> 1) : -1 }

    private mutating func names(_ one: AccessLogField, _ other: AccessLogField?) -> AccessNames? {
        guard isSo(80) else { return nil }
        let first = String(decoding: text(), as: UTF8.self)
        return AccessNames((one, first), other.map { ($0, String(decoding: text(), as: UTF8.self)) })
    }

    /// The names that the note refers to.
    mutating func fill(_ draft: inout AccessDraft) -> [AccessNames] {
        let note = draft.record
        note.pointee.event = [.open, .periodic, .close, .close][Int(number(below: 4))]
        note.pointee.reason = CloseReason.allCases[Int(number(below: UInt64(CloseReason.allCases.count)))]
        note.pointee.side = CloseSide.allCases[Int(number(below: 3))]
        note.pointee.attempts = isSo(50) ? 1 : UInt8(truncatingIfNeeded: value())
        note.pointee.proxyVersion = isSo(20) ? UInt8(1 + number(below: 2)) : 0
        note.pointee.flags = AccessFlags(rawValue: UInt8(truncatingIfNeeded: random.next()))
        (note.pointee.id, note.pointee.generation) = (value(), value())
        (note.pointee.received, note.pointee.sent) = (value(), value())
        note.pointee.acceptedAt = Int64(bitPattern: value() >> 2)
        note.pointee.at = note.pointee.acceptedAt + Int64(bitPattern: value() >> 2)
        (note.pointee.proxy, note.pointee.handshake, note.pointee.queue) = (time(20), time(20), time(20))
        (note.pointee.connect, note.pointee.firstByte, note.pointee.throttled) = (time(70), time(60), time(20))
        (note.pointee.client, note.pointee.peer, note.pointee.local) = (address(), address(), address())
        (note.pointee.upstream, note.pointee.upstreamLocal) = (address(), address())
        texts = [:]
        for text in AccessText.allCases where isSo(25) {
            let bytes = self.text()
            bytes.withUnsafeBytes { if let start = $0.baseAddress { draft.append(text, start, $0.count) } }
            texts[text] = Array(bytes.prefix(AccessRecord.longestText))
        }
        let (listener, route, backend) = (names(.gateway, .listener), names(.route, .routeKind), names(.backend, nil))
        note.pointee.listener = listener?.reference
        note.pointee.route = route?.reference
        note.pointee.backend = backend?.reference
        return [listener, route, backend].compactMap { $0 }
    }
}

/// A line by string interpolation.
private struct PlainEncoder {
    private let note: AccessRecord
    private let texts: [AccessText: [UInt8]]
    private let names: [AccessNames]

    init(_ note: AccessRecord, _ texts: [AccessText: [UInt8]], _ names: [AccessNames]) {
        (self.note, self.texts, self.names) = (note, texts, names)
    }

    static func milliseconds(_ time: Int64) -> String {
        let microseconds = max(0, time) / 1000
        let fraction = String(microseconds % 1000)
        return "\(microseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }

    static func time(_ time: Int64) -> String {
        var bytes: [UInt8] = []
        Timestamp.append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func quoted(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        JSONText.append(String(decoding: bytes, as: UTF8.self), to: &output)
        return String(decoding: output, as: UTF8.self)
    }
    private func text(_ text: AccessText) -> String? { texts[text].flatMap { $0.isEmpty ? nil : quoted($0) } }
    private func duration(_ time: Int64) -> String? { time < 0 ? nil : PlainEncoder.milliseconds(time) }
    private func flag(_ flag: AccessFlags, _ value: String) -> String? { note.flags.contains(flag) ? value : nil }

    private var upstream: String? {
        if let path = texts[.upstreamPath], !path.isEmpty, !note.flags.contains(.hasUpstream) {
            return quoted(Array("unix:".utf8) + path)
        }
        return flag(.hasUpstream, "\"\(note.upstream)\"")
    }

    private var detail: String? {
        let (detail, policy) = (texts[.detail] ?? [], texts[.policy] ?? [])
        guard !detail.isEmpty || !policy.isEmpty else { return nil }
        guard !policy.isEmpty else { return quoted(detail) }
        // Each text by itself, as a character may be cut in two between them.
        let start = detail.isEmpty ? "\"" : "\(quoted(detail).dropLast()), "
        return "\(start)ClientPolicy \(quoted(policy).dropFirst())"
    }

    private func value(_ field: AccessLogField) -> String? {
        switch field {
        case .startTime: "\"\(PlainEncoder.time(max(0, note.acceptedAt)))\""
        case .durationMilliseconds: PlainEncoder.milliseconds(note.at - note.acceptedAt)
        case .event: note.event == .close ? "\"close\"" : note.event == .open ? "\"open\"" : "\"periodic\""
        case .connectionID: "\"\(String(note.id, radix: 16))\""
        case .configGeneration: "\(note.generation)"
        case .gateway, .listener, .route, .routeKind, .backend: nil
        case .upstreamHost: upstream
        case .upstreamLocalAddress: flag(.hasUpstreamLocal, "\"\(note.upstreamLocal)\"")
        case .upstreamAttempts: note.attempts > 0 ? "\(note.attempts)" : nil
        case .downstreamRemoteAddress: "\"\(note.client)\""
        case .downstreamDirectRemoteAddress: "\"\(note.flags.contains(.isDirect) ? note.client : note.peer)\""
        case .downstreamLocalAddress: flag(.hasLocal, "\"\(note.local)\"")
        case .bytesReceived: "\(note.received)"
        case .bytesSent: "\(note.sent)"
        case .proxyMilliseconds: duration(note.proxy)
        case .handshakeMilliseconds: duration(note.handshake)
        case .queueMilliseconds: duration(note.queue)
        case .connectMilliseconds: duration(note.connect)
        case .firstByteMilliseconds: duration(note.firstByte)
        case .closeReason: note.event == .close ? "\"\(note.reason.rawValue)\"" : nil
        case .closeSide: note.event == .close ? "\"\(note.side.rawValue)\"" : nil
        case .closeDetail: detail
        case .throttledMilliseconds: note.throttled > 0 ? PlainEncoder.milliseconds(note.throttled) : nil
        default: peerValue(field)
        }
    }

    private func peerValue(_ field: AccessLogField) -> String? {
        switch field {
        case .proxyProtocolVersion: note.proxyVersion > 0 ? "\(note.proxyVersion)" : nil
        case .requestedServerName: text(.serverName)
        case .alpn: text(.alpn)
        case .tlsVersion: text(.tlsVersion)
        case .tlsCipher: text(.tlsCipher)
        case .tlsResumed: flag(.isTerminated, note.flags.contains(.isResumed) ? "true" : "false")
        case .clientCertificateSubject: text(.subject)
        case .clientCertificateSAN: text(.names)
        case .clientCertificateSPKI: text(.publicKey)
        case .authorizationRule: text(.rule)
        default: nil
        }
    }

    var line: String {
        var members: [String] = []
        for field in AccessLogField.allCases {
            if field == .upstreamHost {
                members += names.map { names in
                    String(decoding: names.reference.members, as: UTF8.self).dropFirst().description
                }.filter { !$0.isEmpty }
            }
            if let value = value(field) { members.append("\"\(field.rawValue)\":\(value)") }
        }
        return "{\(members.joined(separator: ","))}\n"
    }
}
