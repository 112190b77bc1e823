internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    @Suite("shutdown", .timeLimit(.minutes(2)))
    struct ShutdownTests {
        private let port: UInt16
        private let echo: EchoBackend
        private let manifests: String

        init() throws {
            port = try Ports.free()
            echo = try EchoBackend("echo")
            manifests =
                Manifest.gateway([.init(name: "p", port: port)]) + Manifest.tcpRoute("r", to: "echo", section: "p")
                + Manifest.service("echo", at: echo.port)
        }

        private func isRefused() -> Bool {
            do {
                _ = try Greeting.receive(from: try PlainClient(port: port))
                return false
            } catch {
                return true
            }
        }

        @Test(
            "SIGTERM: unready at once, newcomers served during the grace, what is established runs to its end, exit 0")
        func graceful() throws {
            let sluice = try Sluice.ready(manifests, flags: ["--accept-grace", "2s", "--drain-deadline", "30s"])
            let established = try PlainClient(port: port)
            #expect(try Greeting.receive(from: established).backend == "echo")

            sluice.program.signal(SIGTERM)
            let unready = try sluice.program.wait(for: "503 at /readyz", within: .seconds(1)) {
                let answer = try sluice.probe("/readyz")
                return answer.status == 503 ? answer : nil
            }
            #expect(unready.headers["content-type"] == "application/json")
            #expect(unready.body.contains("\"ready\":false") && unready.body.contains("shutting down"))
            #expect(try sluice.probe("/livez").status == 200)
            let newcomer = try PlainClient(port: port)
            #expect(try Greeting.receive(from: newcomer).backend == "echo")

            let closed = waitUntil(deadline: .seconds(5)) { isRefused() }
            #expect(closed, "the listener is closed after the grace")
            try established.exchange("during the drain")
            try newcomer.exchange("as well")
            let metrics = try sluice.metrics()
            #expect(metrics.value("sluice_drain_active") == 1)
            #expect(metrics.value("sluice_drain_connections_remaining") == 2)
            #expect(sluice.program.ending == nil)
            for client in [established, newcomer] {
                try client.halfClose()
                #expect(try client.receiveAll().isEmpty)
            }
            #expect(try sluice.program.waitForEnd(within: .seconds(5)) == .exited(code: 0))
        }

        @Test("SIGINT skips the grace; after the drain deadline what is left is cut, exit 0")
        func deadline() throws {
            let sluice = try Sluice.ready(manifests, flags: ["--accept-grace", "60s", "--drain-deadline", "1s"])
            let established = try PlainClient(port: port)
            #expect(try Greeting.receive(from: established).backend == "echo")
            sluice.program.signal(SIGINT)
            #expect(try sluice.program.waitForEnd(within: .seconds(5)) == .exited(code: 0))
            #expect(throws: StreamError.self) { try established.exchange("too late") }
            #expect(sluice.logLine(["drain deadline", "\"connections\":1"]) != nil)
        }

        @Test("a second signal ends it at once")
        func second() throws {
            let sluice = try Sluice.ready(manifests, flags: ["--accept-grace", "60s", "--drain-deadline", "60s"])
            let established = try PlainClient(port: port)
            #expect(try Greeting.receive(from: established).backend == "echo")
            sluice.program.signal(SIGTERM)
            try sluice.waitForLog("shutting down")
            sluice.program.signal(SIGTERM)
            #expect(try sluice.program.waitForEnd(within: .seconds(2)) == .exited(code: 128 + SIGTERM))
        }
    }
}
