import Observability
import Platform
import TestSupport
import Testing

@testable import Commands

@Suite("run in a cluster", .timeLimit(.minutes(1)))
struct ClusterRunTests {
    @Test("ready once everything was read and applied, and whatever is missing later changes nothing")
    func readiness() throws {
        let source = FakeSource(missing: ["tcproutes: not listed yet", "the API server cannot be reached"])
        let gateway = try RunningGateway(source: source)
        let first = try gateway.probe("/readyz")
        #expect(first.hasPrefix("HTTP/1.1 503"))
        #expect(
            first.contains(
                #""reasons":["tcproutes: not listed yet","the API server cannot be reached","#
                    + #""no configuration has been applied yet"]"#))
        #expect(try gateway.probe("/livez").hasPrefix("HTTP/1.1 200"))
        source.complete()
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        source.state.withLock { $0.missing = ["tlsroutes: not listed yet"] }
        #expect(try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200"))
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
    }

    @Test("/readyz waits for the first round of health checks, once")
    func firstChecks() throws {
        let source = FakeSource(missing: ["tcproutes: not listed yet"])
        let gateway = try RunningGateway(source: source)
        gateway.dataPlane.update { $0.awaitsFirstChecks = true }
        source.complete()
        #expect(
            try waitUntil { try gateway.probe("/readyz").contains("endpoints wait for their first health check") })
        gateway.dataPlane.update { $0.awaitsFirstChecks = false }
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        // New endpoints later take no traffic away.
        gateway.dataPlane.update { $0.awaitsFirstChecks = true }
        #expect(try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200"))
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
    }

    @Test("what the source says is in /readyz?verbose, /config and /metrics")
    func views() throws {
        let source = FakeSource()
        source.state.withLock { $0.details = ["leader": "other", "data": "3 s old"] }
        let gateway = try RunningGateway(source: source)
        source.complete()
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        #expect(try !gateway.probe("/readyz").contains("leader"))
        #expect(
            try gateway.probe("/readyz?verbose").contains(#""details":{"data":"3 s old","leader":"other"}"#))
        let config = try gateway.admin("/config")
        for part in [#""from" : "https://api.test:6443""#, #""isLeader" : false"#, #""kind" : "cluster""#] {
            #expect(config.contains(part), "\(part) in \(config)")
        }
        #expect(try gateway.probe("/metrics").contains("fake_source 1\n"))
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
    }

    @Test("SIGTERM resigns at once and keeps /readyz with Service exposure; the source is stopped before the drain")
    func shutdown() throws {
        let source = FakeSource()
        let gateway = try RunningGateway(source: source, "--accept-grace", "1s")
        gateway.dataPlane.update { $0.connections = 1 }
        source.complete()
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        #expect(source.events == [])
        gateway.signals.send(.terminate)
        #expect(gateway.log.waitForEntry { $0.message == "shutting down" } != nil)
        #expect(source.events == ["resign"])
        #expect(try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200"))
        #expect(gateway.dataPlane.wait { $0.isDraining })
        #expect(source.events == ["resign", "stop"])
        #expect(try gateway.probe("/readyz").contains("shutting down: draining"))
        gateway.dataPlane.update { $0.connections = 0 }
        #expect(try gateway.exitCode() == 0)
    }

    @Test("Host exposure fails /readyz at once, unless it is told to keep", arguments: ["auto", "fail", "keep"])
    func host(readiness: String) throws {
        let source = FakeSource()
        let gateway = try RunningGateway(
            source: source, "--exposure", "Host", "--accept-grace", "1h", "--readiness-on-shutdown", readiness)
        source.complete()
        #expect(try waitUntil { try gateway.probe("/readyz").hasPrefix("HTTP/1.1 200") })
        gateway.signals.send(.terminate)
        #expect(gateway.log.waitForEntry { $0.message == "shutting down" } != nil)
        #expect(try gateway.probe("/readyz").hasPrefix(readiness == "keep" ? "HTTP/1.1 200" : "HTTP/1.1 503"))
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 130)
    }

    @Test(
        "the Lease is called as the controller is, as far as a name of an object allows",
        arguments: [
            ("sluice.dev/gateway-controller", "sluice.dev-gateway-controller"), ("a.b/C_d/-e-", "a.b-c-d-e"),
            ("a.b/c.-.d", "a.b-c.d"),
        ])
    func lease(controllerName: String, expected: String) { #expect(leaseName(of: controllerName) == expected) }
}
