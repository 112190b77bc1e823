import EngineCore
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@testable import Engine

/// A plain listener before an endpoint that is told who comes.
private struct SendingFixture {
    let harness: EngineHarness
    let backend: ToldBackend
    let port: UInt16

    init(
        _ version: ProxyProtocolSending.Version, _ fields: ProxyProtocolSending.Field..., receives: Bool = false
    ) throws {
        harness = try EngineHarness(workers: 1)
        backend = try ToldBackend()
        port = try freePort()
        var listener = tcpListener("t", port: port, route("a", to: "a"))
        if receives { listener.settings.proxyProtocol = ProxyProtocolReception() }
        var target = EngineTests.backend("a", ports: [backend.port])
        target.settings.proxyProtocol = ProxyProtocolSending(version: version, fields: fields)
        harness.apply([listener], [target])
    }

    /// What the endpoint is told of a client that sends `header`.
    func told(_ header: [UInt8] = [], to address: IPAddress = .loopbackV4) throws -> (client: PlainClient, told: Told) {
        let client = try PlainClient(to: SocketAddress(address, port))
        if !header.isEmpty { try client.send(header) }
        return (client, try backend.accept())
    }
}

private func ownBytes(_ tlvs: ProxyTLVs, _ source: String, _ destination: String) throws -> [UInt8] {
    let header = ProxyHeader(
        version: .v2, source: SocketAddress(source), destination: SocketAddress(destination), tlvs: tlvs)
    return try #require(header.encoded())
}

@Suite("PROXY protocol towards backends", .timeLimit(.minutes(5)))
struct ProxySendingTests {
    // MARK: Addresses

    @Test(
        "source is the client, destination what it connected to, in one piece before its bytes",
        arguments: [ProxyProtocolSending.Version.v1, .v2], [IPAddress.loopbackV4, .loopbackV6])
    func addresses(version: ProxyProtocolSending.Version, address: IPAddress) throws {
        let fixture = try SendingFixture(version)
        let (client, told) = try fixture.told(to: address)
        #expect(told.header.version == (version == .v1 ? .v1 : .v2) && told.header.command == .proxy)
        #expect(told.header.source == client.localAddress)
        #expect(told.header.destination == SocketAddress(address, fixture.port))
        #expect(told.firstRead == told.header.consumedBytes)
        #expect(told.header.tlvs.isEmpty)
        try client.send("from the client")
        #expect(try told.stream.receive(exactly: 15) == Array("from the client".utf8))
        try told.stream.send("from the backend")
        #expect(try client.receive(exactly: 16) == Array("from the backend".utf8))
        #expect(waitUntil { fixture.harness.metric("sluice_backend_connects_total", "result=\"ok\"") == 1 })
    }

    @Test("megabytes follow it byte for byte, both ways", arguments: [ProxyProtocolSending.Version.v1, .v2])
    func bulk(version: ProxyProtocolSending.Version) throws {
        let fixture = try SendingFixture(version)
        let (client, told) = try fixture.told()
        let bytes = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let sending = try BackgroundWork { try client.send(bytes, timeout: .seconds(60)) }
        #expect(try told.stream.receive(exactly: bytes.count, timeout: .seconds(60)) == bytes)
        try sending.value()
        let answering = try BackgroundWork { try told.stream.send(bytes, timeout: .seconds(60)) }
        #expect(try client.receive(exactly: bytes.count, timeout: .seconds(60)) == bytes)
        try answering.value()
        client.close()
        #expect(waitUntil { fixture.harness.metric("sluice_tcp_bytes_total", "request") == Double(bytes.count) })
    }

    @Test("what a header in front of us said is said again", arguments: [ProxyProtocolSending.Version.v1, .v2])
    func passedOn(version: ProxyProtocolSending.Version) throws {
        let fixture = try SendingFixture(version, receives: true)
        for (source, destination) in [
            ("203.0.113.7:4660", "198.51.100.1:443"), ("[2001:db8::7]:4660", "[2001:db8::1]:443"),
        ] {
            let (_, told) = try fixture.told(try ownBytes(ProxyTLVs(), source, destination))
            #expect(told.header.source == SocketAddress(source))
            #expect(told.header.destination == SocketAddress(destination))
        }
    }

    @Test("a mix of families is UNKNOWN in v1, and IPv4-mapped in v2")
    func mixed() throws {
        let (source, destination) = ("[2001:db8::7]:4660", "198.51.100.1:443")
        let header = try ownBytes(ProxyTLVs(), source, destination)
        let (_, first) = try SendingFixture(.v1, receives: true).told(header)
        #expect(first.header == ProxyHeader(version: .v1, consumedBytes: 15))
        let (_, second) = try SendingFixture(.v2, receives: true).told(header)
        #expect(second.header.source == SocketAddress(source))
        #expect(second.header.destination == SocketAddress(destination))
        #expect(second.header.transport == .tcp6)
    }

    @Test("a proxy's own connection, and one of somebody unknown, is the peer's")
    func unnamed() throws {
        for header in [try ProxyBytes.local(), Array("PROXY UNKNOWN\r\n".utf8)] {
            let fixture = try SendingFixture(.v2, receives: true)
            let (client, told) = try fixture.told(header)
            #expect(told.header.command == .proxy)
            #expect(told.header.source == client.localAddress)
            #expect(told.header.destination == SocketAddress(.loopbackV4, fixture.port))
        }
    }

