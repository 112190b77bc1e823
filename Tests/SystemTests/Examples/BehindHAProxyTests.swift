internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("Example: a PROXY-protocol listener behind HAProxy", .timeLimit(.minutes(2)))
    struct BehindHAProxyTests {
        @Test("HAProxy's clients are served, others are reset, its health checks are no clients")
        func behind() throws {
            let (backend, port, front) = (try EchoBackend("one"), try Ports.free(), try Ports.free())
            let example = try Example("proxy-protocol", ports: [7001: port, 7101: backend.port])
            let sluice = try Sluice.ready(example.text)
            let haproxy = try HAProxy(try configuration(front: front, sluice: port), port: front)

            try sluice.waitForMetrics("health checks") {
                $0.sum("sluice_proxy_protocol_headers_total", ["result": "local", "version": "v2"]) >= 3
            }
            let before = try sluice.metrics()
            for round in 0..<3 {
                let client = try PlainClient(port: front)
                #expect(try Greeting.receive(from: client).backend == "one", "\(round)")
                try client.exchange("hello")
            }
            try sluice.waitForMetrics("three clients more") {
                $0.sum("sluice_tcp_connections_opened_total") == before.sum("sluice_tcp_connections_opened_total") + 3
                    && $0.sum("sluice_listener_connections_accepted_total")
                        == before.sum("sluice_listener_connections_accepted_total") + 3
            }
            try sluice.waitForMetrics("no refusals") { $0.sum("sluice_listener_connections_rejected_total") == 0 }

            let direct = try PlainClient(port: port)
            try direct.send("hello")
            #expect(try direct.waitForEnd() == .reset)
            #expect(try end(of: SocketAddress(.loopbackV6, port)) == .reset)
            try sluice.waitForMetrics("both refusals") {
                $0.sum("sluice_listener_connections_rejected_total", ["reason": "proxy_protocol_missing"]) == 1
                    && $0.sum("sluice_listener_connections_rejected_total", ["reason": "proxy_protocol_untrusted"]) == 1
            }
            withExtendedLifetime(haproxy) {}
            try sluice.stop()
        }

        private func configuration(front: UInt16, sluice: UInt16) throws -> String {
            let path = "\(Installation.root)/examples/proxy-protocol/haproxy.cfg"
            return String(decoding: try readFile(path), as: UTF8.self)
                .replacing("127.0.0.1:7000", with: "127.0.0.1:\(front)")
                .replacing("127.0.0.1:7001", with: "127.0.0.1:\(sluice)")
        }

        /// The reset may be there before connect returns.
        private func end(of address: SocketAddress) throws -> StreamEnd {
            do {
                return try PlainClient(to: address).waitForEnd()
            } catch let error as Errno where error == .connectionReset {
                return .reset
            }
        }
    }
}
