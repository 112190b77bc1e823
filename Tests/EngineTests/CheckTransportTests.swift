import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("How health checks reach endpoints", .timeLimit(.minutes(3)))
struct CheckTransportTests {
    private let harness: EngineHarness
    private let ca: TestCA

    init() throws {
        harness = try EngineHarness(workers: 1)
        ca = try TestPKI.makeCA("Backends")
    }

    private func secure(_ serve: @escaping @Sendable (any TestStream) throws -> Void) throws -> ScriptedServer {
        try ScriptedServer(tls: TLSServerOptions(try ca.issue(dnsNames: ["db.test"])), serve)
    }

    private func tls(_ name: String = "db.test", _ authority: TestCA? = nil) throws -> BackendTLS {
        BackendTLS(trust: .bundles(try trust(authority ?? ca)), hostname: name)
    }

    @Test("a port of its own")
    func port() throws {
        let (data, health) = (try ScriptedServer { _ in }, try ScriptedServer { try $0.send("up") })
        var check = activeCheck([expect("up")])
        check.port = health.port
        harness.apply([], [backend("a", ports: [data.port], check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(data.count == 0 && health.count > 0)
        #expect(harness.endpoints("a").map(\.address) == ["127.0.0.1:\(data.port)"])
    }

    @Test("a Unix socket")
    func unix() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/s"
        var configuration = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .unix(path: path))])
        configuration.settings.health.active = activeCheck()
        harness.apply([], [configuration])
        #expect(waitUntil { harness.failures("a", "connect_refused") > 0 })
        #expect(harness.state("a") == .unhealthy)
        #expect(harness.endpoints("a").map(\.address) == ["unix:\(path)"])
    }

    @Test("over TLS where connections are, to the end of the steps")
    func overTLS() throws {
        let server = try secure { stream in
            #expect(try stream.receiveLine() == "PING")
            try stream.send("PONG\n")
            _ = try stream.receive(max: 1, timeout: .seconds(5))
        }
        let check = activeCheck([send("PING\n"), expect("PONG")])
        harness.apply([], [backend("a", ports: [server.port], tls: try tls(), check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(waitUntil { harness.passes("a") >= 3 })
        // Whole handshakes, not sessions that resume.
        #expect(harness.failure("a") == nil)
    }

    @Test("a certificate that is refused, and a server without TLS, fail the check")
    func certificate() throws {
        let server = try secure { _ = try $0.receive(max: 1, timeout: .seconds(5)) }
        let plain = try ScriptedServer { try $0.send("220 hello\r\n") }
        var check = activeCheck()
        check.timeout = .milliseconds(500)
        harness.apply(
            [],
            [
                backend("a", ports: [server.port], tls: try tls("other.test"), check: check),
                backend("b", ports: [server.port], tls: try tls("db.test", try TestPKI.makeCA("Others")), check: check),
                backend("c", ports: [plain.port], tls: try tls(), check: check),
            ])
        #expect(waitUntil { ["a", "b", "c"].allSatisfy { harness.failures($0, "tls_error") > 0 } })
        #expect(waitUntil { harness.failure("a")?.contains("backend_cert_name_mismatch") == true })
        #expect(waitUntil { harness.failure("b")?.contains("backend_cert_unknown_ca") == true })
        #expect(harness.state("c") == .unhealthy)
    }

    @Test("without TLS where that is asked for")
    func plaintext() throws {
        let server = try ScriptedServer { try $0.send("up") }
        var check = activeCheck([expect("up")])
        check.isPlaintext = true
        harness.apply([], [backend("a", ports: [server.port], tls: try tls(), check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
    }

    @Test("PostgreSQL's request for TLS before the handshake")
    func startTLS() throws {
        let certificate = try ca.issue(dnsNames: ["db.test"])
        let context = try TLSTestServer(TLSServerOptions(certificate))
        let said = Locked<[UInt8]>([])
        let server = Locked(false)
        let thread = try Thread(named: "postgres") {
            while !server.withLock({ $0 }) {
                guard let plain = try? context.acceptPlain(timeout: .milliseconds(100)) else { continue }
                guard let request = try? plain.receive(exactly: 8) else { continue }
                said.withLock { $0 = request }
                try? plain.send("S")
                guard let stream = try? context.shakeHands(over: plain) else { continue }
                try? stream.send("ready")
                _ = try? stream.receive(max: 1, timeout: .milliseconds(500))
                stream.close()
            }
        }
        thread.detach()
        defer { server.withLock { $0 = true } }
        var configuration = backend("a", ports: [context.port], tls: try tls(), check: activeCheck([expect("ready")]))
        configuration.settings.startTLS = .postgres
        harness.apply([], [configuration])
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(said.withLock { $0 } == [0, 0, 0, 8, 4, 210, 22, 47])
    }

    @Test("a refused request for TLS fails the check")
    func refusedStartTLS() throws {
        let server = try ScriptedServer { stream in
            _ = try stream.receive(exactly: 8)
            try stream.send("N")
            _ = try stream.receive(max: 1, timeout: .seconds(5))
        }
        var configuration = backend("a", ports: [server.port], tls: try tls(), check: activeCheck())
        configuration.settings.startTLS = .postgres
        harness.apply([], [configuration])
        #expect(waitUntil { harness.failures("a", "tls_error") > 0 })
        #expect(harness.failure("a") == #"the endpoint answered "N" to the request for TLS"#)
    }

    private static let local = [UInt8]("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x20, 0, 0, 0]

    @Test(
        "a PROXY header that says that the connection is our own",
        arguments: [
            (ProxyProtocolSending?.some(.init(version: .v2)), Bool?.none, local),
            (.some(.init(version: .v1)), nil, Array("PROXY UNKNOWN\r\n".utf8)),
            (.some(.init(version: .v2)), false, []), (nil, true, local), (nil, nil, []),
        ])
    func proxyHeader(sending: ProxyProtocolSending?, asked: Bool?, expected: [UInt8]) throws {
        let got = Locked<[UInt8]?>(nil)
        let server = try ScriptedServer { stream in
            let bytes = try stream.receive(exactly: expected.count + 4)
            got.withLock { $0 = bytes }
            try stream.send("PONG")
            _ = try stream.receive(max: 1, timeout: .seconds(5))
        }
        var check = activeCheck([send("PING"), .expect(Array("PONG".utf8))])
        check.sendsProxyHeader = asked
        var configuration = backend("a", ports: [server.port], check: check)
        configuration.settings.proxyProtocol = sending
        harness.apply([], [configuration])
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(got.withLock { $0 } == expected + Array("PING".utf8))
    }
}