    @Test("a unix socket is told the same")
    func unixSocket() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/socket"
        let server = try UnixTestServer(path)
        let harness = try EngineHarness(workers: 1)
        let port = try freePort()
        var target = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .unix(path: path))])
        target = target.sending(.v2, .crc32c)
        harness.apply([tcpListener("t", port: port, route("a", to: "a"))], [target])
        let client = try PlainClient(port: port)
        let told = try Told(try server.accept())
        #expect(told.header.source == client.localAddress)
        #expect(told.header.destination == SocketAddress(.loopbackV4, port))
        try client.send("x")
        #expect(try told.stream.receive(exactly: 1) == [0x78])
    }

    @Test("our own connections are LOCAL, which v1 says as UNKNOWN")
    func own() {
        #expect(ProxyProtocolSending(version: .v1).ownHeader == Array("PROXY UNKNOWN\r\n".utf8))
        let bytes = ProxyProtocolSending(version: .v2, fields: [.authority, .crc32c]).ownHeader
        #expect(bytes == [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x20, 0, 0, 0])
    }

    // MARK: TLVs

    @Test("fields come in their order; what a plain connection has nothing for is left out")
    func order() throws {
        let fixture = try SendingFixture(
            .v2, .custom(0xe2, Array("edge".utf8)), .authority, .crc32c, .alpn, .ssl, .uniqueID, .forward(0xe1),
            .custom(0xe0, []))
        let (_, told) = try fixture.told()
        #expect(
            told.types == [0xe2, ProxyTLVType.checksum, ProxyTLVType.uniqueID, 0xe0])
        #expect(told.text(0xe2) == "edge" && told.values(0xe0) == [[]])
    }

    @Test("the connection's id is the one in the log")
    func uniqueID() throws {
        let fixture = try SendingFixture(.v2, .uniqueID)
        let (_, told) = try fixture.told()
        let connection = try #require(fixture.harness.engine.connections().first)
        #expect(told.text(ProxyTLVType.uniqueID) == String(connection.id, radix: 16))
    }

    @Test("an id, a name and TLVs of the header in front of us are passed on, each only if it is asked for")
    func forwarded() throws {
        var received = ProxyTLVs()
        let isWhole =
            received.append(ProxyTLVType.authority, "db.example.com".utf8)
            && received.append(0xe1, [1, 2, 3]) && received.append(ProxyTLVType.uniqueID, "request-17".utf8)
            && received.append(0xe4, "not asked for".utf8) && received.append(0xe1, [4]) && received.appendChecksum()
        try #require(isWhole)
        let header = try ownBytes(received, "203.0.113.7:4660", "198.51.100.1:443")
        let fixture = try SendingFixture(
            .v2, .forward(0xe1), .uniqueID, .authority, .forward(0xe0), .forward(ProxyTLVType.tls), receives: true)
        let (_, told) = try fixture.told(header)
        #expect(told.types == [0xe1, 0xe1, ProxyTLVType.uniqueID, ProxyTLVType.authority])
        #expect(told.values(0xe1) == [[1, 2, 3], [4]])
        #expect(told.text(ProxyTLVType.uniqueID) == "request-17")
        #expect(told.text(ProxyTLVType.authority) == "db.example.com")
    }

    @Test("what does not fit in 4096 bytes is left out, counted and said; the header is whole")
    func overfull() throws {
        let long = [UInt8](repeating: 0x61, count: 256)
        let fixture = try SendingFixture(
            .v2, .custom(0xe0, long), .forward(0xe5), .custom(0xe1, long), .uniqueID, .crc32c, receives: true)
        var received = ProxyTLVs()
        for _ in 0..<15 { #expect(ProxyBytes.append(0xe5, long, to: &received)) }
        let header = try ownBytes(received, "203.0.113.7:4660", "198.51.100.1:443")
        let (client, told) = try fixture.told(header)
        // All of a forwarded type or none of it.
        #expect(told.types == [0xe0, 0xe1, ProxyTLVType.uniqueID, ProxyTLVType.checksum])
        #expect(fixture.harness.metric("sluice_backend_proxy_tlvs_dropped_total") == 1)
        let entry = fixture.harness.log.waitForEntry {
            $0.message == "the PROXY header has no room for all of its TLVs" && "\($0)".contains("forward(229)")
        }
        #expect(entry != nil)
        try client.send("x")
        #expect(try told.stream.receive(exactly: 1) == [0x78])
    }

    @Test("a header of the greatest length is taken and followed by the client's bytes")
    func longest() throws {
        let fixture = try SendingFixture(.v2, .forward(0xe5), .crc32c, receives: true)
        var received = ProxyTLVs()
        let filling = [UInt8](repeating: 7, count: ProxyTLVs.largest - 3 - 7)
        #expect(ProxyBytes.append(0xe5, filling, to: &received))
        let header = try ownBytes(received, "[2001:db8::7]:4660", "[2001:db8::1]:443")
        let (client, told) = try fixture.told(header)
        #expect(told.header.consumedBytes == 4096)
        #expect(told.types == [0xe5, ProxyTLVType.checksum])
        try client.send("x")
        #expect(try told.stream.receive(exactly: 1) == [0x78])
    }
}
