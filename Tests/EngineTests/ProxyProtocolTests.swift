@testable import Engine
import EngineCore
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

/// A listener that asks for the PROXY protocol, before an echo that counts who comes.
struct ProxyFixture {
    let harness: EngineHarness
    let echo: EchoBackend
    let port: UInt16

    init(
        _ mode: ProxyProtocolReception.Mode = .required, trusted: [String]? = nil,
        timeout: Duration = .seconds(30), greeting: String = ""
    ) throws {
        harness = try EngineHarness(workers: 1)
        echo = try EchoBackend(greeting)
        port = try freePort()
        var listener = tcpListener("db", port: port, route("r", to: "a"))
        listener.settings.proxyProtocol = ProxyProtocolReception(
            mode: mode, trusted: trusted.map { CIDRSet($0.compactMap { CIDR($0) }) }, headerTimeout: timeout)
        harness.apply([listener], [backend("a", ports: [echo.port])])
    }

    func headers(_ result: String, _ version: String = "") -> Double {
        harness.metric("sluice_proxy_protocol_headers_total", "result=\"\(result)\"", "version=\"\(version)\"")
    }

    /// The one open connection.
    func connection() throws -> ConnectionInfo {
        guard waitUntil({ harness.engine.connections().count == 1 }), let info = harness.engine.connections().first
        else { throw TestFailure("there is not exactly one connection") }
        return info
    }

    /// The reset may be there before connect or send returns.
    private func ending(sending bytes: [UInt8]) throws -> StreamEnd {
        do {
            let client = try PlainClient(port: port)
            try client.send(bytes)
            return try client.waitForEnd()
        } catch StreamError.reset {
            return .reset
        } catch let error as Errno where error == .connectionReset {
            return .reset
        }
    }

    /// How a client that sends `bytes` is refused; no backend hears of it.
    func expectRefusal(_ bytes: [UInt8], _ reason: CloseReason, _ result: String, _ comment: Comment) throws {
        let before = (harness.rejected(reason), headers(result))
        #expect(try ending(sending: bytes) == .reset, comment)
        #expect(waitUntil { harness.rejected(reason) == before.0 + 1 }, comment)
        #expect(headers(result) == before.1 + 1, comment)
        #expect(echo.accepted.withLock { $0 } == 0, comment)
    }
}

/// Headers as bytes.
enum ProxyBytes {
    static let source4 = "203.0.113.7:4660"
    static let source6 = "[2001:db8::7]:4660"

    static func header(_ version: ProxyHeader.Version, from source: String, tlvs: ProxyTLVs = ProxyTLVs()) throws
        -> [UInt8]
    {
        let isV6 = source.first == "["
        let destination = SocketAddress(isV6 ? "[2001:db8::1]:443" : "198.51.100.1:443")
        let header = ProxyHeader(
            version: version, source: SocketAddress(source), destination: destination, tlvs: tlvs)
        guard let bytes = header.encoded() else { throw TestFailure("a header that cannot be written") }
        return bytes
    }

    /// What `#expect` cannot hold: a mutating call.
    static func append(_ type: UInt8, _ value: [UInt8], to tlvs: inout ProxyTLVs) -> Bool { tlvs.append(type, value) }

    static func local() throws -> [UInt8] {
        guard let bytes = ProxyHeader(version: .v2, command: .local).encoded() else { throw TestFailure("no header") }
        return bytes
    }

    /// A header of exactly `total` bytes.
    static func padded(to total: Int) throws -> [UInt8] {
        var bytes = try header(.v2, from: source4)
        let padding = total - bytes.count - 3
        bytes += [ProxyTLVType.noOperation, UInt8(padding >> 8), UInt8(padding & 0xff)]
        bytes += [UInt8](repeating: 0, count: padding)
        bytes[14] = UInt8((total - 16) >> 8)
        bytes[15] = UInt8((total - 16) & 0xff)
        return bytes
    }
}

