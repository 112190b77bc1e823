import EngineCore
import Primitives
import Testing

@Suite("Writing PROXY protocol headers", .timeLimit(.minutes(5)))
struct ProxyHeaderEncodingTests {
    @Test("what HAProxy wrote is written again the same", arguments: CapturedProxyHeader.all)
    func again(bytes: [UInt8]) {
        guard case .header(let header) = parseProxy(bytes) else {
            Issue.record("\(parseProxy(bytes))")
            return
        }
        #expect(header.encoded() == bytes)
    }

    @Test("lines of v1")
    func text() {
        func line(_ source: String?, _ destination: String?, _ command: ProxyHeader.Command = .proxy) -> String? {
            ProxyHeader(
                version: .v1, command: command, source: source.flatMap { SocketAddress($0) },
                destination: destination.flatMap { SocketAddress($0) }
            ).encoded().map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(line("255.255.255.255:65535", "0.0.0.0:0") == "PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n")
        #expect(line("[2001:db8::1]:1", "[::]:10") == "PROXY TCP6 2001:db8::1 :: 1 10\r\n")
        #expect(line("[::ffff:192.0.2.1]:1", "192.0.2.2:2") == "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
        #expect(line("[2001:db8::1]:1", "192.0.2.2:2") == "PROXY UNKNOWN\r\n")
        #expect(line(nil, nil) == "PROXY UNKNOWN\r\n")
        #expect(line("192.0.2.1:1", "192.0.2.2:2", .local) == "PROXY UNKNOWN\r\n")
        let full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        #expect(line("[\(full)]:65535", "[\(full)]:65535") == "PROXY TCP6 \(full) \(full) 65535 65535\r\n")
    }

    @Test("a client of the other family is IPv4-mapped in v2")
    func mixed() {
        let source = SocketAddress(.v4(0xc000_0201), 1)
        let destination = SocketAddress(.v6(high: 0x2001_0db8_0000_0000, low: 5), 2)
        for (from, to) in [(source, destination), (destination, source)] {
            let header = ProxyHeader(version: .v2, source: from, destination: to)
            guard let bytes = header.encoded(), case .header(let read) = parseProxy(bytes) else {
                Issue.record("not written, or not read")
                continue
            }
            #expect(bytes.count == 52 && bytes[13] == 0x21)
            #expect(read.source == from && read.destination == to)
        }
    }

    @Test("memory that is too small gets nothing, and never a byte beyond it")
    func memory() {
        for bytes in CapturedProxyHeader.all {
            guard case .header(let header) = parseProxy(bytes) else { continue }
            for size in 0...bytes.count {
                let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
                defer { memory.deallocate() }
                let count = header.encode(into: memory)
                #expect(count == (size < bytes.count ? nil : bytes.count))
                if count != nil { #expect(Array(memory) == bytes) }
            }
        }
    }

    @Test("a list of TLVs takes what fits and what its types allow")
    func lists() {
        var tlvs = ProxyTLVs()
        let emptied = tlvs.append(3, [1, 2, 3, 4])
        let long = tlvs.append(ProxyTLVType.uniqueID, [UInt8](repeating: 0, count: 129))
        #expect(!emptied && !long && tlvs.isEmpty)
        let first = tlvs.appendChecksum()
        let second = tlvs.appendChecksum()
        #expect(first && !second && tlvs.map(\.type) == [3])
        let room = ProxyTLVs.largest - tlvs.encodedBytes
        let over = tlvs.append(0xe0, [UInt8](repeating: 7, count: room - 2))
        let filling = tlvs.append(0xe0, [UInt8](repeating: 7, count: room - 3))
        let more = tlvs.append(ProxyTLVType.noOperation, [])
        #expect(!over && filling && !more && tlvs.encodedBytes == ProxyTLVs.largest)
        let header = ProxyHeader(
            version: .v2, source: SocketAddress(.loopbackV6, 1), destination: SocketAddress(.loopbackV6, 2), tlvs: tlvs)
        #expect(header.encoded()?.count == 4096)
        let facts = ProxyTLSFacts(client: .tls, verify: 1, version: String(repeating: "x", count: 65536))
        let tooLong = tlvs.append(facts)
        #expect(facts.encoded() == nil && !tooLong)
    }

    @Test("TLVs that only a longer limit let in are not written where they do not fit")
    func tooLong() {
        var builder = ProxyHeaderBuilder()
        (builder.transport, builder.addresses) = (0, [])
        builder.tlvs = [(0xe0, [UInt8](repeating: 1, count: 65_530))]
        guard case .header(var header) = parseProxy(builder.bytes, limit: 1 << 17) else {
            Issue.record("not read")
            return
        }
        #expect(header.encoded() == builder.bytes)
        header.source = SocketAddress(.loopbackV4, 1)
        header.destination = SocketAddress(.loopbackV4, 2)
        #expect(header.encoded() == nil)
    }

    @Test("5,000 random headers are read as they were written")
    func roundTrips() {
        var random = SplitMix64(seed: 7)
        for round in 0..<5000 {
            let header = ProxyHeader.random(&random)
            guard let bytes = header.encoded() else {
                Issue.record("seed 7, round \(round): not written")
                continue
            }
            guard case .header(var read) = parseProxy(bytes) else {
                Issue.record("seed 7, round \(round): \(parseProxy(bytes))")
                continue
            }
            #expect(read.consumedBytes == bytes.count && bytes.count <= header.mostEncodedBytes)
            #expect(ProxyHeaderBuilder.checksumHolds(read, in: bytes))
            #expect(read.tlvs.map(\.type) == header.tlvs.map(\.type))
            #expect(read.encoded() == bytes)
            read.consumedBytes = 0
            if header.tlvs[3] == nil { #expect(read == header, "seed 7, round \(round)") }
        }
    }

    @Test("texts of random addresses are those of RFC 5952, and are read like them")
    func addresses() {
        var random = SplitMix64(seed: 11)
        for _ in 0..<5000 {
            // Few distinct groups, so that runs of zeros are common.
            func half() -> UInt64 {
                (0..<4).reduce(0) { sum, _ in
                    sum << 16 | [0, 0, 0, 1, 0xab, 0xfff, 0xffff, random.next() & 0xffff][Int(random.next() % 8)]
                }
            }
            let address = IPAddress.v6(high: half() | 1 << 60, low: half())
            let header = ProxyHeader(
                version: .v1, source: SocketAddress(address, 1), destination: SocketAddress(.anyV6, 2))
            #expect(header.encoded() == Array("PROXY TCP6 \(address) :: 1 2\r\n".utf8))
            var text = Array("\(address)".utf8)
            for _ in 0..<random.next() % 3 {
                text[Int(random.next() % UInt64(text.count))] = Array("0:.f19".utf8)[Int(random.next() % 6)]
            }
            let expected = IPAddress(String(decoding: text, as: UTF8.self))
            let result = parseProxy(Array("PROXY TCP6 ".utf8) + text + Array(" :: 1 2\r\n".utf8))
            if let expected, !expected.isV4 {
                guard case .header(let read) = result else {
                    Issue.record("seed 11, \(expected): \(result)")
                    continue
                }
                #expect(read.source?.ip == expected.unmapped)
            } else {
                #expect(result == .malformed(.address))
            }
        }
    }
}

extension ProxyHeader {
    /// One that is read as it is written.
    static func random(_ random: inout SplitMix64) -> ProxyHeader {
        func address(isV4: Bool) -> SocketAddress {
            let port = UInt16(truncatingIfNeeded: random.next() % 3 == 0 ? 65535 : random.next())
            let ip: IPAddress =
                isV4 ? .v4(UInt32(truncatingIfNeeded: random.next())) : .v6(high: random.next() | 1, low: random.next())
            return SocketAddress(ip, port)
        }
        let isText = random.next() % 3 == 0
        let isV4 = random.next() % 2 == 0
        var header = ProxyHeader(version: isText ? .v1 : .v2)
        if random.next() % 4 > 0 {
            header = ProxyHeader(
                version: header.version, source: address(isV4: isV4), destination: address(isV4: isV4))
        } else if !isText, random.next() % 2 == 0 {
            header.command = .local
        }
        guard !isText else { return header }
        for _ in 0..<random.next() % 5 {
            let value = (0..<random.next() % 100).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            switch random.next() % 4 {
            case 0: _ = header.tlvs.appendChecksum()
            case 1: _ = header.tlvs.append(ProxyTLVType.uniqueID, value)
            case 2:
                _ = header.tlvs.append(ProxyTLSFacts(client: .tls, verify: 1, version: "TLSv1.2", cipher: "c"))
            default: _ = header.tlvs.append(UInt8(truncatingIfNeeded: random.next() | 0x80), value)
            }
        }
        return header
    }
}
