internal import Primitives

/// What of a ClientHello tells programs apart, whoever uses them: the lists it has, in its order, without the values that
/// are only there to be ignored (GREASE, RFC 8701). A JA4 fingerprint is made of it; it is kept as bytes, as most never are.
public struct HelloOutline: Equatable, Sendable {
    /// The highest version that is offered: of supported_versions, else legacy_version.
    public var version: UInt16
    /// A server name is asked for.
    public var hasServerName: Bool
    /// The first and the last byte of the first protocol; nil: none is offered.
    public var firstProtocol: ProtocolEnds?
    public var ciphers: [UInt16]
    /// Types, those of the server name and of ALPN among them.
    public var extensions: [UInt16]
    /// In the client's order.
    public var signatures: [UInt16]

    public struct ProtocolEnds: Equatable, Sendable {
        public var first: UInt8
        public var last: UInt8

        public init(first: UInt8, last: UInt8) { (self.first, self.last) = (first, last) }
    }

    public init(
        version: UInt16, hasServerName: Bool, firstProtocol: ProtocolEnds?, ciphers: [UInt16], extensions: [UInt16],
        signatures: [UInt16]
    ) {
        self.version = version
        self.hasServerName = hasServerName
        self.firstProtocol = firstProtocol
        self.ciphers = ciphers
        self.extensions = extensions
        self.signatures = signatures
    }

    /// The most that ``write(_:limit:to:)`` writes.
    public static let mostBytes = 1024
    fileprivate static let headerBytes = 8

    /// Writes the outline of the hello at the start of a stream to memory for ``mostBytes``. Returns how many bytes that took;
    /// 0: that is no hello, or one whose lists are too long. Where `bytes` end with the hello that is quicker.
    public static func write(
        _ bytes: UnsafeRawBufferPointer, limit: Int = 16384, to memory: UnsafeMutableRawPointer
    ) -> Int {
        if bytes.count <= limit, let body = onlyBody(of: bytes) {
            var writer = HelloOutlineWriter(memory)
            return writer.write(body) ? writer.finish() : 0
        }
        var records = HandshakeRecords()
        guard case .whole = records.scan(bytes, limit: limit) else { return 0 }
        do throws(ClientHelloProblem) {
            return try records.withMessage(of: bytes) { (body) throws(ClientHelloProblem) in
                var writer = HelloOutlineWriter(memory)
                return writer.write(body) ? writer.finish() : 0
            }
        } catch {
            return 0
        }
    }

    /// The message's body, where the bytes are one record with one ClientHello and nothing else.
    private static func onlyBody(of bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var cursor = ByteCursor(bytes)
        guard let type = cursor.readUInt8(), type == 22, let version = cursor.readUInt16(), version >> 8 == 3,
            var record = cursor.readVector16(), cursor.isEmpty, let message = record.readUInt8(), message == 1,
            let length = record.readUInt24(), length == record.count
        else { return nil }
        return record.bytes
    }

    /// What was written there; nil: that was nothing.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= HelloOutline.headerBytes, bytes.count.isMultiple(of: 2) else { return nil }
        let version = bytes.loadUnaligned(as: UInt16.self)
        let counts = (Int(bytes[3]), Int(bytes[6]), Int(bytes[7]))
        var lists = ByteCursor(UnsafeRawBufferPointer(rebasing: bytes[HelloOutline.headerBytes...]))
        guard lists.count == 2 * (counts.0 + counts.1 + counts.2), let ciphers = lists.read(2 * counts.0),
            let extensions = lists.read(2 * counts.1)
        else { return nil }
        self.init(
            version: version, hasServerName: bytes[2] & 1 != 0,
            firstProtocol: bytes[2] & 2 == 0 ? nil : ProtocolEnds(first: bytes[4], last: bytes[5]),
            ciphers: HelloOutline.numbers(ciphers), extensions: HelloOutline.numbers(extensions),
            signatures: HelloOutline.numbers(lists))
    }

    private static func numbers(_ list: ByteCursor) -> [UInt16] {
        var (list, numbers) = (list, [UInt16]())
        while let number = list.readUInt16() {
            if !isGrease(number) { numbers.append(number) }
        }
        return numbers
    }

    /// 0x0a0a, 0x1a1a and so on.
    fileprivate static func isGrease(_ number: UInt16) -> Bool {
        number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
    }
}