@Suite("PROXY protocol", .timeLimit(.minutes(5)))
struct ProxyProtocolTests {
    @Test(
        "a header names the client, and nothing but it is taken off the stream",
        arguments: [ProxyHeader.Version.v1, .v2], [ProxyBytes.source4, ProxyBytes.source6])
    func named(version: ProxyHeader.Version, source: String) throws {
        let fixture = try ProxyFixture()
        let header = try ProxyBytes.header(version, from: source)
        for pieces in [
            [header + Array("hello".utf8)], [header, Array("hello".utf8)], header.map { [$0] } + [Array("hello".utf8)],
        ] {
            let client = try PlainClient(to: SocketAddress(pieces.count == 1 ? .loopbackV6 : .loopbackV4, fixture.port))
            for piece in pieces { try client.send(piece) }
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
            let connection = try fixture.connection()
            #expect(connection.client == SocketAddress(source))
            #expect(connection.peer == client.localAddress)
            #expect(connection.proxyProtocolVersion == Int(version.rawValue))
            try client.exchange("more")
            client.close()
            #expect(waitUntil { fixture.harness.engine.activeConnections == 0 })
        }
        #expect(fixture.headers("proxy", "v\(version.rawValue)") == 3)
        #expect(fixture.harness.metric("sluice_tcp_bytes_total", "request") == 27)
        #expect(fixture.harness.metric("sluice_listener_connections_accepted_total") == 3)
        #expect(fixture.harness.metric("sluice_listener_handshaking_connections") == 0)
    }

    @Test("what follows a whole header is kept: TLVs with a right checksum, up to 4 KiB")
    func extended() throws {
        let fixture = try ProxyFixture()
        var tlvs = ProxyTLVs()
        let isWhole =
            tlvs.append(ProxyTLVType.authority, "db.example.com".utf8)
            && tlvs.append(ProxyTLVType.uniqueID, "request-17".utf8) && tlvs.appendChecksum()
        try #require(isWhole)
        let client = try PlainClient(port: fixture.port)
        try client.send(try ProxyBytes.header(.v2, from: ProxyBytes.source4, tlvs: tlvs))
        try client.exchange("a")
        #expect(try fixture.connection().proxyUniqueID == "request-17")
        let long = try PlainClient(port: fixture.port)
        let padded = try ProxyBytes.padded(to: 4096)
        try long.send(Array(padded[..<2000]))
        try long.send(Array(padded[2000...]))
        try long.exchange("b")
    }

    @Test("UNKNOWN, LOCAL and other transports than TCP keep the peer's address")
    func unnamed() throws {
        let fixture = try ProxyFixture()
        let unix = ProxyHeaderBytes.unix
        for (header, result, version) in [
            (Array("PROXY UNKNOWN\r\n".utf8), "unknown", "v1"),
            (Array("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".utf8), "unknown", "v1"),
            (unix, "unknown", "v2"), (try ProxyBytes.local(), "local", "v2"),
        ] {
            let before = fixture.headers(result, version)
            let client = try PlainClient(port: fixture.port)
            try client.send(header)
            try client.exchange("hello")
            #expect(fixture.headers(result, version) == before + 1)
            let connection = try fixture.connection()
            #expect(connection.client == client.localAddress && connection.peer == client.localAddress)
            client.close()
            #expect(waitUntil { fixture.harness.engine.activeConnections == 0 })
        }
    }

    /// Headers that no encoder of ours writes.
    private enum ProxyHeaderBytes {
        static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
        static let unix = signature + [0x21, 0x31, 0, 216] + [UInt8](repeating: 0x2f, count: 216)
    }

    @Test("a header that comes late meets the routes as they are then")
    func late() throws {
        let fixture = try ProxyFixture()
        let other = try EchoBackend("other")
        let client = try PlainClient(port: fixture.port)
        #expect(waitUntil { fixture.harness.metric("sluice_listener_handshaking_connections") == 1 })
        var listener = tcpListener("db", port: fixture.port, route("r", to: "b"))
        listener.settings.proxyProtocol = ProxyProtocolReception()
        fixture.harness.apply([listener], [backend("b", ports: [other.port])])
        try client.send(try ProxyBytes.header(.v1, from: ProxyBytes.source4))
        #expect(try client.receiveLine() == "other")
        #expect(fixture.echo.accepted.withLock { $0 } == 0)
    }

    // MARK: Refused

