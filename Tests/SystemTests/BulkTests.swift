internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("64 MiB both ways at once", .timeLimit(.minutes(3)))
    struct BulkTests {
        enum Mode: String, CaseIterable { case plain, passthrough, terminate, reencrypt }

        @Test("comes out with the same SHA-256, and each direction ends by itself", arguments: Mode.allCases)
        func bothWays(mode: Mode) throws {
            let size = 64 << 20
            let fixture = try BulkFixture(mode)
            let (client, server) = try fixture.connect()
            let work = try [
                BackgroundWork { try client.sendThenEnd(size, seed: 1) },
                BackgroundWork { try server.receiveStream(size) },
                BackgroundWork { try server.sendStream(size, seed: 2) },
                BackgroundWork { try client.receiveStream(size) },
            ]
            let digests = try work.map { try $0.value(timeout: .seconds(90)) }
            #expect(digests[0] == digests[1], "client to backend")
            #expect(digests[2] == digests[3], "backend to client")
            #expect(digests[0] != digests[2])

            // The client has ended its direction; the other one still carries bytes.
            #expect(try server.receive(max: 1).isEmpty)
            try server.send("still here")
            #expect(try client.receive(exactly: 10) == Array("still here".utf8))
            try server.halfClose()
            #expect(try client.receive(max: 1).isEmpty)
            client.close()
            server.close()

            let route = ["gateway": "gw", "listener": "bulk", "route": "bulk"]
            try fixture.sluice.waitForMetrics("the close") {
                $0.sum("sluice_tcp_connections_closed_total", route) == 1
            }
            let metrics = try fixture.sluice.metrics()
            for (direction, plain) in [("request", size), ("response", size + 10)] {
                let bytes = metrics.sum("sluice_tcp_bytes_total", route.merging(["direction": direction]) { $1 })
                // What passes through as TLS carries its records as well.
                if mode == .passthrough {
                    #expect(bytes > Double(plain) && bytes < Double(plain) * 1.01, "\(direction)")
                } else {
                    #expect(bytes == Double(plain), "\(direction)")
                }
            }
            try fixture.sluice.stop()
        }
    }
}

/// A gateway in one of the modes in front of a server of this process.
private struct BulkFixture {
    let sluice: Sluice
    let server: BulkServer
    private let port: UInt16
    private let trust: String
    private let mode: Process.BulkTests.Mode

    init(_ mode: Process.BulkTests.Mode) throws {
        let authority = try TestPKI.makeCA()
        let (front, back) = (
            try authority.issue(dnsNames: ["bulk.example.com"]), try authority.issue(dnsNames: ["backend.example.com"])
        )
        let listener: Manifest.Listener
        port = try Ports.free()
        switch mode {
        case .plain: listener = .init(name: "bulk", port: port)
        case .passthrough: listener = .init(name: "bulk", port: port, mode: .passthrough)
        case .terminate, .reencrypt:
            listener = .init(name: "bulk", port: port, mode: .terminate, certificates: ["front"])
        }
        switch mode {
        case .plain, .terminate: server = .plain(try PlainServer())
        case .passthrough: server = .tls(try TLSTestServer(TLSServerOptions(front)))
        case .reencrypt: server = .tls(try TLSTestServer(TLSServerOptions(back)))
        }
        sluice = try Sluice.ready(
            Manifest.gateway([listener]),
            mode == .plain
                ? Manifest.tcpRoute("bulk", to: "bulk", section: "bulk")
                : Manifest.tlsRoute("bulk", to: "bulk", hostnames: ["bulk.example.com"], section: "bulk"),
            Manifest.service("bulk", at: server.port), Manifest.secret("front", front),
            mode == .reencrypt
                ? Manifest.backendTLS("bulk", authority: "ca", hostname: "backend.example.com")
                    + Manifest.authority("ca", authority.pem) : "")
        trust = authority.pem
        self.mode = mode
    }

    /// A connection's two ends. They shake hands with each other where TLS passes through.
    func connect() throws -> (client: any TestStream, server: any TestStream) {
        let (port, mode, trust) = (port, mode, trust)
        let client = try BackgroundWork<any TestStream> {
            guard mode != .plain else { return try PlainClient(port: port) }
            return try TLSTestClient(port: port, TLSClientOptions(serverName: "bulk.example.com", trust: trust))
        }
        let accepted = try server.accept()
        return (try client.value(timeout: .seconds(20)), accepted)
    }
}

private enum BulkServer {
    case plain(PlainServer)
    case tls(TLSTestServer)

    var port: UInt16 {
        switch self {
        case .plain(let server): server.port
        case .tls(let server): server.port
        }
    }

    func accept() throws -> any TestStream {
        switch self {
        case .plain(let server): try server.accept()
        case .tls(let server): try server.accept()
        }
    }
}

extension TestStream {
    fileprivate func sendThenEnd(_ count: Int, seed: UInt64) throws -> String {
        let digest = try sendStream(count, seed: seed)
        try halfClose()
        return digest
    }
}
