@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("The list of connections", .timeLimit(.minutes(5)))
struct ConnectionListTests {
    private let harness: EngineHarness
    private let echo: EchoBackend

    init() throws { (harness, echo) = (try EngineHarness(maxConnections: 20_000), try EchoBackend("a")) }

    private func states() -> [ConnectionInfo.State: Int] {
        Dictionary(grouping: harness.engine.connections(), by: \.state).mapValues(\.count)
    }

    @Test("each connection stands where it is: inspected, handshaking, queued, relaying")
    func showsStates() throws {
        let (plain, tls) = (try freePort(), try freePort())
        let certificate = try TestPKI.makeCA("Servers").issue(dnsNames: ["a.test"])
        var limited = backend("a", ports: [echo.port])
        let id = LimitID(policy: "default/p", target: "Service default/a")
        limited.circuitBreakers = [CircuitBreaker(id: id, maximumConnections: 1, maximumPerEndpoint: nil)]
        limited.queue = PendingQueue(id: id, length: 5, timeout: .seconds(300))
        harness.apply(
            [
                tcpListener("t", port: plain, route("r", to: "a")),
                tlsListener(
                    "s", port: tls, mode: .terminate(TLSTermination(certificates: [try facts(certificate)])),
                    routes: [], fallback: route("r", to: "a")),
            ], [limited])
        let served = try PlainClient(port: plain)
        #expect(try served.receiveLine() == "a")
        let waiting = try (0..<2).map { _ in try PlainClient(port: plain) }
        let silent = try (0..<3).map { _ in try PlainClient(port: tls) }
        // A ClientHello is answered; the handshake then waits for what never comes.
        let half = try (0..<4).map { _ in try PlainClient(port: tls) }
        for client in half { try client.send(try clientHelloBytes(TLSClientOptions(serverName: "a.test"))) }
        #expect(waitUntil { states() == [.relaying: 1, .queued: 2, .inspecting: 3, .handshaking: 4] }, "\(states())")
        let all = harness.engine.connections()
        let queued = all.filter { $0.state == .queued }
        #expect(queued.allSatisfy { $0.backend?.name == "a" && $0.endpoint == nil && $0.port == plain })
        #expect(Set(queued.map(\.client)) == Set(waiting.compactMap(\.localAddress)))
        let shaking = all.filter { $0.state == .handshaking }
        #expect(shaking.allSatisfy { $0.serverName == "a.test" && $0.tlsVersion == nil }, "\(shaking)")
        #expect(all.filter { $0.state == .inspecting }.allSatisfy { $0.serverName == nil })
        // Those that wait and those that shake hands can be ended as well.
        let closed = harness.engine.closeConnections { $0.state == .queued || $0.state == .handshaking }
        #expect(closed.count == 6)
        for client in waiting + half { _ = try client.waitForEnd() }
        #expect(waitUntil { states() == [.relaying: 1, .inspecting: 3] }, "\(states())")
        #expect(harness.closed(.adminClosed) + harness.rejected(.adminClosed) == 6)
        try served.exchange("still here")
        _ = consume silent
    }

    @Test("lists and closes while traffic flows: nothing is listed twice, nothing that stays is missed or broken")
    func whileTrafficFlows() throws {
        let port = try freePort()
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let staying = try (0..<600).map { _ in try openClient(port) }
        let addresses = Set(staying.compactMap(\.localAddress))
        let isOver = Locked(false)
        let coming = try BackgroundWork {
            while !(isOver.withLock { $0 }) {
                let client = try openClient(port)
                try client.exchange("x")
                client.close()
            }
        }
        let talking = try BackgroundWork {
            while !(isOver.withLock { $0 }) { for client in staying { try client.exchange("hello") } }
        }
        for _ in 0..<20 {
            let all = harness.engine.connections()
            #expect(Set(all.map(\.id)).count == all.count)
            #expect(addresses.isSubset(of: all.map(\.client)))
            #expect(harness.engine.connections(limit: 5).count == 5)
        }
        let victims = Set(addresses.prefix(50))
        isOver.withLock { $0 = true }
        try talking.value()
        try coming.value()
        #expect(Set(harness.engine.closeConnections { victims.contains($0.client) }.map(\.client)) == victims)
        #expect(waitUntil { harness.closed(.adminClosed) == 50 })
        for client in staying where client.localAddress.map({ !victims.contains($0) }) ?? false {
            try client.exchange("still here")
        }
    }

    @Test("a reader that takes its time holds few copies, keeps no worker busy, and sees every connection")
    func slowReader() throws {
        let harness = try EngineHarness(workers: 1, maxConnections: 30_000)
        let port = try freePort()
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let clients = try (0..<1000).map { _ in try openClient(port) }
        let walk = SlotWalk(batchLimit: 1)
        var seen: [UInt64] = []
        harness.engine.walk(walk) { info in
            if seen.count % 256 == 0 {
                // The worker is at the limit, or done: it waits for us, and serves meanwhile.
                #expect(walk.progress.update { $0.batches.count } <= 2)
                #expect((try? clients[0].exchange("beside")) != nil)
            }
            seen.append(info.id)
            return true
        }
        #expect(seen.count == 1000)
        #expect(Set(seen).count == 1000)
    }
}
