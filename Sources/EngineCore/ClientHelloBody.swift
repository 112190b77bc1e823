internal import Primitives

/// Types of the extensions that matter (IANA's registry).
private enum ExtensionType {
    static let serverName: UInt16 = 0
    static let alpn: UInt16 = 16
    static let supportedVersions: UInt16 = 43
    static let encryptedClientHello: UInt16 = 0xfe0d
}

extension ClientHello {
    private static let keptProtocols = 64
    private static let mostExtensions = 256

    /// Reads the body of a whole ClientHello message, which must end where `body` ends.
    init(body: UnsafeRawBufferPointer, consumed: Int) throws(ClientHelloProblem) {
        self.init(consumedBytes: consumed)
        var cursor = ByteCursor(body)
        guard let version = cursor.readUInt16() else { throw .field(.version) }
        guard version >> 8 == 3 else { throw .version(version) }
        legacyVersion = version
        guard cursor.read(32) != nil else { throw .field(.random) }
        guard let session = cursor.readVector8(), session.count <= 32 else { throw .field(.sessionID) }
        guard let suites = cursor.readVector16(), suites.count >= 2, suites.count.isMultiple(of: 2) else {
            throw .field(.cipherSuites)
        }
        guard let methods = cursor.readVector8(), methods.count >= 1 else { throw .field(.compressionMethods) }
        // A hello may end here: extensions came with RFC 4366.
        guard !cursor.isEmpty else { return }
        guard let extensions = cursor.readVector16(), cursor.isEmpty else { throw .extensionList }
        try readExtensions(extensions)
    }

    private mutating func readExtensions(_ list: ByteCursor) throws(ClientHelloProblem) {
        var list = list
        var seen = InlineArray<256, UInt16>(repeating: 0)
        var count = 0
        while !list.isEmpty {
            guard let type = list.readUInt16(), let content = list.readVector16() else { throw .extensionList }
            for index in 0..<count where seen[index] == type { throw .duplicateExtension(type) }
            guard count < ClientHello.mostExtensions else { throw .tooManyExtensions }
            seen[count] = type
            count += 1
            guard try readExtension(type, content) else { throw .extensionContent(type) }
        }
    }

    /// False when the content breaks the extension's definition.
    private mutating func readExtension(_ type: UInt16, _ content: ByteCursor) throws(ClientHelloProblem) -> Bool {
        switch type {
        case ExtensionType.serverName: return readServerNames(content)
        case ExtensionType.alpn: return readProtocols(content)
        case ExtensionType.supportedVersions: return readVersions(content)
        case ExtensionType.encryptedClientHello:
            var content = content
            guard let kind = content.readUInt8() else { return false }
            hasEncryptedClientHello = kind == 0
            return true
        default: return true
        }
    }

    /// ServerNameList: at least one entry, at most one host_name; entries of other types are passed over.
    private mutating func readServerNames(_ content: ByteCursor) -> Bool {
        var content = content
        guard var list = content.readVector16(), content.isEmpty, !list.isEmpty else { return false }
        var names = 0
        while !list.isEmpty {
            guard let type = list.readUInt8(), let name = list.readVector16(), !name.isEmpty else { return false }
            guard type == 0 else { continue }
            names += 1
            serverName = ServerName.normalized(name.bytes)
            hasInvalidServerName = serverName == nil
        }
        return names <= 1
    }

    private mutating func readProtocols(_ content: ByteCursor) -> Bool {
        var content = content
        guard var list = content.readVector16(), content.isEmpty, !list.isEmpty else { return false }
        while !list.isEmpty {
            guard let name = list.readVector8(), !name.isEmpty else { return false }
            guard alpnProtocols.count < ClientHello.keptProtocols else { continue }
            alpnProtocols.append(String(decoding: name.bytes, as: UTF8.self))
        }
        return true
    }

    private mutating func readVersions(_ content: ByteCursor) -> Bool {
        var content = content
        guard var list = content.readVector8(), content.isEmpty, list.count >= 2, list.count.isMultiple(of: 2) else {
            return false
        }
        while let version = list.readUInt16() {
            if version == 0x0304 { supportsTLS13 = true }
        }
        return true
    }
}

/// Names as they come in SNI.
enum ServerName {
    /// Lower case, without one final dot; nil for anything but an RFC 1123 name (IP addresses included).
    static func normalized(_ bytes: UnsafeRawBufferPointer) -> String? {
        var name = bytes[...]
        if name.last == UInt8(ascii: ".") { name = name.dropLast() }
        guard isHostName(name) else { return nil }
        let text = String(unsafeUninitializedCapacity: name.count) { buffer in
            for (index, byte) in name.enumerated() { buffer[index] = lowered(byte) }
            return name.count
        }
        let endsInDigit = name.last.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        return endsInDigit && IPAddress(text) != nil ? nil : text
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func isHostName(_ name: UnsafeRawBufferPointer.SubSequence) -> Bool {
        guard (1...253).contains(name.count) else { return false }
        let dot = UInt8(ascii: "."), hyphen = UInt8(ascii: "-")
        var previous = dot
        var length = 0
        for byte in name {
            if byte == dot {
                guard length > 0, previous != hyphen else { return false }
                length = 0
            } else {
                guard isLabelByte(lowered(byte)), byte != hyphen || length > 0, length < 63 else { return false }
                length += 1
            }
            previous = byte
        }
        return length > 0 && previous != hyphen
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
    }
}
