@testable internal import EngineCore
internal import Primitives

extension FuzzTarget {
    /// Both versions of the PROXY protocol's header, read and written.
    static let proxyHeader = FuzzTarget(name: "proxy-header", maxLength: 4608) { bytes in
        for limit in [4096, 107, 16] {
            try requireCutIndependence(of: bytes, limit: limit) { part -> StartReading<ProxyHeaderParse> in
                switch ProxyHeader.parse(part, limit: limit) {
                case .needMore(let total): .needMore(total: total)
                case let decision: .decided(decision)
                }
            }
        }
        switch ProxyHeader.parse(bytes) {
        case .header(let header): try checkHeader(header, bytes)
        case .notProxy(let matching): try require(matching < min(bytes.count, 12), "\(matching) bytes match")
        case .malformed(let problem): try require(!"\(problem)".isEmpty, "a problem without words")
        case .needMore, .tooLarge: break
        }
        _ = try bytes.withPrefix(bytes.count) { try checkFacts(Array($0)) }
    }

    private static func checkHeader(_ header: ProxyHeader, _ bytes: UnsafeRawBufferPointer) throws {
        try require((8...min(bytes.count, 4096)).contains(header.consumedBytes), "takes \(header.consumedBytes) bytes")
        try requireEqual(header.source == nil, header.destination == nil, "source and destination")
        if let source = header.source, let destination = header.destination {
            try require(header.command == .proxy, "LOCAL with addresses")
            try requireEqual(source.ip, source.ip.unmapped, "source")
            try requireEqual(destination.ip, destination.ip.unmapped, "destination")
        }
        try checkTLVs(header.tlvs)
        if header.version == .v1 { try checkLine(header, bytes) }
        guard let written = header.encoded() else {
            throw BrokenInvariant(description: "a header of \(header.consumedBytes) bytes cannot be written")
        }
        try require(written.count <= header.mostEncodedBytes, "\(written.count) of \(header.mostEncodedBytes) bytes")
        guard case .header(let again) = written.withUnsafeBytes({ ProxyHeader.parse($0) }) else {
            throw BrokenInvariant(description: "what was written cannot be read: \(written)")
        }
        try requireEqual(again.consumedBytes, written.count, "bytes of the written header")
        try requireEqual(again.version, header.version, "version")
        try requireEqual(again.source, header.source, "source")
        try requireEqual(again.destination, header.destination, "destination")
        try requireEqual(again.encoded(), written, "the header written twice")
        guard header.version == .v2 else { return }
        try requireEqual(again.command, header.command, "command")
        try requireEqual(
            again.tlvs.filter { $0.type != ProxyTLVType.checksum }.map { [$0.type] + $0.value },
            header.tlvs.filter { $0.type != ProxyTLVType.checksum }.map { [$0.type] + $0.value }, "TLVs")
    }

    private static func checkTLVs(_ tlvs: ProxyTLVs) throws {
        var total = 0
        for tlv in tlvs {
            total += 3 + tlv.value.count
            try require(tlv.type != ProxyTLVType.uniqueID || tlv.value.count <= 128, "a long unique id")
            try require(tlvs[tlv.type] != nil, "a TLV that is not found")
        }
        try requireEqual(total, tlvs.encodedBytes, "bytes of the TLVs")
        try require(tlvs.count { $0.type == ProxyTLVType.checksum } <= 1, "two checksums")
        if let value = tlvs[ProxyTLVType.tls] { try checkFacts(Array(value)) }
    }

    /// The line of version 1 read once more, field by field.
    private static func checkLine(_ header: ProxyHeader, _ bytes: UnsafeRawBufferPointer) throws {
        try require(header.consumedBytes <= 107, "a line of \(header.consumedBytes) bytes")
        let line = String(decoding: bytes[..<header.consumedBytes], as: UTF8.self)
        let fields = line.dropLast(1).split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        try require(line.utf8.suffix(2).elementsEqual([13, 10]), "no end of line")
        guard let source = header.source, let destination = header.destination else {
            return try require(fields.count >= 2 && fields[1].hasPrefix("UNKNOWN"), "no addresses in \(line)")
        }
        try requireEqual(fields.count, 6, "fields of \(line)")
        try require(fields[1] == "TCP4" || fields[1] == "TCP6", "a family in \(line)")
        try requireEqual(IPAddress(fields[2])?.unmapped, source.ip, "source of \(line)")
        try requireEqual(IPAddress(fields[3])?.unmapped, destination.ip, "destination of \(line)")
        try requireEqual(UInt16(fields[4]), source.port, "source port of \(line)")
        try requireEqual(UInt16(fields[5]), destination.port, "destination port of \(line)")
    }

    private static func checkFacts(_ value: [UInt8]) throws {
        guard let facts = ProxyTLSFacts(value) else { return }
        guard let written = facts.encoded() else { return }
        try requireEqual(ProxyTLSFacts(written), facts, "facts of TLS, written and read")
    }
}
