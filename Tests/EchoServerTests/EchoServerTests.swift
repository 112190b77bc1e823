import EchoServer
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Echo server", .timeLimit(.minutes(2)))
struct EchoServerTests {
    /// A started server that stops when it goes.
    final class Running {
        let server: EchoServer
        let port: UInt16

        init(_ configure: (inout EchoServer.Configuration) -> Void = { _ in }) throws {
            var configuration = EchoServer.Configuration()
            configuration.address = .loopbackV4
            configuration.name = "one"
            configure(&configuration)
            server = EchoServer(configuration)
            port = try server.start()
        }

        deinit { server.stop() }
    }

    @Test("the first line names the backend and the client, then bytes come back")
    func content() throws {
        let running = try Running()
        let client = try PlainClient(port: running.port)
        let local = try #require(client.localAddress)
        #expect(try client.receiveLine() == #"{"backend":"one","client":"\#(local)"}"#)
        try client.exchange("hello\n\0\u{ff}")
        try client.exchange(testBytes(100_000))
    }

    @Test("a name with quotes is written as JSON")
    func escaping() throws {
        let running = try Running { $0.name = "a\"b\\c\n" }
        let line = try PlainClient(port: running.port).receiveLine()
        #expect(line.hasPrefix(#"{"backend":"a\"b\\c\n","client":""#), "\(line)")
    }

    @Test("a FIN is answered by a FIN when everything was echoed")
    func halfClose() throws {
        let running = try Running()
        let client = try PlainClient(port: running.port)
        _ = try client.receiveLine()
        let bytes = testBytes(300_000)
        let reading = try BackgroundWork { try client.receiveAll() }
        try client.send(bytes)
        try client.halfClose()
        #expect(try reading.value() == bytes)
        #expect(waitUntil { running.server.connectionCount == 0 })
    }

    @Test("a FIN before the first line was taken loses nothing")
    func immediateFIN() throws {
        let running = try Running()
        let client = try PlainClient(port: running.port)
        try client.halfClose()
        #expect(try client.receiveAll().last == UInt8(ascii: "\n"))
    }

    @Test("IPv4 and IPv6 are taken on one port, and the client's address is shown as it is")
    func bothFamilies() throws {
        let running = try Running { $0.address = .anyV6 }
        let four = try PlainClient(port: running.port)
        #expect(try four.receiveLine().contains(#""client":"127.0.0.1:"#))
        guard let six = try? PlainClient(to: SocketAddress(.loopbackV6, running.port)) else { return }
        #expect(try six.receiveLine().contains(#""client":"[::1]:"#))
    }

    @Test("200 connections are served side by side and all go when the server stops")
    func manyConnections() throws {
        let running = try Running()
        let clients = try (0..<200).map { _ in try PlainClient(port: running.port) }
        for client in clients { _ = try client.receiveLine() }
        #expect(running.server.connectionCount == 200)
        for round in 0..<3 {
            for (index, client) in clients.enumerated() { try client.send("\(round) of \(index)\n") }
            for (index, client) in clients.enumerated() { #expect(try client.receiveLine() == "\(round) of \(index)") }
        }
        running.server.stop()
        for client in clients { #expect(try client.waitForEnd() == .fin) }
    }

    @Test("a client that takes nothing is not read from either, and gets everything later")
    func backpressure() throws {
        let running = try Running()
        let client = try PlainClient(port: running.port)
        _ = try client.receiveLine()
        let chunk = testBytes(64 << 10)
        var sent = 0
        var quiet = 0
        while quiet < 20, sent < 256 << 20 {
            let count = try client.sendSome(Array(chunk[(sent % chunk.count)...]))
            sent += count
            quiet = count == 0 ? quiet + 1 : 0
            if count == 0 { _ = waitUntil(deadline: .milliseconds(5)) { false } }
        }
        #expect(sent < 64 << 20, "it goes on reading what nobody takes")
        let other = try PlainClient(port: running.port)
        _ = try other.receiveLine()
        try other.exchange("others go on")
        var received = 0
        while received < sent {
            let piece = try client.receive(max: min(64 << 10, chunk.count - received % chunk.count))
            #expect(piece == Array(chunk[(received % chunk.count)...].prefix(piece.count)))
            received += piece.count
        }
    }

    @Test("64 MiB come back with the same SHA-256 while they are still being sent")
    func bulk() throws {
        let running = try Running()
        let client = try PlainClient(port: running.port)
        _ = try client.receiveLine()
        let count = 64 << 20
        let sending = try BackgroundWork {
            let digest = try client.sendStream(count, seed: 7)
            try client.halfClose()
            return digest
        }
        let received = try client.receiveStream(count)
        #expect(try sending.value() == received)
        #expect(try client.waitForEnd() == .fin)
    }

    @Test("a stopped server has given back its port")
    func restarts() throws {
        // An address of its own, so that no other test's server answers on the port meanwhile.
        let address = IPAddress.v4(0x7f00_0707)
        for _ in 0..<20 {
            let running = try Running { $0.address = address }
            let client = try PlainClient(to: SocketAddress(address, running.port))
            _ = try client.receiveLine()
            running.server.stop()
            #expect(try client.waitForEnd() == .fin)
            #expect(throws: Errno.connectionRefused) { try PlainClient(to: SocketAddress(address, running.port)) }
            let next = try Running {
                $0.address = address
                $0.port = running.port
            }
            #expect(next.port == running.port)
        }
    }

    @Test("what cannot start says why")
    func startFailures() throws {
        let running = try Running()
        var configuration = EchoServer.Configuration()
        configuration.address = .loopbackV4
        configuration.port = running.port
        #expect(
            problem(configuration)
                == "the echo server echo cannot listen on 127.0.0.1:\(running.port): Address already in use")
        configuration.port = 0
        configuration.tls = (Array("x".utf8), [])
        #expect(problem(configuration) == "tls.crt holds no certificate: no PEM block")
        configuration.alpn = [""]
        #expect(problem(configuration) == "the ALPN protocol name \"\" must have 1 to 255 bytes")
        #expect(throws: EchoServerError.self) { try running.server.start() }
        running.server.stop()
        #expect(try running.server.start() != 0)
    }

    private func problem(_ configuration: EchoServer.Configuration) -> String? {
        do {
            _ = try EchoServer(configuration).start()
            return nil
        } catch {
            return error.description
        }
    }
}
