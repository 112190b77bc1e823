internal import FoundationEssentials
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("trouble around a gateway that goes on", .timeLimit(.minutes(2)))
    struct TroubleTests {
        private let port: UInt16

        init() throws { port = try Ports.free() }

        private func gateway(_ backend: UInt16, flags: [String] = [], wrapper: [String] = []) throws -> Sluice {
            let sluice = try Sluice(
                Manifest.gateway([.init(name: "p", port: port)]), Manifest.tcpRoute("r", to: "b", section: "p"),
                Manifest.service("b", at: backend), flags: flags, wrapper: wrapper)
            try sluice.waitUntilReady()
            return sluice
        }

        @Test("a backend that dies ends its connections, is missed with a reason, and is used again when it is back")
        func backendDies() throws {
            let first = try PlainServer()
            let backend = first.port
            let sluice = try gateway(backend)
            let (client, server) = (try PlainClient(port: port), try first.accept())
            try client.send("to the backend")
            #expect(try server.receive(exactly: 14) == Array("to the backend".utf8))
            try server.send("half an ans")
            server.reset()
            #expect(try client.waitForEnd() == .reset)
            let route = ["route": "r", "reason": "backend_reset", "side": "backend"]
            try sluice.waitForMetrics("the reset") { $0.sum("sluice_tcp_connections_closed_total", route) == 1 }

            let other = try gatewayOfAbsentBackend()
            try expectReset(port: other.port)
            try other.sluice.waitForMetrics("the refusal") {
                $0.sum("sluice_backend_connects_total", ["backend": "b", "result": "refused"]) >= 1
                    && $0.sum("sluice_tcp_connections_closed_total", ["reason": "connect_refused"]) == 1
            }
            #expect(try other.sluice.probe("/readyz").status == 200)
            let server2 = try PlainServer(on: SocketAddress(.loopbackV4, other.backend))
            let late = try PlainClient(port: other.port)
            try server2.accept().send("back again")
            #expect(try late.receive(exactly: 10) == Array("back again".utf8))
            late.close()
            try other.sluice.stop()
            try sluice.stop()
        }

        private func gatewayOfAbsentBackend() throws -> (sluice: Sluice, port: UInt16, backend: UInt16) {
            let (port, backend) = (try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "p", port: port)]), Manifest.tcpRoute("r", to: "b", section: "p"),
                Manifest.service("b", at: backend))
            return (sluice, port, backend)
        }

        @Test("at the connection limit newcomers wait, metrics and readiness say so, and it goes on by itself")
        func connectionLimit() throws {
            let echo = try EchoBackend("echo")
            let sluice = try gateway(echo.port, flags: ["--max-connections", "20"])
            var served: [PlainClient] = []
            for _ in 0..<20 {
                let client = try PlainClient(port: port)
                _ = try client.receiveLine()
                served.append(client)
            }
            let waiting = try (0..<10).map { _ in try PlainClient(port: port) }
            try sluice.waitForMetrics("overload") {
                $0.sum("sluice_overload_active", ["resource": "connections"]) == 1
            }
            let readiness = try sluice.probe("/readyz")
            #expect(readiness.status == 200 && readiness.body.contains("details"), "\(readiness.body)")
            for client in served { try client.exchange("those inside are served") }
            #expect(throws: StreamError.self) { try waiting[0].receiveLine(timeout: .milliseconds(100)) }

            for client in served.prefix(10) { client.close() }
            for client in waiting { #expect(try Greeting.receive(from: client).backend == "echo") }
            for client in waiting + served.dropFirst(10) { try client.exchange("all of them") }
            for client in waiting + served { client.close() }
            try sluice.waitForMetrics("the end of overload") { $0.sum("sluice_overload_active") == 0 }
            try sluice.stop()
        }

        @Test(
            "with few descriptors it takes fewer connections by itself: the established are served, no newcomer is cut")
        func fewDescriptors() throws {
            let echo = try EchoBackend("echo")
            let sluice = try gateway(
                echo.port, wrapper: [try Installation.program("prlimit"), "--nofile=250:250"])
            let clients = try (0..<150).map { _ in try PlainClient(port: port) }
            try sluice.waitForMetrics("a pause") { $0.sum("sluice_overload_active") >= 1 }
            let active = Int(try sluice.metrics().sum("sluice_tcp_connections_active"))
            #expect((10..<75).contains(active), "\(active) with 250 descriptors")
            // Each that ends gives way to another, in whatever order; none is refused.
            var left = clients
            let served = try waitUntil(deadline: .seconds(20)) {
                try left.removeAll { try $0.isServedAndCloses() }
                return left.isEmpty
            }
            #expect(served, "\(left.count) were never served")
            try sluice.waitForMetrics("the end of the pause") { $0.sum("sluice_overload_active") == 0 }
            #expect(try sluice.metrics().sum("sluice_tcp_connections_opened_total") == 150)
            try sluice.stop()
        }

        @Test(
            "a limit above what descriptors carry: newcomers wait or are refused as overload, the established are served"
        )
        func tooFewDescriptors() throws {
            let echo = try EchoBackend("echo")
            let sluice = try gateway(
                echo.port, flags: ["--max-connections", "1000"],
                wrapper: [try Installation.program("prlimit"), "--nofile=100:100"])
            let established = try PlainClient(port: port)
            #expect(try Greeting.receive(from: established).backend == "echo")
            let clients = try (0..<100).map { _ in try PlainClient(port: port) }
            try established.exchange("during the flood")
            // Probes want a descriptor too: were there none for them, a kubelet would end what is still served.
            try sluice.waitForMetrics("a pause") { $0.sum("sluice_overload_active", ["resource": "fds"]) == 1 }
            let readiness = try sluice.probe("/readyz")
            #expect(readiness.status == 200 && readiness.body.contains("no descriptor"), "\(readiness.body)")
            #expect(try sluice.probe("/livez").status == 200)
            try established.exchange("still there")
            for client in clients { client.close() }
            try sluice.waitForMetrics("an end of the pause") { $0.sum("sluice_overload_active") == 0 }
            // Descriptors ran out at accept, which waits, or at the backend's socket, which refuses.
            let isSaid = sluice.logLine(["no descriptor or memory", "overload"]) != nil
            #expect(
                try isSaid || sluice.metrics().sum("sluice_tcp_connections_closed_total", ["reason": "overload"]) > 0)
            #expect(try sluice.metrics().sum("sluice_backend_connects_total", ["result": "unreachable"]) == 0)
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "echo")
            try established.exchange("after it")
            established.close()
            try sluice.stop()
        }

        @Test("every log line is a JSON object with time, level and message; on a terminal lines are text")
        func logForms() throws {
            let echo = try EchoBackend("echo")
            let sluice = try gateway(echo.port, flags: ["--log-level", "debug"])
            let client = try PlainClient(port: port)
            try client.exchangeAfterGreeting()
            client.close()
            try sluice.stop()
            let lines = sluice.program.errors.split(separator: "\n")
            #expect(lines.count >= 5)
            for line in lines {
                let keys = try JSONDecoder().decode(LogLine.self, from: Data(line.utf8))
                #expect(keys.time.hasSuffix("Z") && !keys.message.isEmpty)
                #expect(["debug", "info", "warning", "error"].contains(keys.level))
            }

            let folder = try TemporaryDirectory()
            let command = """
                \(try Installation.sluice()) run --manifests \(folder.path) --accept-grace 0s \
                --probe-address 127.0.0.1:\(try Ports.free()) --admin-address 127.0.0.1:\(try Ports.free()) &
                until [ -e \(folder.path)/.stop ]; do sleep 0.02; done; kill -TERM $!; wait $!
                """
            let terminal = try Program("script", [try Installation.program("script"), "-qec", command, "/dev/null"])
            _ = try terminal.wait(for: "a line") { terminal.output.contains("started") ? true : nil }
            try folder.write("", to: ".stop")
            #expect(try terminal.waitForEnd(within: .seconds(10)) == .exited(code: 0))
            let text = terminal.output
            #expect(text.contains("started") && !text.contains("\"message\""), "\(text)")
        }
    }
}

private struct LogLine: Decodable {
    var time: String
    var level: String
    var message: String
}

extension PlainClient {
    /// Whether the backend's greeting has come; then it exchanges some bytes and closes.
    fileprivate func isServedAndCloses() throws -> Bool {
        do {
            _ = try receiveLine(timeout: .milliseconds(5))
        } catch StreamError.timedOut {
            return false
        }
        try exchange("inside")
        close()
        return true
    }

    fileprivate func exchangeAfterGreeting() throws {
        _ = try receiveLine()
        try exchange("and back")
    }
}
