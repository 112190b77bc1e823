import EngineCore
import Primitives
import Testing

@Suite("PROXY protocol headers that are refused", .timeLimit(.minutes(5)))
struct ProxyHeaderRefusalTests {
    @Test("the first byte that differs from both signatures tells, and how many agreed before it")
    func notProxy() {
        #expect(parseProxy("GET / HTTP/1.1\r\n") == .notProxy(matching: 0))
        #expect(parseProxy([0x16]) == .notProxy(matching: 0))
        #expect(parseProxy([0, 0, 0, 8]) == .notProxy(matching: 0))
        #expect(parseProxy("PO") == .notProxy(matching: 1))
        #expect(parseProxy("PROXy") == .notProxy(matching: 4))
        #expect(parseProxy("\r\nGET") == .notProxy(matching: 2))
        for index in 0..<12 {
            var bytes = ProxyHeaderBuilder().bytes
            bytes[index] ^= 0x80
            #expect(parseProxy(bytes) == .notProxy(matching: index))
            #expect(parseProxy(bytes.prefix(index + 1)) == .notProxy(matching: index))
        }
    }

    @Test("while a plain client is not ruled out, one more byte is asked for")
    func undecided() {
        #expect(parseProxy("") == .needMore(total: 1))
        #expect(parseProxy("P") == .needMore(total: 2))
        #expect(parseProxy("PROX") == .needMore(total: 5))
        #expect(parseProxy("\r\n\r\n") == .needMore(total: 5))
        #expect(parseProxy(ProxyHeaderBuilder.signature) == .needMore(total: 16))
        #expect(parseProxy(ProxyHeaderBuilder().bytes.prefix(16)) == .needMore(total: 28))
    }