    @Test("what is no header, or a broken one, is reset with its reason and reaches no backend")
    func refusals() throws {
        let fixture = try ProxyFixture()
        var badChecksum = ProxyTLVs()
        _ = badChecksum.appendChecksum()
        var header = try ProxyBytes.header(.v2, from: ProxyBytes.source4, tlvs: badChecksum)
        header[header.count - 1] ^= 1
        let malformed: [[UInt8]] = [
            header, Array("PROXXY TCP4".utf8), Array("PROXY TCP4 1.2.3.4 x".utf8), Array("PROXY TCP5 ".utf8),
            Array(("PROXY UNKNOWN" + String(repeating: "x", count: 200)).utf8),
            ProxyHeaderBytes.signature + [0x11, 0x11, 0, 12], ProxyHeaderBytes.signature + [0x21, 0x11, 0, 4],
            try ProxyBytes.padded(to: 4097), ProxyHeaderBytes.signature.dropLast() + [0],
        ]
        for bytes in malformed {
            try fixture.expectRefusal(bytes, .proxyProtocolMalformed, "malformed", "\(bytes.prefix(40))")
        }
        let hello = try clientHelloBytes(TLSClientOptions(serverName: "a.test"))
        for bytes in [Array("GET / HTTP/1.1\r\n\r\n".utf8), hello, [0]] {
            try fixture.expectRefusal(bytes, .proxyProtocolMissing, "missing", "\(bytes.prefix(40))")
        }
        #expect(waitUntil { fixture.harness.engine.activeConnections == 0 })
        #expect(fixture.harness.metric("sluice_listener_connections_accepted_total") == 12)
        let entry = fixture.harness.log.waitForEntry {
            $0.message == "connection refused" && "\($0)".contains("a wrong CRC32C")
        }
        #expect(entry != nil)
    }

    @Test("no header in time: proxy_protocol_timeout, however much of it is there")
    func timeout() throws {
        let fixture = try ProxyFixture(timeout: .milliseconds(100))
        let header = try ProxyBytes.header(.v2, from: ProxyBytes.source4)
        for bytes in [[], Array("PROX".utf8), Array("PROXY TCP4 1.2".utf8), Array(header.dropLast())] {
            try fixture.expectRefusal(bytes, .proxyProtocolTimeout, "timeout", "\(bytes)")
        }
    }

    @Test("a peer that is not trusted is reset at once, whatever it sends")
    func untrusted() throws {
        let fixture = try ProxyFixture(trusted: ["10.0.0.0/8", "127.0.0.2/32"])
        try fixture.expectRefusal([], .proxyProtocolUntrusted, "untrusted", "silent")
        let header = try ProxyBytes.header(.v1, from: ProxyBytes.source4)
        try fixture.expectRefusal(header, .proxyProtocolUntrusted, "untrusted", "with a header")
    }

    @Test("a client that goes within its header is counted as such", arguments: [false, true])
    func abandoned(byReset: Bool) throws {
        let fixture = try ProxyFixture()
        let header = try ProxyBytes.header(.v1, from: ProxyBytes.source4)
        for length in [0, 3, 5, 20, header.count - 1] {
            let client = try PlainClient(port: fixture.port)
            try client.send(Array(header[..<length]))
            #expect(waitUntil { fixture.harness.metric("sluice_listener_handshaking_connections") == 1 })
            if byReset { client.reset() } else { client.close() }
            #expect(waitUntil { fixture.harness.engine.activeConnections == 0 })
        }
        #expect(fixture.harness.rejected(byReset ? .clientReset : .clientClosed) == 5)
        #expect(fixture.echo.accepted.withLock { $0 } == 0)
        #expect(fixture.harness.metric("sluice_listener_handshaking_connections") == 0)
    }

    @Test("urgent data within a header keeps no worker busy and ends with the header's time")
    func urgent() throws {
        let fixture = try ProxyFixture(timeout: .milliseconds(500))
        let header = try ProxyBytes.header(.v2, from: ProxyBytes.source4)
        let client = try PlainClient(port: fixture.port)
        try client.send(Array(header[..<14]))
        try client.sendUrgent(0)
        try client.send(Array(header[14...]) + [UInt8](repeating: 0, count: 4096))
        let before = fixture.harness.engine.turns
        #expect(try client.waitForEnd() == .reset)
        #expect(fixture.harness.engine.turns - before < 1000)
        #expect(
            waitUntil {
                fixture.harness.rejected(.proxyProtocolTimeout) + fixture.harness.rejected(.proxyProtocolMalformed) == 1
            })
    }
}
