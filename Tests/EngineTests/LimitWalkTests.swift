@testable import Engine
import EngineModel
import Observability
import Platform
import Primitives
import Synchronization
import TestSupport
import Testing

@Suite("Limits over many ends of connections", .timeLimit(.minutes(5)))
struct LimitWalkTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let ca: TestCA
    private let server: TestCertificate
    private let ports: (plain: UInt16, tls: UInt16)

    init() throws {
        (harness, echo) = (try EngineHarness(), try EchoBackend("a"))
        ca = try TestPKI.makeCA()
        server = try ca.issue(dnsNames: ["a.test", "b.test", "dead.test"])
        ports = (try freePort(), try freePort())
    }

    /// Everything at once: each level with something that refuses, delays or waits.
    private func apply(_ random: inout SplitMix64, removes: Bool) throws {
        func pick<Value>(_ values: [Value]) -> Value { values[Int(random.next() % UInt64(values.count))] }
        let rules = Authorization(
            rules: [deny("blocked", addresses("127.0.0.9/32"))], allowsByDefault: true,
            terminatesExisting: pick([true, false]))
        let bySource = ConnectionLimit.PerSource(
            value: pick([2, 6]), source: SourcePrefix(v4: pick([31, 32]), v6: 64))
        let listener = ClientLimits(
            id: LimitID(policy: "default/l", target: "Gateway default/edge"), authorization: rules,
            connections: ConnectionLimit(
                value: pick([4, 12]), perSource: bySource, closeDelay: pick([.zero, .milliseconds(20)])))
        let paused = ClientLimits(
            id: LimitID(policy: "default/w", target: "Gateway default/edge section"),
            connections: ConnectionLimit(value: pick([3, 9, 20]), onLimit: .pause))
        let served = ClientLimits(
            id: LimitID(policy: "default/r", target: "TCPRoute default/r"),
            connections: ConnectionLimit(value: pick([2, 8])),
            connectionRate: ConnectionRateLimit(
                total: .init(connections: 500), perSource: .init(connections: pick([20, 200]))))
        var plain = tcpListener("p", port: ports.plain, route("r", to: "a").limited(by: served)).limited(by: listener)
        if random.next() % 3 == 0 { plain.limits.append(paused) }
        let secure = tlsListener(
            "t", port: ports.tls, mode: try terminate(server),
            routes: [("a.test", route("s", to: "a").limited(by: served)), ("dead.test", route("d", to: "dead"))]
        ).limited(by: listener, paused)
        harness.apply(
            removes && random.next() % 3 == 0 ? [plain] : [plain, secure],
            [backend("a", ports: [echo.port]), backend("dead", ports: [1])])
    }

    /// One client that ends in a way of its own.
    private static func act(
        _ seed: UInt64, _ ports: (plain: UInt16, tls: UInt16), _ trust: String
    ) {
        var random = SplitMix64(seed: seed)
        let source = host([1, 2, 3, 4, 9][Int(random.next() % 5)])
        let isTLS = random.next() % 2 == 0
        guard let client = try? PlainClient(from: source, port: isTLS ? ports.tls : ports.plain) else { return }
        var stream: any TestStream = client
        if isTLS {
            switch random.next() % 6 {
            case 0: return client.reset()
            case 1: return client.close()
            case 2:
                try? client.send([22, 3, 1, 0, 200, 1])
                return client.close()
            case 3:
                try? client.send("GET / HTTP/1.0\r\n\r\n")
                _ = try? client.waitForEnd(timeout: .milliseconds(500))
                return
            default:
                let name = ["a.test", "a.test", "dead.test", "none.test"][Int(random.next() % 4)]
                let options = TLSClientOptions(serverName: name, trust: trust)
                guard let tls = try? TLSTestClient(over: client, options, timeout: .milliseconds(500)) else { return }
                stream = tls
            }
        }
        _ = try? stream.receive(max: 100, timeout: .milliseconds(100))
        if random.next() % 2 == 0 { _ = try? stream.send("hello") }
        switch random.next() % 3 {
        case 0: client.reset()
        case 1:
            try? stream.halfClose()
            _ = try? stream.waitForEnd(timeout: .milliseconds(500))
        default: stream.close()
        }
    }

    @Test(
        "after clients that end in every way, among changes of configuration, no count is left",
        arguments: 1...4 as ClosedRange<UInt64>)
    func nothingIsLeft(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        // What a removed listener has counted goes with it.
        let removes = seed % 2 == 0
        try apply(&random, removes: removes)
        for _ in 0..<6 {
            let workers = try (0..<6).map { _ in
                let (first, ports, trust) = (random.next(), ports, ca.pem)
                return try BackgroundWork {
                    for step in 0..<12 { LimitWalkTests.act(first &+ UInt64(step), ports, trust) }
                    return true
                }
            }
            for _ in 0..<3 { try apply(&random, removes: removes) }
            if random.next() % 2 == 0 { _ = harness.engine.closeConnections { $0.state == .relaying } }
            for worker in workers { _ = try worker.value() }
        }
        #expect(waitUntil { harness.engine.activeConnections == 0 }, "seed \(seed)")
        let (states, sources, waiting) = harness.engine.withCompiler { compiler, _ in
            (compiler.limitStates.living(), compiler.sourceCounts.living(), compiler.waitingCounts.living())
        }
        #expect(!states.isEmpty && !sources.isEmpty && !waiting.isEmpty)
        // A connection is gone from the list a moment before its place is.
        for state in states { #expect(waitUntil { state.open.value == 0 }, "seed \(seed): \(state.id)") }
        for source in sources + waiting { #expect(waitUntil { source.count == 0 }, "seed \(seed)") }
        #expect(harness.engine.shared.delayed.load(ordering: .relaxed) == 0)
        #expect(harness.engine.shared.lingering.load(ordering: .relaxed) == 0)
        if !removes {
            // Who gave up in the kernel's queue may be accepted, and end, only now.
            let isEven = waitUntil {
                let ended =
                    harness.metric("sluice_listener_connections_rejected_total")
                    + harness.metric("sluice_tcp_connections_closed_total")
                return harness.metric("sluice_listener_connections_accepted_total") == ended
            }
            #expect(isEven, "seed \(seed): each connection is counted once")
        }
        #expect(harness.doubledSeries == [])
    }
}
