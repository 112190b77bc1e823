@testable import Engine
import EngineModel
import Glibc
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Errors of a connect", .timeLimit(.minutes(1)))
struct ConnectErrorTests {
    @Test(
        "an endpoint that resets before the connect is looked at has refused, also where it had ended in order",
        arguments: [false, true])
    func reset(hasEnded: Bool) throws {
        let server = try PlainServer()
        let socket = try StreamSocket.connect(to: .ip(SocketAddress(.loopbackV4, server.port)))
        let accepted = try server.accept()
        if hasEnded { try accepted.halfClose() }
        accepted.reset()
        var entry = pollfd(fd: socket.raw, events: 0, revents: 0)
        #expect(poll(&entry, 1, 10_000) == 1)
        var (error, size) = (Int32(0), socklen_t(4))
        #expect(getsockopt(socket.raw, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
        // Linux calls a reset behind an end otherwise.
        #expect(error == (hasEnded ? EPIPE : ECONNRESET))
        #expect(Worker.failure(error) == (.connectRefused, .refused))
    }
}
