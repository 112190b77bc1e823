internal import Primitives

extension ProxyHeader {
    /// The most bytes that writing it can take.
    public var mostEncodedBytes: Int { version == .v1 ? 107 : ProxyHeader.fixedLength + 36 + tlvs.encodedBytes }

    /// Writes the header as its version has it.
    ///
    /// A client of the other family than the address it reached is UNKNOWN in v1 (its families do not mix), and in v2 the
    /// IPv4 address becomes an IPv4-mapped one. LOCAL is UNKNOWN in v1, where TLVs have no place. Without addresses, or
    /// for LOCAL, the family is unspecified. A checksum among the TLVs (``ProxyTLVs/appendChecksum()``) is computed here.
    ///
    /// - Returns: how many bytes were written; nil, and the memory's content undefined, when they do not fit there, or the
    ///   TLVs in a header (65535 bytes with the addresses).
    public func encode(into memory: UnsafeMutableRawBufferPointer) -> Int? {
        var writer = ByteWriter(memory)
        switch version {
        case .v1: encodeText(&writer)
        case .v2:
            guard writtenTransport.addressLength + tlvs.encodedBytes <= Int(UInt16.max) else { return nil }
            encodeBinary(&writer)
        }
        guard !writer.overflowed else { return nil }
        if version == .v2, let offset = tlvs.checksumOffset {
            let place = writer.count - tlvs.encodedBytes + offset
            let whole = UnsafeRawBufferPointer(rebasing: memory[..<writer.count])
            let checksum = CRC32C.ofHeader(whole, checksumAt: place)
            var patch = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: memory[place..<place + 4]))
            patch.put(checksum)
        }
        return writer.count
    }

    /// The header in memory of its own; nil when its TLVs do not fit in a header.
    public func encoded() -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: mostEncodedBytes) { memory, count in
            count = encode(into: UnsafeMutableRawBufferPointer(memory)) ?? 0
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// What the header says when it is written.
    var writtenTransport: Transport {
        guard command == .proxy, let source, let destination else { return .unspecified }
        switch (source.ip.unmapped.isV4, destination.ip.unmapped.isV4) {
        case (true, true): return .tcp4
        case (false, false): return .tcp6
        case (true, false), (false, true): return version == .v1 ? .unspecified : .tcp6
        }
    }

    private func encodeText(_ writer: inout ByteWriter) {
        writer.put("PROXY ".utf8)
        let transport = writtenTransport
        guard transport != .unspecified, let source, let destination else { return writer.put("UNKNOWN\r\n".utf8) }
        writer.put((transport == .tcp4 ? "TCP4 " : "TCP6 ").utf8)
        for address in [source.ip.unmapped, destination.ip.unmapped] {
            AddressText.write(address, to: &writer)
            writer.put(UInt8(ascii: " "))
        }
        writer.put(decimal: source.port)
        writer.put(UInt8(ascii: " "))
        writer.put(decimal: destination.port)
        writer.put("\r\n".utf8)
    }

    private func encodeBinary(_ writer: inout ByteWriter) {
        let transport = writtenTransport
        for index in ProxySignature.binary.indices { writer.put(ProxySignature.binary[index]) }
        writer.put(Version.v2.rawValue << 4 | command.rawValue)
        writer.put(transport.rawValue)
        writer.put(UInt16(truncatingIfNeeded: transport.addressLength + tlvs.encodedBytes))
        if transport != .unspecified, let source, let destination {
            put(source.ip.unmapped, isV4: transport == .tcp4, &writer)
            put(destination.ip.unmapped, isV4: transport == .tcp4, &writer)
            writer.put(source.port)
            writer.put(destination.port)
        }
        writer.put(tlvs.bytes)
    }

    private func put(_ address: IPAddress, isV4: Bool, _ writer: inout ByteWriter) {
        switch address {
        case .v4(let value):
            if !isV4 {
                writer.put(0 as UInt64)
                writer.put(0xffff as UInt32)
            }
            writer.put(value)
        case .v6(let high, let low):
            writer.put(high)
            writer.put(low)
        }
    }
}
