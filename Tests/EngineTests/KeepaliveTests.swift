@testable import Engine
import EngineModel
import Glibc
import Platform
import Testing

@Suite("Keepalive of sockets")
struct KeepaliveTests {
    private func option(_ socket: Int32, _ name: Int32) -> Int32 {
        var (value, size): (Int32, socklen_t) = (-1, 4)
        return getsockopt(socket, Int32(IPPROTO_TCP), name, &value, &size) == 0 ? value : -1
    }

    @Test("the user timeout is all of its probes, or the longest that the kernel counts")
    func userTimeout() {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(socket) }
        var keepalive = TCPKeepalive()
        setKeepalive(socket, keepalive)
        #expect(option(socket, TCP_USER_TIMEOUT) == 120_000)
        (keepalive.idleSeconds, keepalive.intervalSeconds, keepalive.probes) = (32_767, 32_767, 127)
        setKeepalive(socket, keepalive)
        #expect(option(socket, TCP_USER_TIMEOUT) == .max)
        #expect(option(socket, TCP_KEEPIDLE) == 32_767)
        #expect(option(socket, TCP_KEEPINTVL) == 32_767)
        #expect(option(socket, TCP_KEEPCNT) == 127)
    }
}
