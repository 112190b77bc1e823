internal import Primitives

extension ProxyHeader {
    /// Bytes of v2 before the addresses.
    static let fixedLength = 16

    /// Reads v2 (§2.2), whose signature has been seen.
    static func parseBinary(_ bytes: UnsafeRawBufferPointer, _ limit: Int) -> ProxyHeaderParse {
        guard limit >= fixedLength else { return .tooLarge }
        if bytes.count > 12, bytes[12] >> 4 != Version.v2.rawValue { return .malformed(.version(bytes[12] >> 4)) }
        if bytes.count > 12, Command(rawValue: bytes[12] & 0xf) == nil { return .malformed(.command(bytes[12] & 0xf)) }
        if bytes.count > 13, bytes[12] & 0xf == Command.proxy.rawValue, Transport(rawValue: bytes[13]) == nil {
            return .malformed(.transport(bytes[13]))
        }
        if bytes.count > 14, fixedLength + Int(bytes[14]) << 8 > limit { return .tooLarge }
        guard bytes.count >= fixedLength else { return need(fixedLength, limit) }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        let isProxied = bytes[12] & 0xf == Command.proxy.rawValue
        let transport = Transport(rawValue: bytes[13]) ?? .unspecified
        if isProxied, length < transport.addressLength { return .malformed(.length(length)) }
        let end = fixedLength + length
        guard bytes.count >= end else { return need(end, limit) }
        let whole = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        do throws(ProxyHeaderProblem) {
            return .header(isProxied ? try proxied(whole, transport) : try local(whole, transport))
        } catch {
            return .malformed(error)
        }
    }

    private static func proxied(
        _ whole: UnsafeRawBufferPointer, _ transport: Transport
    ) throws(ProxyHeaderProblem) -> ProxyHeader {
        var header = ProxyHeader(version: .v2, transport: transport, consumedBytes: whole.count)
        header.readAddresses(whole)
        header.tlvs = try readTLVs(whole, from: fixedLength + transport.addressLength)
        return header
    }

    /// LOCAL's block counts for nothing (§2.2): what cannot be read of it is passed over. A checksum that can be read must
    /// be right all the same.
    private static func local(
        _ whole: UnsafeRawBufferPointer, _ transport: Transport
    ) throws(ProxyHeaderProblem) -> ProxyHeader {
        var header = ProxyHeader(version: .v2, command: .local, consumedBytes: whole.count)
        let start = fixedLength + transport.addressLength
        do throws(ProxyHeaderProblem) {
            header.tlvs = try readTLVs(whole, from: start <= whole.count ? start : fixedLength)
        } catch {
            if error == .checksum { throw error }
        }
        return header
    }

    /// Only those of TCP: others say nothing of a stream that comes over TCP.
    private mutating func readAddresses(_ whole: UnsafeRawBufferPointer) {
        var cursor = ByteCursor(UnsafeRawBufferPointer(rebasing: whole[ProxyHeader.fixedLength...]))
        guard transport == .tcp4 || transport == .tcp6,
            let from = cursor.readAddress(isV4: transport == .tcp4),
            let to = cursor.readAddress(isV4: transport == .tcp4),
            let fromPort = cursor.readUInt16(), let toPort = cursor.readUInt16()
        else { return }
        source = SocketAddress(from.unmapped, fromPort)
        destination = SocketAddress(to.unmapped, toPort)
    }

    private static func readTLVs(
        _ whole: UnsafeRawBufferPointer, from start: Int
    ) throws(ProxyHeaderProblem) -> ProxyTLVs {
        let block = UnsafeRawBufferPointer(rebasing: whole[start...])
        var cursor = ByteCursor(block)
        var checksum: (offset: Int, value: UInt32)?
        while !cursor.isEmpty {
            guard let type = cursor.readUInt8(), var value = cursor.readVector16() else { throw .tlvList }
            switch type {
            case ProxyTLVType.checksum:
                guard value.count == 4, checksum == nil, let sent = value.readUInt32() else { throw .tlvContent(type) }
                checksum = (whole.count - cursor.count - 4, sent)
            case ProxyTLVType.uniqueID:
                guard value.count <= ProxyTLVs.longestUniqueID else { throw .tlvContent(type) }
            default: break
            }
        }
        if let checksum, CRC32C.ofHeader(whole, checksumAt: checksum.offset) != checksum.value { throw .checksum }
        return ProxyTLVs(checked: block)
    }
}

extension ByteCursor {
    fileprivate mutating func readUInt32() -> UInt32? {
        guard count >= 4, let high = readUInt16(), let low = readUInt16() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    private mutating func readUInt64() -> UInt64? {
        guard count >= 8, let high = readUInt32(), let low = readUInt32() else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    fileprivate mutating func readAddress(isV4: Bool) -> IPAddress? {
        if isV4 { return readUInt32().map(IPAddress.v4) }
        guard let high = readUInt64(), let low = readUInt64() else { return nil }
        return .v6(high: high, low: low)
    }
}
