@testable internal import Engine
@testable internal import EngineCore

extension FuzzTarget {
    /// The first bytes of a TLS client: ClientHello, the records that carry it, its outline and JA4.
    static let clientHello = FuzzTarget(name: "client-hello", maxLength: 4096) { bytes in
        let limits = [16384, 600]
        for limit in limits {
            try requireCutIndependence(of: bytes, limit: limit) { part -> StartReading<ClientHelloParse> in
                switch ClientHello.parse(part, limit: limit) {
                case .needMore(let total): .needMore(total: total)
                case let decision: .decided(decision)
                }
            }
        }
        if case .hello(let hello) = ClientHello.parse(bytes) { try checkHello(hello, bytes) }
        try checkReassembly(bytes)
        try checkOutline(bytes)
    }

    private static func checkHello(_ hello: ClientHello, _ bytes: UnsafeRawBufferPointer) throws {
        try require((9...min(bytes.count, 16384)).contains(hello.consumedBytes), "takes \(hello.consumedBytes) bytes")
        let other = try PlainHello(records: bytes)
        try requireEqual(hello.consumedBytes, other.consumed, "bytes taken")
        try requireEqual(hello.legacyVersion, other.version, "legacy_version")
        try requireEqual(hello.alpnProtocols, Array(other.protocols.prefix(64)), "ALPN")
        try requireEqual(hello.supportsTLS13, other.versions.contains(0x0304), "TLS 1.3")
        try requireEqual(hello.hasEncryptedClientHello, other.extensions[0xfe0d]?.first == 0, "ECH")
        let asked = other.name.map { $0.last == "." ? String($0.dropLast()) : $0 }?.lowercased()
        if let name = hello.serverName {
            try requireEqual(name, asked, "server name")
            try require(isHostName(name), "no host name: \(name)")
        }
        try requireEqual(hello.hasInvalidServerName, other.name != nil && hello.serverName == nil, "name not usable")
    }

    /// By RFC 1123, in lower case.
    private static func isHostName(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return name.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.unicodeScalars.allSatisfy {
                        "abcdefghijklmnopqrstuvwxyz0123456789-".unicodeScalars.contains($0)
                    }
            }
    }

    /// The message is the same whatever records its parts came in.
    private static func checkReassembly(_ bytes: UnsafeRawBufferPointer) throws {
        var records = HandshakeRecords()
        guard case .whole = records.scan(bytes, limit: 16384) else { return }
        let message = records.withMessage(of: bytes) { [UInt8]([1, 0, 0, 0]) + $0 }
        var cuts = CutPoints(in: bytes, salt: 1)
        var framed: [UInt8] = []
        var offset = 0
        let largest = [1, 3, 60, 16384][cuts.draw(below: 4)]
        var whole = message
        (whole[1], whole[2], whole[3]) = (0, UInt8((message.count - 4) >> 8), UInt8((message.count - 4) & 255))
        while offset < whole.count {
            let count = min(whole.count - offset, 1 + cuts.draw(below: largest))
            framed += [22, 3, UInt8(cuts.draw(below: 5)), UInt8(count >> 8), UInt8(count & 255)]
            framed += whole[offset..<offset + count]
            offset += count
        }
        guard framed.count <= 16384 else { return }
        let before = ClientHello.parse(bytes)
        let after = framed.withUnsafeBytes { ClientHello.parse($0) }
        if case .hello(var hello) = before {
            hello.consumedBytes = framed.count
            try requireEqual(after, .hello(hello), "the same hello in \(framed.count) bytes of records")
        } else {
            try requireEqual(after, before, "the same message in \(framed.count) bytes of records")
        }
        let first = outline(of: bytes)
        try requireEqual(framed.withUnsafeBytes { outline(of: $0) }, first, "its outline")
    }

    private static func checkOutline(_ bytes: UnsafeRawBufferPointer) throws {
        guard let written = outline(of: bytes) else { return }
        try require(written.count <= HelloOutline.mostBytes, "an outline of \(written.count) bytes")
        guard let outline = written.withUnsafeBytes({ HelloOutline($0) }) else {
            throw BrokenInvariant(description: "an outline that was written cannot be read")
        }
        let text = String(decoding: Fingerprint.ja4(outline), as: UTF8.self)
        try require(
            text.wholeMatch(of: /t(13|12|11|10|s3|00)[di][0-9]{4}[0-9A-Za-z]{2}(_[0-9a-f]{12}){2}/) != nil, text)
        var cache = FingerprintCache()
        for _ in 0..<2 {
            let kept = written.withUnsafeBytes { cache.text(of: $0) }
            try requireEqual(String(decoding: kept, as: UTF8.self), text, "a fingerprint that is kept")
        }
        guard case .hello(let hello) = ClientHello.parse(bytes) else { return }
        let other = try PlainHello(records: bytes)
        try requireEqual(outline.hasServerName, other.extensions[0] != nil, "server name in the outline")
        try requireEqual(outline.ciphers, other.ciphers.filter { !isGrease($0) }, "ciphers in the outline")
        try requireEqual(outline.extensions, other.order.filter { !isGrease($0) }, "extensions in the outline")
        let highest = other.versions.filter { !isGrease($0) }.max() ?? 0
        try requireEqual(outline.version, highest == 0 ? hello.legacyVersion : highest, "version in the outline")
    }

    private static func isGrease(_ value: UInt16) -> Bool { value >> 8 == value & 255 && value & 15 == 10 }

    private static func outline(of bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: HelloOutline.mostBytes, alignment: 8)
        defer { memory.deallocate() }
        let count = HelloOutline.write(bytes, to: memory)
        return count == 0 ? nil : Array(UnsafeRawBufferPointer(start: memory, count: count))
    }
}

