import EngineCore

/// Makes headers of v2, proper and improper, byte by byte.
struct ProxyHeaderBuilder {
    static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
    static let addresses4: [UInt8] = [203, 0, 113, 7, 198, 51, 100, 1, 0x12, 0x34, 0x01, 0xbb]

    var versionAndCommand: UInt8 = 0x21
    var transport: UInt8 = 0x11
    var addresses = ProxyHeaderBuilder.addresses4
    var tlvs: [(type: UInt8, value: [UInt8])] = []
    var tail: [UInt8] = []
    /// Nil: what it is.
    var length: UInt16?

    var bytes: [UInt8] {
        let block = addresses + tlvs.flatMap { [$0.type] + HelloBuilder.vector16($0.value) } + tail
        let length = HelloBuilder.big(self.length ?? UInt16(block.count))
        return ProxyHeaderBuilder.signature + [versionAndCommand, transport] + length + block
    }

    /// With a right checksum as the last TLV.
    var bytesWithChecksum: [UInt8] {
        var copy = self
        copy.tlvs.append((3, [0, 0, 0, 0]))
        var bytes = copy.bytes
        let checksum = ProxyHeaderBuilder.checksum(bytes)
        for index in 0..<4 {
            bytes[bytes.count - tail.count - 4 + index] = UInt8(
                truncatingIfNeeded: checksum >> (24 - 8 * UInt32(index)))
        }
        return bytes
    }

    /// CRC32C one bit at a time, as another way to the same.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var remainder: UInt32 = .max
        for byte in bytes {
            for bit in 0..<8 {
                let feedback = remainder & 1 != UInt32(byte >> UInt8(bit) & 1)
                remainder = remainder >> 1 ^ (feedback ? 0x82f6_3b78 : 0)
            }
        }
        return ~remainder
    }

    /// Whether each checksum TLV that `header` holds is that of `bytes`, at whose start it stood.
    static func checksumHolds(_ header: ProxyHeader, in bytes: some Collection<UInt8>) -> Bool {
        var whole = Array(bytes.prefix(header.consumedBytes))
        var position = whole.count - header.tlvs.encodedBytes
        var sent: UInt32?
        for tlv in header.tlvs {
            if tlv.type == 3 {
                guard sent == nil, tlv.value.count == 4 else { return false }
                sent = tlv.value.reduce(0) { $0 << 8 | UInt32($1) }
                for index in 0..<4 { whole[position + 3 + index] = 0 }
            }
            position += 3 + tlv.value.count
        }
        return sent == nil || (position == whole.count && sent == checksum(whole))
    }
}

/// Parses from memory of exactly the right size, so that a sanitizer sees one byte too many.
func parseProxy(_ bytes: some Collection<UInt8>, limit: Int = 4096) -> ProxyHeaderParse {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return ProxyHeader.parse(UnsafeRawBufferPointer(memory), limit: limit)
}

func parseProxy(_ text: String, limit: Int = 4096) -> ProxyHeaderParse { parseProxy(Array(text.utf8), limit: limit) }
