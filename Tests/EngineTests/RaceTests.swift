@testable import Engine
import EngineModel
import Observability
import Platform
import Primitives
import Synchronization
import TestSupport
import Testing

@Suite("Names with addresses of both families", .timeLimit(.minutes(5)))
struct RaceTests {
    private let dns: TestDNSServer
    private let harness: EngineHarness
    private let port: UInt16

    init() throws {
        dns = try TestDNSServer()
        harness = try EngineHarness(dnsServers: dns.address)
        port = try freePort()
        dns.set("both.test", .addresses([.loopbackV4, .loopbackV6], ttl: 3600))
    }

    /// A server to which connections neither come about nor fail: its queue is full.
    private final class Silent {
        let server: PlainServer
        private var held: [PlainClient] = []

        init(on address: SocketAddress) throws {
            server = try PlainServer(on: address, backlog: 0)
            for _ in 0..<20 {
                guard let client = try? PlainClient(to: server.address, timeout: .milliseconds(100)) else { return }
                held.append(client)
            }
            throw TestFailure("the queue of \(address) does not fill")
        }
    }

    /// Something on 127.0.0.1 and something on ::1, at one port.
    private func pair<Four, Six>(
        _ four: (SocketAddress) throws -> Four, _ six: (SocketAddress) throws -> Six
    ) throws -> (four: Four, six: Six, port: UInt16) {
        for _ in 0..<50 {
            let port = try freePort()
            guard let four = try? four(SocketAddress(.loopbackV4, port)) else { continue }
            if let six = try? six(SocketAddress(.loopbackV6, port)) { return (four, six, port) }
        }
        throw TestFailure("no port is free for both families")
    }

    private func apply(_ target: UInt16, connectTimeout: Duration = .seconds(20), tls: BackendTLS? = nil) {
        var backend = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .name("both.test", port: target))])
        backend.tls = tls
        backend.settings.dnsFamily = .ipv4AndIPv6
        (backend.settings.connectTimeout, backend.settings.retries) = (connectTimeout, 0)
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend])
    }

    /// Connections of all endpoints of the backend, as the choice among them sees it.
    private var active: Int {
        harness.engine.withCompiler { compiler, _ in
            compiler.backends[backendID("a")]?.endpoints.reduce(0) { $0 + $1.active.load(ordering: .relaxed) } ?? -1
        }
    }

    private func connects(_ result: String) -> Double {
        harness.metric("sluice_backend_connects_total", "result=\"\(result)\"")
    }

    @Test("where one family hangs, the other one serves every connection, without a retry", arguments: [true, false])
    func oneHangs(isFour: Bool) throws {
        let (silent, echo, target) =
            try isFour
            ? pair({ try Silent(on: $0) as AnyObject }, { try EchoBackend("here", on: $0) as AnyObject })
            : pair({ try EchoBackend("here", on: $0) as AnyObject }, { try Silent(on: $0) as AnyObject })
        apply(target)
        for round in 0..<8 {
            let client = try PlainClient(port: port)
            #expect(try client.receiveLine() == "here")
            try client.exchange("round \(round)")
            #expect(waitUntil { active == 1 }, "the other attempt counts no more")
        }
        #expect(waitUntil { active == 0 })
        #expect(connects("ok") == 8 && connects("timeout") == 0 && connects("refused") == 0)
        #expect(harness.metric("sluice_backend_connect_retries_total", "backend") == 0)
        #expect(harness.metric("sluice_backend_connections_active", "backend") == 0)
        withExtendedLifetime((silent, echo)) {}
    }

    @Test("where one family refuses, the other one is tried at once, without a retry", arguments: [true, false])
    func oneRefuses(isFour: Bool) throws {
        let target = try freePort()
        let echo = try EchoBackend("here", on: SocketAddress(isFour ? .loopbackV6 : .loopbackV4, target))
        apply(target)
        for round in 0..<12 {
            let client = try PlainClient(port: port)
            #expect(try client.receiveLine() == "here")
            try client.exchange("round \(round)")
        }
        #expect(waitUntil { active == 0 })
        #expect(connects("ok") == 12 && connects("refused") <= 12)
        #expect(waitUntil { harness.closed(.clientClosed) == 12 })
        #expect(harness.metric("sluice_backend_connect_retries_total", "backend") == 0)
        withExtendedLifetime(echo) {}
    }

    @Test("where one family hangs and the other refuses, the time for both is the connect timeout")
    func hangsAndRefuses() throws {
        let silent = try Silent(on: SocketAddress(.loopbackV4, try freePort()))
        apply(silent.server.port, connectTimeout: .milliseconds(600))
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.connectTimeout) == 1 })
        #expect(connects("refused") == 1 && connects("timeout") == 1 && active == 0)
    }

    @Test("where both hang, each counts as a timeout, once")
    func bothHang() throws {
        let (four, six, target) = try pair({ try Silent(on: $0) }, { try Silent(on: $0) })
        apply(target, connectTimeout: .milliseconds(600))
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.connectTimeout) == 1 })
        #expect(connects("timeout") == 2 && active == 0)
        withExtendedLifetime((four, six)) {}
    }

    @Test("both refuse: the connection ends at once with the last one's reason")
    func bothRefuse() throws {
        apply(try freePort())
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.connectRefused) == 1 })
        #expect(connects("refused") == 2 && active == 0)
    }

    @Test("a client that leaves meanwhile takes both attempts with it")
    func clientLeaves() throws {
        let (four, six, target) = try pair({ try Silent(on: $0) }, { try Silent(on: $0) })
        apply(target)
        for round in 0..<5 {
            let client = try PlainClient(port: port)
            #expect(waitUntil { active >= (round % 2 == 0 ? 2 : 1) })
            client.reset()
            #expect(waitUntil { active == 0 })
        }
        #expect(waitUntil { harness.metric("sluice_tcp_connections_active", "route=\"r\"") == 0 })
        withExtendedLifetime((four, six)) {}
    }

    @Test("TLS behind the connect has the whole connect timeout, not the head start")
    func slowTLS() throws {
        let (four, six, target) = try pair({ try PlainServer(on: $0) }, { try PlainServer(on: $0) })
        // They take their time, then end what was begun: whoever gave up before saw no end.
        for server in [four, six] {
            try Thread(named: "slow") {
                guard let stream = try? server.accept(timeout: .seconds(20)) else { return }
                pause(for: .milliseconds(800))
                stream.close()
            }.detach()
        }
        apply(target, tls: BackendTLS(trust: .system, hostname: "both.test"))
        _ = try? ending(of: port)
        #expect(waitUntil { harness.closed(.backendTLSError) + harness.closed(.connectTimeout) == 1 })
        #expect(harness.closed(.connectTimeout) == 0)
    }
}
