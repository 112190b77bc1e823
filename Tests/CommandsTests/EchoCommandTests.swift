import Platform
import Primitives
import TestSupport
import Testing

@testable import Commands

@Suite("echo", .timeLimit(.minutes(1)))
struct EchoCommandTests {
    @Test("it prints the port the kernel chose, introduces itself, echoes, and ends with a signal")
    func echoes() throws {
        let signals = TestSignals()
        let printed = Monitored("")
        let work = try BackgroundWork {
            let options = EchoOptions(port: 0, certificate: nil, key: nil, name: "blue")
            return try EchoCommand(options: options).run(signals) { text in printed.update { $0 += text } }
        }
        let line = printed.wait(until: .now() + .seconds(10)) { $0.hasSuffix("\n") ? $0 : nil } ?? ""
        #expect(line.hasPrefix("echo blue listens on port "))
        let port = try #require(line.split(separator: " ").last.flatMap { UInt16($0.dropLast()) })
        let socket = try StreamSocket.connect(to: .ip(SocketAddress(.loopbackV4, port)))
        try socket.setNonBlocking(false)
        try socket.writeAll("hello\n".utf8)
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while answer.count(where: { $0 == UInt8(ascii: "\n") }) < 2 {
            let count = try chunk.withUnsafeMutableBytes { try socket.read(into: $0) }
            if count == 0 { break }
            answer += chunk[..<count]
        }
        let text = String(decoding: answer, as: UTF8.self)
        #expect(text.hasPrefix("{\"backend\":\"blue\",\"client\":\"127.0.0.1:"))
        #expect(text.hasSuffix("}\nhello\n"))
        signals.send(.hangup)
        signals.send(.terminate)
        #expect(try work.value(timeout: .seconds(10)) == 0)
    }

    @Test("a certificate that cannot be read is named with its flag")
    func unreadable() throws {
        let options = EchoOptions(port: 0, certificate: "/no/such.crt", key: "/no/such.key", name: "x")
        let error = #expect(throws: StartFailure.self) {
            _ = try EchoCommand(options: options).run(TestSignals()) { _ in }
        }
        #expect(error?.description == "sluice echo: --tls-cert: cannot read '/no/such.crt': No such file or directory")
    }
}
