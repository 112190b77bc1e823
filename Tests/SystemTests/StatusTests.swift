internal import FoundationEssentials
internal import Glibc
internal import Inspection
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    @Suite("what a running gateway says of itself", .timeLimit(.minutes(2)))
    struct StatusTests {
        private func fetch<Value: Decodable>(_ type: Value.Type, _ path: String, from sluice: Sluice) throws -> Value {
            let answer = try sluice.fetch(path, from: sluice.admin)
            guard answer.status == 200 else { throw TestFailure("\(path): \(answer.status) \(answer.body)") }
            return try JSONDecoder().decode(type, from: Data(answer.body.utf8))
        }

        private func status(_ sluice: Sluice, _ arguments: String...) throws -> String {
            try run([try Installation.sluice(), "status", "--admin-address", "\(sluice.admin)"] + arguments).checked()
        }

        @Test("/status, /traffic, /history and `sluice status` agree with what the test did")
        func agree() throws {
            let echo = try EchoBackend("echo")
            let (plain, empty, gone) = (try Ports.free(), try Ports.free(), try Ports.free())
            let listeners = Manifest.gateway([.init(name: "plain", port: plain), .init(name: "empty", port: empty)])
            let route = Manifest.tcpRoute("app", to: "echo", section: "plain")
            let sluice = try Sluice.ready(listeners, route, Manifest.service("echo", at: echo.port))
            let clients = try (0..<3).map { _ in try PlainClient(port: plain) }
            for client in clients {
                _ = try client.receiveLine()
                try client.exchange("hello")
            }
            try clients[0].halfClose()
            #expect(try clients[0].receiveAll().isEmpty)
            for _ in 0..<4 { try expectReset(port: empty) }

            var tree = StatusTree()
            #expect(
                try waitUntil {
                    tree = try fetch(StatusTree.self, "/status", from: sluice)
                    return tree.routes.first?.traffic?.closed == ["client_closed": 1]
                })
            #expect(
                tree.gateways.map(\.name) == ["gw"] && tree.gateways[0].listeners.map(\.name) == ["plain", "empty"])
            let listener = try #require(tree.gateways.first?.listeners.first)
            #expect(listener.bindings == [BindingNode(address: "127.0.0.1:\(plain)", isBound: true)])
            #expect(listener.routes == ["TCPRoute default/app"])
            #expect(listener.traffic?.accepted == 3 && listener.traffic?.active == 2)
            #expect(tree.gateways[0].listeners[1].traffic?.rejected == ["no_route": 4])
            #expect(tree.routes[0].traffic?.opened == 3 && tree.routes[0].traffic?.requestBytes == 15)
            #expect(tree.backends.map(\.endpoints.count) == [1] && tree.backends[0].traffic?.connected == 3)
            #expect(tree.sourceDetail == sluice.manifests.path && tree.source == "manifests")

            var live = LiveTraffic()
            let path = "/traffic?listener=default/gw/plain&route=TCPRoute%20default/app&backend=none"
            #expect(
                try waitUntil {
                    live = try fetch(LiveTraffic.self, path, from: sluice)
                    return live.total.failed == 4 && live.total.active == 2
                })
            #expect(live.total.accepted == 7 && live.total.requestBytes == 15 && live.total.setups == 3)
            let refusal = try #require(live.refusals.first)
            #expect(live.refusals.count == 1 && refusal.reason == "no_route")
            #expect(refusal.place == "Gateway default/gw/empty" && refusal.minutes.reduce(0, +) == 4)
            #expect(!refusal.meaning.isEmpty && !refusal.advice.isEmpty)
            #expect(live.listeners["default/gw/plain"]?.accepted == 3)
            #expect(live.routes["TCPRoute default/app"]?.opened == 3 && live.backends == [:])
            try changes(sluice, listeners: listeners, backend: echo.port, gone: gone)
            for client in clients.dropFirst() {
                try client.exchange("still here")
                client.close()
            }
            try sluice.stop()
        }

        /// The route comes to lead to where nobody listens, and to a Service that is not there.
        private func changes(_ sluice: Sluice, listeners: String, backend: UInt16, gone: UInt16) throws {
            let before = try fetch([ConfigurationStep].self, "/history", from: sluice)
            #expect(before.count == 1 && before[0].changes.contains("+ TCPRoute default/app at default/gw/plain"))
            let text = try status(sluice)
            #expect(text.contains("✓ TCPRoute default/app\n"), "\(text)")
            #expect(text.contains("no route is attached: connections are refused"), "\(text)")
            try sluice.apply(
                listeners + Manifest.tcpRoute("app", to: "missing", section: "plain")
                    + Manifest.service("echo", at: backend))
            let steps = try fetch([ConfigurationStep].self, "/history", from: sluice)
            #expect(steps.map(\.generation) == [2, 1])
            #expect(steps[0].changes.contains("~ TCPRoute default/app at default/gw/plain: backends"), "\(steps[0])")
            #expect(steps[0].changes.contains("- backend Service default/echo:1"), "\(steps[0])")
            let broken = try status(sluice, "gateway", "default/gw")
            #expect(broken.contains("! TCPRoute default/app\n") && broken.contains("ResolvedRefs=False"), "\(broken)")
            #expect(broken.contains("✗ Service default/missing:1  cannot be used"), "\(broken)")
            #expect(!broken.contains("\u{1b}"), "no colours where no terminal is")
            let tree = try JSONDecoder().decode(
                StatusTree.self, from: Data(try status(sluice, "route", "default/app", "-o", "json").utf8))
            #expect(tree.routes.map(\.name) == ["app"] && tree.backends.map(\.name) == ["missing"])
            #expect(try status(sluice, "-o", "yaml").contains("name: plain"))
            #expect(try status(sluice, "-o", "wide").contains("2 open, 3 accepted"))
        }

        @Test("where nobody answers it is said in one line, and the exit code is 1")
        func nobody() throws {
            let port = try Ports.free()
            let result = try run([try Installation.sluice(), "status", "--admin-address", "127.0.0.1:\(port)"])
            #expect(result.ending == .exited(code: 1) && result.output == "")
            #expect(result.errors.contains("127.0.0.1:\(port)"), "\(result.errors)")
        }
    }
}
