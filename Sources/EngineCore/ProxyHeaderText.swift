internal import Primitives

extension ProxyHeader {
    /// Reads v1 (§2.1), whose signature has been seen.
    static func parseText(_ bytes: UnsafeRawBufferPointer, _ limit: Int) -> ProxyHeaderParse {
        var line = ProxyLine(bytes, from: ProxySignature.text.count)
        do throws(ProxyLine.Stop) {
            return .header(try line.read())
        } catch {
            switch error {
            case .more: return need(bytes.count + 1, limit)
            case .malformed(let problem): return .malformed(problem)
            }
        }
    }
}

/// Reads the line of v1 byte by byte, front to back: what it decides never depends on bytes after the deciding one.
private struct ProxyLine {
    enum Stop: Error {
        case more
        case malformed(ProxyHeaderProblem)
    }

    /// The longest line, CRLF included.
    private static let longest = 107
    private static let space = UInt8(ascii: " ")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    private let bytes: UnsafeRawBufferPointer
    private var position: Int

    init(_ bytes: UnsafeRawBufferPointer, from position: Int) {
        self.bytes = bytes
        self.position = position
    }

    mutating func read() throws(Stop) -> ProxyHeader {
        try expect(ProxyLine.space, else: .separator)
        guard try readIsTCP() else { return try readUnknown() }
        try expect(UInt8(ascii: "C"), else: .family)
        try expect(UInt8(ascii: "P"), else: .family)
        let isV4: Bool
        switch try next() {
        case UInt8(ascii: "4"): isV4 = true
        case UInt8(ascii: "6"): isV4 = false
        default: throw .malformed(.family)
        }
        try expect(ProxyLine.space, else: .family)
        let source = try readAddress(isV4: isV4)
        let destination = try readAddress(isV4: isV4)
        let sourcePort = try readPort(until: ProxyLine.space)
        let destinationPort = try readPort(until: ProxyLine.carriageReturn)
        try expect(ProxyLine.lineFeed, else: .separator)
        return ProxyHeader(
            version: .v1, transport: isV4 ? .tcp4 : .tcp6, source: SocketAddress(source, sourcePort),
            destination: SocketAddress(destination, destinationPort), consumedBytes: position)
    }

    private mutating func next() throws(Stop) -> UInt8 {
        guard position < ProxyLine.longest else { throw .malformed(.lineLength) }
        guard position < bytes.count else { throw .more }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func expect(_ byte: UInt8, else problem: ProxyHeaderProblem) throws(Stop) {
        guard try next() == byte else { throw .malformed(problem) }
    }

    private mutating func readIsTCP() throws(Stop) -> Bool {
        switch try next() {
        case UInt8(ascii: "T"): return true
        case UInt8(ascii: "U"): return false
        default: throw .malformed(.family)
        }
    }

    /// The rest of UNKNOWN; what comes between it and CRLF is passed over.
    private mutating func readUnknown() throws(Stop) -> ProxyHeader {
        for byte in "NKNOWN".utf8 { try expect(byte, else: .family) }
        var previous = try next()
        guard previous == ProxyLine.space || previous == ProxyLine.carriageReturn else { throw .malformed(.family) }
        if previous == ProxyLine.carriageReturn {
            try expect(ProxyLine.lineFeed, else: .separator)
            return ProxyHeader(version: .v1, consumedBytes: position)
        }
        while true {
            let byte = try next()
            if byte == ProxyLine.lineFeed, previous == ProxyLine.carriageReturn {
                return ProxyHeader(version: .v1, consumedBytes: position)
            }
            previous = byte
        }
    }

    /// An address and the space after it.
    private mutating func readAddress(isV4: Bool) throws(Stop) -> IPAddress {
        let start = position
        while true {
            let byte = try next()
            if byte == ProxyLine.space { break }
            guard position - start <= (isV4 ? AddressText.longestV4 : AddressText.longestV6) else {
                throw .malformed(.address)
            }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): continue
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: ":"):
                guard !isV4 else { throw .malformed(.address) }
            default: throw .malformed(.address)
            }
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[start..<position - 1])
        let address = isV4 ? AddressText.v4(text).map(IPAddress.v4) : AddressText.v6(text)
        guard let address else { throw .malformed(.address) }
        return address.unmapped
    }

    /// A port and the byte after it, which must be `end`.
    private mutating func readPort(until end: UInt8) throws(Stop) -> UInt16 {
        var value = 0
        var digits = 0
        while true {
            let byte = try next()
            if byte == end, digits > 0 { return UInt16(truncatingIfNeeded: value) }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), digits == 0 || value > 0 else {
                throw .malformed(.port)
            }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            digits += 1
            guard value <= UInt16.max else { throw .malformed(.port) }
        }
    }
}
