import EngineCore
import Primitives
import Testing

@Suite("PROXY protocol headers", .timeLimit(.minutes(5)))
struct ProxyHeaderTests {
    private let loopback4 = IPAddress.loopbackV4
    private let loopback6 = IPAddress.loopbackV6

    private func header(_ bytes: [UInt8]) throws -> ProxyHeader {
        guard case .header(let header) = parseProxy(bytes) else {
            throw Unread(description: "\(parseProxy(bytes))")
        }
        return header
    }

    private struct Unread: Error, CustomStringConvertible {
        let description: String
    }

    @Test("lines of HAProxy and of the specification are read")
    func capturedText() {
        #expect(
            parseProxy(CapturedProxyHeader.specification)
                == .header(
                    ProxyHeader(
                        version: .v1, source: SocketAddress("192.168.0.1:56324"),
                        destination: SocketAddress("192.168.0.11:443"), consumedBytes: 47)))
        #expect(
            parseProxy(CapturedProxyHeader.text4)
                == .header(
                    ProxyHeader(
                        version: .v1, source: SocketAddress(loopback4, 38806),
                        destination: SocketAddress(loopback4, 43101), consumedBytes: 44)))
        #expect(
            parseProxy(CapturedProxyHeader.text6)
                == .header(
                    ProxyHeader(
                        version: .v1, source: SocketAddress(loopback6, 52190),
                        destination: SocketAddress(loopback6, 43102), consumedBytes: 32)))
    }

    @Test("binary headers of HAProxy are read")
    func capturedBinary() throws {
        #expect(
            parseProxy(CapturedProxyHeader.binary4)
                == .header(
                    ProxyHeader(
                        version: .v2, source: SocketAddress(loopback4, 46528),
                        destination: SocketAddress(loopback4, 43103), consumedBytes: 28)))
        #expect(
            parseProxy(CapturedProxyHeader.binary6)
                == .header(
                    ProxyHeader(
                        version: .v2, source: SocketAddress(loopback6, 37896),
                        destination: SocketAddress(loopback6, 43104), consumedBytes: 52)))
        #expect(
            parseProxy(CapturedProxyHeader.check)
                == .header(ProxyHeader(version: .v2, command: .local, consumedBytes: 16)))
        let local = try header(CapturedProxyHeader.localWithChecksum)
        #expect(local.command == .local && local.source == nil && local.transport == .unspecified)
        #expect(local.tlvs.map(\.type) == [3] && local.consumedBytes == 23)
    }

    @Test("TLVs of HAProxy are kept in their order, and those of TLS read on demand")
    func capturedTLVs() throws {
        let tls = try header(CapturedProxyHeader.tls)
        #expect(tls.source == SocketAddress("127.0.0.1:45572") && tls.transport == .tcp4)
        #expect(tls.tlvs.map(\.type) == [3, 1, 2, 5, 0x20])
        #expect(tls.tlvs[ProxyTLVType.alpn] == Array("postgresql".utf8)[...])
        #expect(tls.tlvs.authority == "db.example.com")
        #expect(tls.tlvs[ProxyTLVType.uniqueID] == Array("id-1701774433".utf8)[...])
        let facts = ProxyTLSFacts(
            client: [.tls, .certificateOnConnection, .certificateInSession], verify: 0, version: "TLSv1.3",
            commonName: "client one", cipher: "TLS_AES_256_GCM_SHA384", signatureAlgorithm: "RSA-SHA256",
            keyAlgorithm: "RSA2048")
        #expect(tls.tlvs.tls == facts && facts.isCertificateVerified)
        let custom = try header(CapturedProxyHeader.custom)
        #expect(custom.tlvs.map(\.type) == [0xe1, 3])
        #expect(custom.tlvs[0xe1] == Array("custom-43106".utf8)[...])
        #expect(custom.tlvs[0xe2] == nil && custom.tlvs.authority == nil && custom.tlvs.tls == nil)
    }

    @Test("bytes after the header are left alone", arguments: CapturedProxyHeader.all)
    func following(bytes: [UInt8]) {
        #expect(parseProxy(bytes) == parseProxy(bytes + [0x16, 3, 1, 0]))
        #expect(parseProxy(bytes) == parseProxy(bytes + bytes))
    }

    @Test(
        "UNKNOWN keeps the peer's address, whatever stands before CRLF",
        arguments: [
            "", " ", " ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
            " 1.2.3.4 x\ry\nz", "  \r\r",
        ])
    func unknown(rest: String) {
        let line = "PROXY UNKNOWN\(rest)\r\n"
        #expect(parseProxy(line) == .header(ProxyHeader(version: .v1, consumedBytes: line.utf8.count)))
    }

    @Test("addresses of v1 at the ends of their ranges, and IPv4-mapped ones")
    func textAddresses() {
        for (family, source, destination, ports) in [
            ("TCP4", "255.255.255.255", "0.0.0.0", "65535 0"), ("TCP4", "10.0.0.1", "9.9.9.9", "1 65535"),
            ("TCP6", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "FFFF:0:0:0:0:0:0:1", "65535 65535"),
            ("TCP6", "::", "2001:DB8::a:b", "0 1"), ("TCP6", "::ffff:192.0.2.1", "::ffff:c000:202", "80 443"),
            ("TCP6", "64:ff9b::192.0.2.33", "1:2:3:4:5:6:1.2.3.4", "7 8"), ("TCP6", "1:2:3:4:5:6:7::", "::2", "7 8"),
        ] {
            let line = "PROXY \(family) \(source) \(destination) \(ports)\r\n"
            guard case .header(let header) = parseProxy(line) else {
                Issue.record("\(line): \(parseProxy(line))")
                continue
            }
            #expect(header.source?.ip == IPAddress(source)?.unmapped)
            #expect(header.destination?.ip == IPAddress(destination)?.unmapped)
            #expect(
                [header.source, header.destination].map { $0?.port } == ports.split(separator: " ").map { UInt16($0) })
            #expect(header.transport == (family == "TCP4" ? .tcp4 : .tcp6) && header.version == .v1)
        }
    }

    @Test("v2 over IPv6 with IPv4-mapped addresses is a client of IPv4")
    func mapped() throws {
        var builder = ProxyHeaderBuilder()
        builder.transport = 0x21
        let prefix = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        builder.addresses = prefix + [192, 0, 2, 1] + prefix + [192, 0, 2, 2] + [0, 80, 0, 81]
        let header = try header(builder.bytes)
        #expect(header.source == SocketAddress("192.0.2.1:80") && header.destination == SocketAddress("192.0.2.2:81"))
        #expect(header.transport == .tcp6)
    }

    @Test(
        "transports other than TCP keep the peer's address",
        arguments: [(0x00, 0), (0x12, 12), (0x22, 36), (0x31, 216), (0x32, 216)])
    func otherTransports(transport: Int, length: Int) throws {
        var builder = ProxyHeaderBuilder()
        (builder.transport, builder.addresses) = (UInt8(transport), [UInt8](repeating: 0x61, count: length))
        builder.tlvs = [(2, Array("a.example".utf8))]
        for bytes in [builder.bytes, builder.bytesWithChecksum] {
            let header = try header(bytes)
            #expect(header.source == nil && header.destination == nil && header.command == .proxy)
            #expect(header.transport.rawValue == UInt8(transport) && header.tlvs.authority == "a.example")
            #expect(header.consumedBytes == bytes.count)
        }
    }

    @Test("LOCAL is accepted whatever its block holds, but for a wrong checksum")
    func local() throws {
        var builder = ProxyHeaderBuilder()
        builder.versionAndCommand = 0x20
        for transport in [0x00, 0x11, 0x21, 0x31, 0x41, 0xff] as [UInt8] {
            builder.transport = transport
            for addresses in [[], ProxyHeaderBuilder.addresses4, [UInt8](repeating: 9, count: 300)] {
                builder.addresses = addresses
                let header = try header(builder.bytes)
                #expect(header == ProxyHeader(version: .v2, command: .local, consumedBytes: 16 + addresses.count))
            }
        }
        (builder.transport, builder.addresses) = (0x11, ProxyHeaderBuilder.addresses4)
        builder.tlvs = [(5, [1, 2])]
        var bytes = builder.bytesWithChecksum
        #expect(try header(bytes).tlvs.map(\.type) == [5, 3])
        bytes[20] ^= 1
        #expect(parseProxy(bytes) == .malformed(.checksum))
    }

    @Test("TLS facts: unknown types are passed over, what breaks the definition is none")
    func tlsFacts() {
        let name = [0x22] + HelloBuilder.vector16(Array("näme".utf8))
        let facts = ProxyTLSFacts([1, 0, 0, 0, 1] + [0x26, 0, 1, 0x58] + name + [0x22, 0, 1, 0x59])
        #expect(facts == ProxyTLSFacts(client: .tls, verify: 1, commonName: "näme"))
        #expect(facts?.isCertificateVerified == false)
        #expect(ProxyTLSFacts([0, 0xff, 0xff, 0xff, 0xfe]) == ProxyTLSFacts(client: [], verify: 0xffff_fffe))
        for broken in [[], [1, 0, 0, 0], [1, 0, 0, 0, 0, 0x21], [1, 0, 0, 0, 0, 0x21, 0, 2, 65]] as [[UInt8]] {
            #expect(ProxyTLSFacts(broken) == nil)
        }
        #expect(!ProxyTLSFacts(client: .tls, verify: 0).isCertificateVerified)
    }
}