/// Header (version; flags; number of ciphers; ends of the first protocol; numbers of extensions and signatures), and the
/// three lists as the hello has them: whoever reads it has more time, and leaves out what is to be ignored.
private struct HelloOutlineWriter {
    private let memory: UnsafeMutableRawPointer
    private var count = HelloOutline.headerBytes
    private var version: UInt16 = 0
    private var flags: UInt8 = 0
    private var ends: (UInt8, UInt8) = (0, 0)
    private var ciphers = 0
    private var extensions = 0
    /// Where the list is that stands at the end, which is found among the extensions.
    private var signatures: ByteCursor?

    /// Each list fits into a byte's count, and all of them into the memory.
    private static let longestList = 160

    init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

    /// False: lists too long, or not as a hello has them.
    mutating func write(_ body: UnsafeRawBufferPointer) -> Bool {
        var cursor = ByteCursor(body)
        guard let legacy = cursor.readUInt16(), cursor.read(32) != nil, cursor.readVector8() != nil,
            let suites = cursor.readVector16(), cursor.readVector8() != nil, let ciphers = put(suites)
        else { return false }
        (version, self.ciphers) = (legacy, ciphers)
        guard !cursor.isEmpty else { return true }
        guard var list = cursor.readVector16() else { return false }
        while !list.isEmpty {
            guard let type = list.readUInt16(), let content = list.readVector16(),
                extensions < HelloOutlineWriter.longestList
            else { return false }
            memory.storeBytes(of: type.bigEndian, toByteOffset: count, as: UInt16.self)
            count += 2
            extensions += 1
            if type <= 43 { read(type, content) }
        }
        return true
    }

    private mutating func read(_ type: UInt16, _ content: ByteCursor) {
        var content = content
        switch type {
        case 0: flags |= 1
        case 13: signatures = content.readVector16()
        case 16:
            guard var list = content.readVector16(), let name = list.readVector8() else { return }
            let bytes = name.bytes
            guard let first = bytes.first, let last = bytes.last else { return }
            flags |= 2
            ends = (first, last)
        case 43:
            guard var list = content.readVector8() else { return }
            var highest: UInt16 = 0
            while let version = list.readUInt16() {
                if !HelloOutline.isGrease(version) { highest = max(highest, version) }
            }
            if highest != 0 { version = highest }
        default: break
        }
    }

    /// The size of the whole; 0: it does not fit.
    mutating func finish() -> Int {
        var signed = 0
        if let list = signatures {
            guard let count = put(list) else { return 0 }
            signed = count
        }
        memory.storeBytes(of: version, as: UInt16.self)
        memory.storeBytes(of: flags, toByteOffset: 2, as: UInt8.self)
        memory.storeBytes(of: UInt8(truncatingIfNeeded: ciphers), toByteOffset: 3, as: UInt8.self)
        memory.storeBytes(of: ends.0, toByteOffset: 4, as: UInt8.self)
        memory.storeBytes(of: ends.1, toByteOffset: 5, as: UInt8.self)
        memory.storeBytes(of: UInt8(truncatingIfNeeded: extensions), toByteOffset: 6, as: UInt8.self)
        memory.storeBytes(of: UInt8(truncatingIfNeeded: signed), toByteOffset: 7, as: UInt8.self)
        return count
    }

    /// How many numbers a list has; nil: too many.
    private mutating func put(_ list: ByteCursor) -> Int? {
        let numbers = list.count / 2
        guard numbers <= HelloOutlineWriter.longestList else { return nil }
        if let start = list.bytes.baseAddress { (memory + count).copyMemory(from: start, byteCount: 2 * numbers) }
        count += 2 * numbers
        return numbers
    }
}
