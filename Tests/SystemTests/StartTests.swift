internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    /// Whatever keeps one listener from being bound is said of that listener, and the others serve.
    @Suite("listeners that cannot be bound", .timeLimit(.minutes(2)))
    struct StartTests {
        /// Two listeners, `bad` and `good`, with a route each to one backend.
        private func manifests(bad: UInt16, good: UInt16, backend: UInt16, address: String? = "127.0.0.1") -> String {
            Manifest.gateway([.init(name: "bad", port: bad), .init(name: "good", port: good)], address: address)
                + Manifest.tcpRoute("bad", to: "echo", section: "bad")
                + Manifest.tcpRoute("good", to: "echo", section: "good") + Manifest.service("echo", at: backend)
        }

        /// The condition, the log, the metric and the detail at /readyz say so of `bad`, and of `bad` only.
        private func expectFailure(of sluice: Sluice, _ parts: String...) throws {
            let (config, metrics, readiness) = (
                try sluice.config(), try sluice.metrics(), try sluice.probe("/readyz")
            )
            for part in parts {
                let line = sluice.logLine(["\"listener\":\"bad\"", "Programmed", "False", part])
                #expect(line != nil, "no log line about the listener with: \(part)")
                #expect(config.body.contains(part), "\(config.body)")
                #expect(readiness.body.contains(part), "\(readiness.body)")
            }
            #expect(readiness.status == 200)
            #expect(metrics.value("sluice_listener_ready", ["listener": "bad"]) == 0)
            #expect(metrics.value("sluice_listener_ready", ["listener": "good"]) == 1)
        }

        @Test("a port that another program holds: its name is told; when it lets go, the listener serves")
        func heldByAnother() throws {
            let (redis, echo) = (try Redis(), try EchoBackend("echo"))
            let good = try Ports.free()
            let sluice = try Sluice.ready(manifests(bad: redis.port, good: good, backend: echo.port))
            #expect(try Greeting.receive(from: try PlainClient(port: good)).backend == "echo")
            try expectFailure(of: sluice, "\(redis.port)", "redis-server")
            #expect(try Redis.command(["PING"], at: redis.port) == "PONG", "the holder keeps all of its traffic")

            try redis.stop()
            _ = try sluice.program.wait(for: "the freed port", within: .seconds(20)) {
                try sluice.metrics().value("sluice_listener_ready", ["listener": "bad"]) == 1 ? true : nil
            }
            #expect(try Greeting.receive(from: try PlainClient(port: redis.port)).backend == "echo")
            try sluice.stop()
        }

        @Test("started twice: the second one says who holds the port and serves its other listener")
        func twice() throws {
            let echo = try EchoBackend("echo")
            let (shared, good, otherGood) = (try Ports.free(), try Ports.free(), try Ports.free())
            let first = try Sluice.ready(manifests(bad: shared, good: good, backend: echo.port))
            let second = try Sluice.ready(manifests(bad: shared, good: otherGood, backend: echo.port))
            try expectFailure(of: second, "\(shared)", "sluice", "pid \(first.program.identifier)")
            #expect(try Greeting.receive(from: try PlainClient(port: otherGood)).backend == "echo")
            // All of the shared port's traffic goes to the first.
            for _ in 0..<50 { #expect(try Greeting.receive(from: try PlainClient(port: shared)).backend == "echo") }
            try first.waitForMetrics("50 connections") {
                $0.sum("sluice_listener_connections_accepted_total", ["listener": "bad"]) == 50
            }
            try second.stop()
            try first.stop()
        }

        @Test(
            "a port below 1024 without the right to bind it",
            .enabled(
                if: Surrounding.hasPrivilegedPorts || Surrounding.allowsNetworks,
                "every port is free for everyone here, and no network can be made where it is not"))
        func privileged() throws {
            let good = try Ports.free()
            let sluice = try Sluice(
                network: Surrounding.hasPrivilegedPorts
                    ? [] : try Surrounding.network("net.ipv4.ip_unprivileged_port_start=1024"),
                wrapper: try Surrounding.withoutPrivilege())
            let echo = try sluice.echoInside("echo")
            try sluice.manifests.replace("main.yaml", with: manifests(bad: 443, good: good, backend: echo.port))
            #expect(try sluice.waitForEchoInside(at: good).backend == "echo")
            try expectFailure(of: sluice, "443", "CAP_NET_BIND_SERVICE")
            try sluice.stop()
        }

        @Test("a host without IPv6: every address means IPv4, and a listener on an IPv6 address says why")
        func withoutIPv6() throws {
            let echo = try EchoBackend("echo")
            let (port, six) = (try Ports.free(), try Ports.free())
            let text =
                Manifest.gateway([.init(name: "good", port: port)], address: nil)
                + Manifest.gateway([.init(name: "bad", port: six)], name: "six", address: "::1")
                + Manifest.tcpRoute("r", to: "echo", section: "good") + Manifest.service("echo", at: echo.port)
                + Manifest.tcpRoute("six", to: "echo", section: "bad", gateway: "six")
            let sluice = try Sluice(text, wrapper: try Surrounding.withoutIPv6())
            try sluice.waitUntilReady()
            #expect(try Greeting.receive(from: try PlainClient(port: port)).client.hasPrefix("127.0.0.1:"))
            try expectFailure(of: sluice, "::1")
            try sluice.stop()
        }

        @Test(
            "IPv6 switched off by sysctl: the same",
            .enabled(if: Surrounding.allowsNetworks, "no network can be made where it is off"))
        func disabledIPv6() throws {
            let good = try Ports.free()
            let sluice = try Sluice(network: try Surrounding.network("net.ipv6.conf.all.disable_ipv6=1"))
            let echo = try sluice.echoInside("echo")
            try sluice.manifests.replace(
                "main.yaml",
                with: Manifest.gateway([.init(name: "good", port: good)], address: nil)
                    + Manifest.gateway([.init(name: "bad", port: good &+ 1)], name: "six", address: "::1")
                    + Manifest.tcpRoute("r", to: "echo", section: "good") + Manifest.service("echo", at: echo.port))
            #expect(try sluice.waitForEchoInside(at: good).backend == "echo")
            try expectFailure(of: sluice, "::1")
            try sluice.stop()
        }

        @Test("killed and started again at once, it binds the ports of connections that still linger")
        func restart() throws {
            let echo = try EchoBackend("echo")
            let (port, other) = (try Ports.free(), try Ports.free())
            let text = manifests(bad: port, good: other, backend: echo.port)
            var clients: [PlainClient] = []
            for round in 1...3 {
                let sluice = try Sluice.ready(text)
                #expect(try sluice.metrics().sum("sluice_listener_ready") == 2, "round \(round)")
                for port in [port, other] {
                    let client = try PlainClient(port: port)
                    #expect(try Greeting.receive(from: client).backend == "echo")
                    clients.append(client)
                }
                sluice.program.signal(SIGKILL)
                #expect(try sluice.program.waitForEnd(within: .seconds(5)) == .signalled(SIGKILL))
            }
        }

        @Test("IPv4 and IPv6 clients of a Gateway without addresses reach one backend")
        func bothFamilies() throws {
            let echo = try EchoBackend("echo")
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "any", port: port)], address: nil),
                Manifest.tcpRoute("r", to: "echo", section: "any"), Manifest.service("echo", at: echo.port))
            for address in [IPAddress.loopbackV4, .loopbackV6] {
                let client = try PlainClient(to: SocketAddress(address, port))
                #expect(try Greeting.receive(from: client).backend == "echo")
                try client.exchange("by \(address)")
            }
            try sluice.stop()
        }
    }
}