    @Test(
        "lines that break v1 are refused at the byte that breaks it",
        arguments: [
            ("PROXY\t", .separator), ("PROXYI", .separator), ("PROXY  ", .family), ("PROXY t", .family),
            ("PROXY TCP5", .family), ("PROXY TCP44", .family), ("PROXY UD", .family), ("PROXY UNKNOWNS", .family),
            ("PROXY UNKNOWN\n", .family), ("PROXY UNKNOWN\rX", .separator), ("PROXY TCP4\r", .family),
            ("PROXY TCP4 1.2.3.4\r", .address), ("PROXY TCP4  ", .address), ("PROXY TCP4 1.2.3.04 ", .address),
            ("PROXY TCP4 1.2.3.256 ", .address), ("PROXY TCP4 1.2.3 ", .address), ("PROXY TCP4 1.2.3.4.5 ", .address),
            ("PROXY TCP4 :", .address), ("PROXY TCP4 0x", .address), ("PROXY TCP4 1.2.3.4 5.6.7.8. ", .address),
            ("PROXY TCP4 1111111111111111", .address), ("PROXY TCP6 1.2.3.4 ", .address), ("PROXY TCP6 ::1%", .address),
            ("PROXY TCP6 1:2:3:4:5:6:7:8:9 ", .address), ("PROXY TCP6 1::2::3 ", .address), ("PROXY TCP6 : ", .address),
            ("PROXY TCP6 12345:: ", .address), ("PROXY TCP6 [", .address), ("PROXY TCP6 ::1.2.3 ", .address),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 01", .port), ("PROXY TCP4 1.2.3.4 5.6.7.8 65536", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8  ", .port), ("PROXY TCP4 1.2.3.4 5.6.7.8 +", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 1\r", .port), ("PROXY TCP4 1.2.3.4 5.6.7.8 1 00", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 ", .port), ("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", .port),
            ("PROXY TCP4 1.2.3.4 5.6.7.8 1 \r", .port), ("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r", .separator),
        ] as [(String, ProxyHeaderProblem)])
    func text(line: String, problem: ProxyHeaderProblem) {
        let bytes = Array(line.utf8)
        #expect(parseProxy(bytes) == .malformed(problem))
        #expect(parseProxy(bytes + Array("0 1.2.3.4 1 2\r\n".utf8)) == .malformed(problem))
        guard case .needMore = parseProxy(bytes.dropLast()) else {
            Issue.record("\(line): decided before its last byte")
            return
        }
    }

    @Test("no line is longer than 107 bytes")
    func lineLength() {
        let start = "PROXY UNKNOWN "
        for (filler, expected) in [(91, 107), (92, nil)] as [(Int, Int?)] {
            let line = start + String(repeating: "x", count: filler) + "\r\n"
            if let expected {
                #expect(parseProxy(line) == .header(ProxyHeader(version: .v1, consumedBytes: expected)))
            } else {
                #expect(parseProxy(line) == .malformed(.lineLength))
                #expect(parseProxy(line.utf8.prefix(107)) == .malformed(.lineLength))
                #expect(parseProxy(line.utf8.prefix(106)) == .needMore(total: 107))
            }
        }
        let mapped = "0000:0000:0000:0000:0000:ffff:255.255.255.255"
        #expect(parseProxy("PROXY TCP6 \(mapped) \(mapped) 65535 65535\r\n") == .malformed(.lineLength))
    }

    @Test("v2: version, command and transport are refused at their bytes")
    func fixedPart() {
        var builder = ProxyHeaderBuilder()
        for byte in 0...UInt8.max {
            builder.versionAndCommand = byte
            let problem: ProxyHeaderProblem? =
                byte >> 4 != 2 ? .version(byte >> 4) : byte & 15 > 1 ? .command(byte & 15) : nil
            guard let problem else { continue }
            #expect(parseProxy(builder.bytes) == .malformed(problem))
            #expect(parseProxy(builder.bytes.prefix(13)) == .malformed(problem))
        }
        builder.versionAndCommand = 0x21
        for byte in 0...UInt8.max where ![0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32].contains(byte) {
            builder.transport = byte
            #expect(parseProxy(builder.bytes) == .malformed(.transport(byte)))
            #expect(parseProxy(builder.bytes.prefix(14)) == .malformed(.transport(byte)))
        }
    }

    @Test("v2: a length that the addresses exceed is refused once it is known")
    func lengths() {
        var builder = ProxyHeaderBuilder()
        for (transport, least) in [(0x11, 12), (0x12, 12), (0x21, 36), (0x22, 36), (0x31, 216), (0x32, 216)] {
            (builder.transport, builder.length) = (UInt8(transport), UInt16(least - 1))
            #expect(parseProxy(builder.bytes) == .malformed(.length(least - 1)))
            #expect(parseProxy(builder.bytes.prefix(16)) == .malformed(.length(least - 1)))
            builder.length = UInt16(least)
            #expect(parseProxy(builder.bytes.prefix(16)) == .needMore(total: 16 + least))
        }
    }

    @Test("v2: TLVs that do not fill the header, or break their definitions, are refused")
    func tlvs() {
        var builder = ProxyHeaderBuilder()
        for tail in [[1], [1, 0], [1, 0, 1], [1, 0, 0, 1], [4, 0xff, 0xff, 0]] as [[UInt8]] {
            builder.tail = tail
            #expect(parseProxy(builder.bytes) == .malformed(.tlvList))
        }
        builder.tail = []
        builder.tlvs = [(5, [UInt8](repeating: 1, count: 129))]
        #expect(parseProxy(builder.bytes) == .malformed(.tlvContent(5)))
        builder.tlvs = [(3, [1, 2, 3])]
        #expect(parseProxy(builder.bytes) == .malformed(.tlvContent(3)))
        builder.tlvs = [(3, [0, 0, 0, 0])]
        #expect(parseProxy(builder.bytesWithChecksum) == .malformed(.tlvContent(3)))
        #expect(parseProxy(builder.bytes) == .malformed(.checksum))
    }

    @Test("one bit that is wrong anywhere under a checksum is never accepted as it is")
    func checksum() {
        for bytes in [CapturedProxyHeader.tls, CapturedProxyHeader.custom] {
            for bit in 0..<bytes.count * 8 {
                var wrong = bytes
                wrong[bit / 8] ^= 1 << UInt8(bit % 8)
                guard case .header(let header) = parseProxy(wrong) else { continue }
                // What is left: PROXY became LOCAL whose block cannot be read, or the checksum another type.
                #expect(header.command == .local || header.tlvs[3] == nil, "bit \(bit)")
                #expect(header.command == .proxy || header.source == nil, "bit \(bit)")
            }
        }
    }

    @Test("the limit counts the whole header, and is told as soon as the length is known")
    func limits() {
        let binary = CapturedProxyHeader.tls
        #expect(parseProxy(binary, limit: binary.count) == parseProxy(binary))
        for length in [16, 20, binary.count] {
            #expect(parseProxy(binary.prefix(length), limit: binary.count - 1) == .tooLarge)
        }
        var builder = ProxyHeaderBuilder()
        builder.length = 4081
        #expect(parseProxy(builder.bytes.prefix(16)) == .tooLarge)
        builder.length = 4080
        #expect(parseProxy(builder.bytes.prefix(16)) == .needMore(total: 4096))
        builder.length = 0x1000
        #expect(parseProxy(builder.bytes.prefix(15)) == .tooLarge)
        let text = CapturedProxyHeader.text4
        #expect(parseProxy(text, limit: text.count) == parseProxy(text))
        #expect(parseProxy(text, limit: text.count - 1) == .tooLarge)
        #expect(parseProxy("", limit: 0) == .tooLarge)
        #expect(parseProxy("PROXY", limit: -1) == .tooLarge)
        #expect(parseProxy(ProxyHeaderBuilder.signature, limit: 15) == .tooLarge)
    }
}