/// A second reading of a ClientHello, by arrays and slices, of one that has been found to be whole.
private struct PlainHello {
    var consumed = 0
    var version: UInt16 = 0
    var ciphers: [UInt16] = []
    /// By type.
    var extensions: [UInt16: [UInt8]] = [:]
    /// Types in the order sent.
    var order: [UInt16] = []
    var name: String?
    var protocols: [String] = []
    var versions: [UInt16] = []

    private struct Short: Error {}

    init(records bytes: UnsafeRawBufferPointer) throws {
        var message: [UInt8] = []
        var rest = bytes[...]
        while message.count < 4 || message.count < 4 + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3]))
        {
            let header = Array(rest.prefix(5))
            guard header.count == 5 else { throw Short() }
            let length = Int(header[3]) << 8 | Int(header[4])
            message += rest.dropFirst(5).prefix(length)
            rest = rest.dropFirst(5 + length)
            consumed += 5 + length
        }
        var body = message.dropFirst(4)
        version = try PlainHello.number(&body)
        body = body.dropFirst(32)
        _ = try PlainHello.vector(&body, lengthBytes: 1)
        ciphers = PlainHello.numbers(try PlainHello.vector(&body, lengthBytes: 2))
        _ = try PlainHello.vector(&body, lengthBytes: 1)
        guard !body.isEmpty else { return }
        var list = try PlainHello.vector(&body, lengthBytes: 2)[...]
        while !list.isEmpty {
            let type = try PlainHello.number(&list)
            order.append(type)
            extensions[type] = try PlainHello.vector(&list, lengthBytes: 2)
        }
        try readContents()
    }

    private mutating func readContents() throws {
        if var content = extensions[0]?[...] {
            var names = try PlainHello.vector(&content, lengthBytes: 2)[...]
            while !names.isEmpty {
                let type = names.removeFirst()
                let text = try PlainHello.vector(&names, lengthBytes: 2)
                // Byte for byte: what is no ASCII stays different from every host name.
                if type == 0 { name = String(String.UnicodeScalarView(text.map { Unicode.Scalar($0) })) }
            }
        }
        if var content = extensions[16]?[...] {
            var list = try PlainHello.vector(&content, lengthBytes: 2)[...]
            while !list.isEmpty {
                protocols.append(String(decoding: try PlainHello.vector(&list, lengthBytes: 1), as: UTF8.self))
            }
        }
        if var content = extensions[43]?[...] {
            versions = PlainHello.numbers(try PlainHello.vector(&content, lengthBytes: 1))
        }
    }

    private static func number(_ bytes: inout ArraySlice<UInt8>) throws -> UInt16 {
        guard bytes.count >= 2 else { throw Short() }
        return UInt16(bytes.removeFirst()) << 8 | UInt16(bytes.removeFirst())
    }

    private static func numbers(_ bytes: [UInt8]) -> [UInt16] {
        stride(from: 0, to: bytes.count - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    }

    private static func vector(_ bytes: inout ArraySlice<UInt8>, lengthBytes: Int) throws -> [UInt8] {
        guard bytes.count >= lengthBytes else { throw Short() }
        let length = bytes.prefix(lengthBytes).reduce(0) { $0 << 8 | Int($1) }
        bytes = bytes.dropFirst(lengthBytes)
        guard bytes.count >= length else { throw Short() }
        defer { bytes = bytes.dropFirst(length) }
        return Array(bytes.prefix(length))
    }
}
