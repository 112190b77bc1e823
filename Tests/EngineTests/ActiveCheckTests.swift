import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Active health checks", .timeLimit(.minutes(3)))
struct ActiveCheckTests {
    private let harness: EngineHarness

    init() throws { harness = try EngineHarness(workers: 1) }

    @Test("connecting is enough where nothing is said")
    func connectOnly() throws {
        let server = try ScriptedServer { _ in }
        harness.apply([], [backend("a", ports: [server.port], check: activeCheck())])
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(waitUntil { harness.passes("a") >= 3 })
        #expect(harness.failure("a") == nil)
        #expect(waitUntil { harness.metric("sluice_backend_endpoints", "backend=\"a\"", "state=\"healthy\"") == 1 })
        #expect(harness.metric("sluice_backend_health_check_duration_seconds_count", "backend=\"a\"") >= 3)
    }

    @Test("a port that nobody listens at is refused, and comes back")
    func refused() throws {
        let port = try freePort()
        harness.apply([], [backend("a", ports: [port], check: activeCheck())])
        #expect(waitUntil { harness.failures("a", "connect_refused") >= 2 })
        #expect(harness.state("a") == .unhealthy)
        #expect(harness.failure("a")?.contains("refused") == true)
        #expect(waitUntil { harness.log.text.contains("endpoint is unhealthy") })
        let server = try ScriptedServer(on: SocketAddress(.loopbackV4, port)) { _ in }
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(waitUntil { harness.log.text.contains("endpoint is healthy") })
        #expect(
            harness.metric("sluice_backend_health_transitions_total", "backend=\"a\"", "to=\"healthy\"") == 1)
        #expect(waitUntil { server.count > 0 })
    }

    private static let redis: [ActiveHealthCheck.Action] = [
        send("PING\r\n"), expect("+PONG"), send("info replication\r\n"), expect("role:master"), send("QUIT\r\n"),
        expect("+OK"),
    ]

    private func redis(role: Locked<String>) throws -> ScriptedServer {
        try ScriptedServer { stream in
            while let line = try? stream.receiveLine(timeout: .seconds(5)) {
                switch line {
                case "PING\r": try stream.send("+PONG\r\n")
                case "QUIT\r":
                    try stream.send("+OK\r\n")
                    return
                default: try stream.send("$22\r\n# Replication\r\nrole:\(role.withLock { $0 })\r\n\r\n")
                }
            }
        }
    }

    @Test("steps are gone through in order, and what came instead is kept")
    func steps() throws {
        let role = Locked("master")
        let server = try redis(role: role)
        var check = activeCheck(Self.redis)
        check.timeout = .milliseconds(400)
        check.unhealthyThreshold = 2
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
        role.withLock { $0 = "slave" }
        #expect(harness.waitFor(.unhealthy, of: "a"))
        // On a busy machine a check may run out of time before it comes so far: the next one does.
        let expected = "step 4 (expect \"role:master\"): nothing that fits came in time, received \""
        #expect(
            waitUntil {
                harness.failure("a").map { $0.hasPrefix(expected) && $0.contains(#"role:slave\r\n"#) } ?? false
            })
        #expect(harness.failures("a", "timeout") >= 2)
        role.withLock { $0 = "master" }
        #expect(harness.waitFor(.healthy, of: "a"))
    }

    @Test("bytes that are no text, and patterns, are expected as well")
    func binaryAndPattern() throws {
        let greeting: [UInt8] = [0x4a, 0, 0, 0, 0x0a] + Array("8.0.36".utf8) + [0, 0xff]
        let server = try ScriptedServer { stream in
            try stream.send(greeting)
            _ = try stream.receive(max: 1, timeout: .seconds(5))
        }
        let check = activeCheck([.expect([0, 0, 0, 0x0a]), .expectPattern(#"^8\.\d+\."#)])
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
        var other = activeCheck([.expectPattern(#"^.{4}\x0a9\."#)])
        other.timeout = .milliseconds(100)
        other.unhealthyThreshold = 1
        harness.apply([], [backend("a", ports: [server.port], check: other)])
        #expect(harness.waitFor(.unhealthy, of: "a"))
        #expect(waitUntil { harness.failure("a")?.contains(#"received "J\x00\x00\x00\n8.0.36\x00\xff""#) == true })
    }

    @Test("the endpoint's end is expected where a step says so")
    func closeStep() throws {
        let closes = Locked(true)
        let server = try ScriptedServer { stream in
            try stream.send("bye")
            if !closes.withLock({ $0 }) { _ = try stream.receive(max: 1, timeout: .seconds(5)) }
        }
        var check = activeCheck([expect("bye"), .close])
        check.timeout = .milliseconds(150)
        check.unhealthyThreshold = 1
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
        closes.withLock { $0 = false }
        #expect(harness.waitFor(.unhealthy, of: "a"))
        #expect(waitUntil { harness.failure("a") == "step 2 (close): nothing that fits came in time" })
    }

    @Test("an endpoint that closes early, says too much, or resets fails each in its own way")
    func failures() throws {
        let closing = try ScriptedServer { try $0.send("-ERR") }
        let chatty = try ScriptedServer { stream in
            try stream.send([UInt8](repeating: 0x2e, count: 1000))
            _ = try stream.receive(max: 1, timeout: .seconds(5))
        }
        var check = activeCheck([expect("+OK")])
        check.maximumResponseBytes = 300
        harness.apply(
            [], [backend("a", ports: [closing.port], check: check), backend("b", ports: [chatty.port], check: check)])
        #expect(waitUntil { harness.failures("a", "closed") > 0 && harness.failures("b", "no_match") > 0 })
        #expect(harness.failure("a") == #"step 1 (expect "+OK"): the endpoint closed, received "-ERR""#)
        let dots = String(repeating: ".", count: 256)
        #expect(
            harness.failure("b") == #"step 1 (expect "+OK"): not in the first 300 bytes, received "\#(dots)…""#)
    }

    @Test("a step has a time of its own")
    func stepTimeout() throws {
        let server = try ScriptedServer { stream in
            try stream.send("a")
            _ = try stream.receive(max: 1, timeout: .seconds(5))
        }
        var check = activeCheck()
        check.timeout = .seconds(20)
        check.interval = .seconds(10)
        check.steps = [.init(expect("a"), timeout: .seconds(10)), .init(expect("b"), timeout: .milliseconds(50))]
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(waitUntil { harness.failures("a", "timeout") == 1 })
        #expect(harness.failure("a")?.hasPrefix("step 2 (expect \"b\")") == true)
        let duration = try #require(harness.endpoints("a").first?.lastCheck?.duration)
        #expect(duration >= .milliseconds(50) && duration < .seconds(10))
    }

    @Test("one that dribbles is looked at, but does not pass by it")
    func dribble() throws {
        let server = try ScriptedServer { stream in
            for _ in 0..<500 { try stream.send("x") }
            try stream.send("ok")
            _ = try stream.receive(max: 1, timeout: .seconds(5))
        }
        harness.apply([], [backend("a", ports: [server.port], check: activeCheck([expect("ok")]))])
        #expect(harness.waitFor(.healthy, of: "a"))
    }
}
