import Engine
import EngineModel
import Glibc
import Platform
import Primitives
import TestSupport
import Testing

/// Ten backends that are restarted one after the other while clients come: the gateway is not told of it.
@Suite("Rolling restart", .timeLimit(.minutes(5)))
struct RollingRestartTests {
    /// Greets and echoes, on one port through all its restarts. What waits in the accept queue is served before it stops.
    private final class Restarting: Sendable {
        let address: SocketAddress
        private let isUp = Locked(true)
        private let running = Monitored(false)

        init() throws {
            let first = try PlainServer()
            address = first.address
            try start(first)
        }

        deinit { isUp.withLock { $0 = false } }

        private func start(_ server: PlainServer) throws {
            running.update { $0 = true }
            let (isUp, running) = (isUp, running)
            let thread = try Thread(named: "restarting") {
                while isUp.withLock({ $0 }) { Self.serve(try? server.accept(timeout: .milliseconds(10))) }
                while let left = try? server.accept(timeout: .zero) { Self.serve(left) }
                running.update { $0 = false }
            }
            thread.detach()
        }

        private static func serve(_ client: PlainClient?) {
            guard let client else { return }
            _ = try? Thread(named: "serving") {
                try? client.send("hello\n")
                if let bytes = try? client.receive(max: 64, timeout: .seconds(10)), !bytes.isEmpty {
                    try? client.send(bytes)
                }
                _ = try? client.waitForEnd()
                client.close()
            }.detach()
        }

        func restart(after pause: Duration) throws {
            isUp.withLock { $0 = false }
            guard running.wait(until: .now() + .seconds(10), { $0 ? nil : true }) != nil else {
                throw TestFailure("it does not stop")
            }
            Platform.pause(for: pause)
            isUp.withLock { $0 = true }
            try start(try PlainServer(on: address))
        }
    }

    private struct Outcome: Sendable {
        var connections = 0
        var lost = 0
        /// Reset by a backend that had the connection in its queue as it stopped.
        var resets = 0
        var retries = 0
    }

    /// Connections by four threads, evenly spread over a second, until the restarts are over.
    private func restartAll(perSecond rate: Int, retries: Int, pause: Duration) throws -> Outcome {
        let (harness, port) = (try EngineHarness(), try freePort())
        let servers = try (0..<10).map { _ in try Restarting() }
        var backend = backend("a", ports: servers.map(\.address.port))
        backend.settings.retries = retries
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend])
        let (counts, isOver) = (Locked((done: 0, lost: 0)), Locked(false))
        let clients = try (0..<4).map { index in
            try BackgroundWork {
                let start = MonotonicTime.now() + .nanoseconds(1_000_000_000 / rate * index)
                var number = 0
                while !isOver.withLock({ $0 }) {
                    let due = start + .nanoseconds(4_000_000_000 / rate * number)
                    number += 1
                    if due > .now() { usleep(UInt32(clamping: (due - .now()).wholeNanoseconds / 1000)) }
                    let isServed = (try? Self.exchange(port)) != nil
                    counts.withLock { $0 = ($0.done + 1, $0.lost + (isServed ? 0 : 1)) }
                }
            }
        }
        func awaitTraffic() {
            let before = counts.withLock { $0.done }
            #expect(waitUntil(deadline: .seconds(20)) { counts.withLock { $0.done } >= before + max(1, rate / 5) })
        }
        // There is traffic before the first of them goes, and after the last one is back.
        awaitTraffic()
        for server in servers { try server.restart(after: pause) }
        awaitTraffic()
        isOver.withLock { $0 = true }
        for client in clients { try client.value() }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        let seen = counts.withLock { $0 }
        return Outcome(
            connections: seen.done, lost: seen.lost, resets: Int(harness.closed(.backendReset)),
            retries: Int(harness.metric("sluice_backend_connect_retries_total")))
    }

    private static func exchange(_ port: UInt16) throws {
        let client = try PlainClient(port: port)
        guard try client.receiveLine() == "hello" else { throw TestFailure("another greeting") }
        try client.exchange("x")
        client.close()
    }

    /// Connections per second; a number in the environment takes its place.
    private static let rate = getenv("SLUICE_ROLLING_RESTART_RATE").flatMap { Int(String(cString: $0)) } ?? 200

    @Test("without retries connections are lost, with them none is")
    func restart() throws {
        let before = try restartAll(perSecond: Self.rate, retries: 0, pause: .milliseconds(150))
        let after = try restartAll(perSecond: Self.rate, retries: 2, pause: .milliseconds(150))
        print("rolling restart at \(Self.rate) per second: without retries \(before), with two \(after)")
        #expect(before.lost - before.resets > 0)
        // A server resets what its kernel has accepted as it closes its port: that is no connect which could be repeated.
        #expect(after.lost == after.resets)
        #expect(after.resets <= 2)
        #expect(after.retries > 0)
    }
}
