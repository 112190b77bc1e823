import EchoServer
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Echo server over TLS", .timeLimit(.minutes(2)))
struct EchoServerTLSTests {
    private let ca: TestCA
    private let certificate: TestCertificate

    init() throws {
        ca = try TestPKI.makeCA()
        certificate = try ca.issue(dnsNames: ["echo.example"], intermediate: true)
    }

    private func start(_ configure: (inout EchoServer.Configuration) -> Void = { _ in }) throws
        -> EchoServerTests.Running
    {
        try EchoServerTests.Running {
            $0.tls = (Array(certificate.chainPEM.utf8), Array(certificate.privateKeyPEM.utf8))
            configure(&$0)
        }
    }

    @Test("the first line shows SNI, ALPN and version", arguments: [TLSVersion.tls12, .tls13])
    func facts(version: TLSVersion) throws {
        let running = try start { $0.alpn = ["two", "one"] }
        var options = TLSClientOptions(serverName: "echo.example", trust: ca.pem, alpn: ["one", "two"])
        options.maxVersion = version
        let client = try TLSTestClient(port: running.port, options)
        let local = try #require(client.localAddress)
        #expect(
            try client.receiveLine()
                == #"{"backend":"one","client":"\#(local)","sni":"echo.example","alpn":"two","tls":"\#(client.version)"}"#
        )
        try client.exchange(testBytes(100_000))
    }

    @Test("without SNI and ALPN their keys are left out")
    func bare() throws {
        let running = try start()
        let client = try TLSTestClient(port: running.port, TLSClientOptions(alpn: ["h2"]))
        let local = try #require(client.localAddress)
        #expect(try client.receiveLine() == #"{"backend":"one","client":"\#(local)","tls":"TLSv1.3"}"#)
        #expect(client.alpn == nil)
    }

    @Test("an end is answered in kind: close_notify by close_notify, a bare FIN by a bare FIN")
    func ends() throws {
        let running = try start()
        for isClean in [true, false] {
            let client = try TLSTestClient(port: running.port)
            _ = try client.receiveLine()
            try client.send("last words")
            try isClean ? client.halfClose() : client.finWithoutCloseNotify()
            #expect(try client.receive(exactly: 10) == Array("last words".utf8))
            #expect(try client.waitForEnd() == (isClean ? .closeNotify : .truncated))
        }
        #expect(waitUntil { running.server.connectionCount == 0 })
    }

    @Test("an end is answered whatever number of records comes before it")
    func endAfterAnyNumberOfRecords() throws {
        let running = try start()
        for count in 1...40 {
            let client = try TLSTestClient(port: running.port)
            _ = try client.receiveLine()
            let records = testBytes(count)
            for byte in records { try client.send([byte]) }
            try client.halfClose()
            #expect(try client.receiveAll(timeout: .seconds(2)) == records)
        }
    }

    @Test("refusals arrive as alerts")
    func refusals() throws {
        let running = try start {
            $0.alpn = ["h2"]
            $0.clientCA = Array(ca.pem.utf8)
        }
        #expect(throws: StreamError.alert(.noApplicationProtocol)) {
            try TLSTestClient(port: running.port, TLSClientOptions(alpn: ["other"]))
        }
        let bare = try TLSTestClient(port: running.port)
        #expect(try bare.waitForEnd() == .alert(.certificateRequired))
        var known = TLSClientOptions(alpn: ["h2"])
        known.certificate = try ca.issue(dnsNames: ["client"])
        try #expect(TLSTestClient(port: running.port, known).receiveLine().contains(#""alpn":"h2""#))
        bare.close()
        #expect(waitUntil { running.server.connectionCount == 0 })
    }

    @Test("what is no TLS is refused")
    func noTLS() throws {
        let running = try start()
        let client = try PlainClient(port: running.port)
        try client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try client.waitForEnd() == .fin)
        client.close()
        #expect(waitUntil { running.server.connectionCount == 0 })
    }

    @Test("64 MiB come back with the same SHA-256 while they are still being sent")
    func bulk() throws {
        let running = try start()
        let client = try TLSTestClient(port: running.port)
        _ = try client.receiveLine()
        let count = 64 << 20
        let sending = try BackgroundWork {
            let digest = try client.sendStream(count, seed: 9)
            try client.halfClose()
            return digest
        }
        let received = try client.receiveStream(count)
        #expect(try sending.value() == received)
        #expect(try client.waitForEnd() == .closeNotify)
    }

    @Test("200 connections are served side by side")
    func manyConnections() throws {
        let running = try start()
        let clients = try (0..<200).map { _ in try TLSTestClient(port: running.port) }
        for client in clients { _ = try client.receiveLine() }
        for (index, client) in clients.enumerated() { try client.send("\(index)\n") }
        for (index, client) in clients.enumerated() { #expect(try client.receiveLine() == "\(index)") }
    }
}
