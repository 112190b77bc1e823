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
    private static let headerBytes = 8

    /// Writes the outline of the hello at the start of a stream to memory for ``mostBytes``. Returns how many bytes that took;
    /// 0: that is no hello, or one whose lists are too long.
    public static func write(
        _ bytes: UnsafeRawBufferPointer, limit: Int = 16384, to memory: UnsafeMutableRawPointer
    ) -> Int {
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

    /// What was written there; nil: that was nothing.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= HelloOutline.headerBytes, bytes.count.isMultiple(of: 2) else { return nil }
        let numbers = (0..<bytes.count / 2).map { bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
        let counts = (Int(bytes[3]), Int(bytes[6]), Int(bytes[7]))
        guard numbers.count == 4 + counts.0 + counts.1 + counts.2 else { return nil }
        let (extensions, signatures) = (4 + counts.0, 4 + counts.0 + counts.1)
        self.init(
            version: numbers[0], hasServerName: bytes[2] & 1 != 0,
            firstProtocol: bytes[2] & 2 == 0 ? nil : ProtocolEnds(first: bytes[4], last: bytes[5]),
            ciphers: Array(numbers[4..<extensions]), extensions: Array(numbers[extensions..<signatures]),
            signatures: Array(numbers[signatures...]))
    }
}

/// Header (version; flags; number of ciphers; ends of the first protocol; numbers of extensions and signatures), and the
/// three lists, each number in the machine's order.
private struct HelloOutlineWriter {
    private let memory: UnsafeMutableRawPointer
    private var count = 8
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
            var suites = cursor.readVector16(), cursor.readVector8() != nil, let ciphers = put(&suites)
        else { return false }
        (version, self.ciphers) = (legacy, ciphers)
        guard !cursor.isEmpty else { return true }
        guard var list = cursor.readVector16() else { return false }
        while !list.isEmpty {
            guard let type = list.readUInt16(), var content = list.readVector16() else { return false }
            guard !HelloOutlineWriter.isGrease(type) else { continue }
            guard extensions < HelloOutlineWriter.longestList else { return false }
            put(type)
            extensions += 1
            read(type, &content)
        }
        return true
    }

    private mutating func read(_ type: UInt16, _ content: inout ByteCursor) {
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
                if !HelloOutlineWriter.isGrease(version) { highest = max(highest, version) }
            }
            if highest != 0 { version = highest }
        default: break
        }
    }

    /// The size of the whole; 0: it does not fit.
    mutating func finish() -> Int {
        var signed = 0
        if var list = signatures {
            guard let count = put(&list) else { return 0 }
            signed = count
        }
        memory.storeBytes(of: version, as: UInt16.self)
        let header = [
            flags, UInt8(truncatingIfNeeded: ciphers), ends.0, ends.1, UInt8(truncatingIfNeeded: extensions),
            UInt8(truncatingIfNeeded: signed),
        ]
        for (index, byte) in header.enumerated() {
            memory.storeBytes(of: byte, toByteOffset: 2 + index, as: UInt8.self)
        }
        return count
    }

    /// How many numbers a list had; nil: too many.
    private mutating func put(_ list: inout ByteCursor) -> Int? {
        var numbers = 0
        while let number = list.readUInt16() {
            guard !HelloOutlineWriter.isGrease(number) else { continue }
            guard numbers < HelloOutlineWriter.longestList else { return nil }
            put(number)
            numbers += 1
        }
        return numbers
    }

    private mutating func put(_ number: UInt16) {
        memory.storeBytes(of: number, toByteOffset: count, as: UInt16.self)
        count += 2
    }

    /// 0x0a0a, 0x1a1a and so on.
    private static func isGrease(_ number: UInt16) -> Bool { number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff }
}
