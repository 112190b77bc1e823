@testable import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

/// Backends that refuse, hang, reset or are not who they should be: what is tried again, for how long, and what is said in the end.
@Suite("Failed and repeated connects", .timeLimit(.minutes(5)))
struct ConnectRetryTests {
    private let harness: EngineHarness
    private let port: UInt16

    init() throws { (harness, port) = (try EngineHarness(), try freePort()) }

    private func apply(_ ports: [UInt16], tls: BackendTLS? = nil, _ change: (inout BackendSettings) -> Void) {
        var backend = backend("a", ports: ports, tls: tls)
        (backend.settings.retryBaseInterval, backend.settings.retryMaxInterval) = (.milliseconds(1), .milliseconds(2))
        change(&backend.settings)
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend])
    }

    @Test("where all of the lowest preference fail, a retry goes on to the next one")
    func nextPreference() throws {
        let echo = try EchoBackend("farther")
        var farther = backend("a", ports: [try freePort(), try freePort(), echo.port])
        farther.endpoints[2].preference = 1
        (farther.settings.retries, farther.settings.retryBaseInterval) = (2, .milliseconds(1))
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [farther])
        for _ in 0..<4 { #expect(try PlainClient(port: port).receiveLine() == "farther") }
        #expect(connects("ok") >= 4)
    }

    private func connects(_ result: String) -> Double {
        harness.metric("sluice_backend_connects_total", "result=\"\(result)\"")
    }

    private var retries: Double { harness.metric("sluice_backend_connect_retries_total") }

    private func closed(_ reason: CloseReason, _ side: CloseSide = .backend) -> Double {
        harness.metric(
            "sluice_tcp_connections_closed_total", "reason=\"\(reason.rawValue)\"", "side=\"\(side.rawValue)\"")
    }

    /// One whose accept queue is full and stays so: the kernel drops what else comes.
    private final class HangingServer {
        private let server: PlainServer
        private var queued: [PlainClient] = []
        var port: UInt16 { server.port }

        init() throws {
            server = try PlainServer(backlog: 1)
            for _ in 0..<64 {
                guard let client = try? PlainClient(to: server.address, timeout: .milliseconds(300)) else { return }
                queued.append(client)
            }
            throw TestFailure("the accept queue does not fill")
        }
    }

    /// One that accepts and ends each connection at once, or with its first byte.
    private final class EndingServer: Sendable {
        let port: UInt16
        let accepted = Locked(0)
        private let stopped = Locked(false)

        init(resets: Bool, awaitsByte: Bool = false) throws {
            let server = try PlainServer()
            port = server.port
            let thread = try Thread(named: "ending") { [weak self] in
                while let self, !self.stopped.withLock({ $0 }) {
                    guard let client = try? server.accept(timeout: .milliseconds(100)) else { continue }
                    self.accepted.withLock { $0 += 1 }
                    if awaitsByte { _ = try? client.receive(max: 1, timeout: .seconds(10)) }
                    if resets { client.reset() } else { client.close() }
                }
            }
            thread.detach()
        }

        deinit { stopped.withLock { $0 = true } }
    }

    // MARK: retry.numRetries

    @Test("numRetries: that many more attempts, and the refusal of the last one", arguments: [0, 1, 2, 10])
    func number(_ number: Int) throws {
        apply([try freePort()]) { $0.retries = number }
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { closed(.connectRefused) == 1 })
        #expect(waitUntil { connects("refused") == Double(number + 1) })
        #expect(waitUntil { retries == Double(number) })
    }

    @Test("another endpoint each time, while there is one")
    func otherEndpoints() throws {
        let echo = try EchoBackend("a")
        apply(try (0..<5).map { _ in try freePort() } + [echo.port]) { $0.retries = 5 }
        for round in 1...20 {
            #expect(try isServed(port))
            #expect(waitUntil { connects("ok") == Double(round) })
        }
        #expect(connects("refused") <= 100)
        #expect(connects("refused") > 0)
        #expect(retries == connects("refused"))
    }

    @Test("the reason is the last attempt's")
    func lastReason() throws {
        let hanging = try HangingServer()
        apply([hanging.port, try freePort()]) { ($0.retries, $0.connectTimeout) = (1, .milliseconds(700)) }
        for round in 1...4 {
            #expect(try ending(of: port) == .reset)
            #expect(waitUntil { closed(.connectRefused) + closed(.connectTimeout) == Double(round) })
        }
        #expect(waitUntil { connects("refused") == 4 })
        #expect(waitUntil { connects("timeout") == 4 })
        let last = harness.log.entries.filter {
            $0.message == "connecting to the backend failed" && $0.text("upstream_attempts") == "2"
        }
        #expect(Double(last.filter { $0.text("problem") == "no answer in time" }.count) == closed(.connectTimeout))
    }

    // MARK: retry.perRetry.backOff

    @Test("backOff: pauses double from baseInterval to maxInterval, less up to a half")
    func pauses() {
        var settings = BackendSettings()
        settings.retryBaseInterval = .milliseconds(20)
        settings.retryMaxInterval = .milliseconds(100)
        var random = SplitMix64(seed: 7)
        for (attempts, longest) in [(1, 20), (2, 40), (3, 80), (4, 100), (10, 100), (255, 100)] {
            let pauses = Set((0..<2000).map { _ in settings.retryPause(after: UInt8(attempts), random: random.next()) })
            #expect(pauses == Set(Int64(longest / 2)...Int64(longest)))
        }
        settings.retryBaseInterval = .seconds(1)
        #expect(settings.retryPause(after: 1, random: 0) == 100)
        settings.retryMaxInterval = .zero
        #expect(settings.retryPause(after: 3, random: 5) == 0)
    }

    @Test("backOff.baseInterval and maxInterval: no attempt comes sooner")
    func backOff() throws {
        apply([try freePort()]) {
            $0.retries = 3
            ($0.retryBaseInterval, $0.retryMaxInterval) = (.milliseconds(200), .milliseconds(300))
        }
        let start = MonotonicTime.now()
        #expect(try ending(of: port) == .reset)
        #expect(.now() - start >= .milliseconds(100 + 150 + 150 - 10))
        #expect(waitUntil { retries == 3 })
    }

    // MARK: timeout.tcp.connectTimeout

    @Test("connectTimeout: an endpoint that hangs in accept is given up, and another one is tried")
    func hangs() throws {
        let hanging = try HangingServer()
        apply([hanging.port]) { ($0.retries, $0.connectTimeout) = (0, .milliseconds(300)) }
        let start = MonotonicTime.now()
        #expect(try ending(of: port) == .reset)
        // Workers count whole milliseconds from their turn's begin, here as in the others.
        #expect(.now() - start >= .milliseconds(290))
        #expect(waitUntil { closed(.connectTimeout) == 1 })
        #expect(waitUntil { connects("timeout") == 1 })
        let echo = try EchoBackend("a")
        apply([hanging.port, echo.port]) { ($0.retries, $0.connectTimeout) = (1, .milliseconds(300)) }
        for _ in 0..<6 { #expect(try isServed(port)) }
        #expect(waitUntil { connects("ok") == 6 })
        #expect(waitUntil { closed(.connectTimeout) == 1 })
    }

    @Test("all attempts together take three times connectTimeout at most, however many there may be")
    func budget() throws {
        let hanging = try HangingServer()
        apply([hanging.port]) { ($0.retries, $0.connectTimeout) = (10, .milliseconds(200)) }
        let start = MonotonicTime.now()
        #expect(try ending(of: port) == .reset)
        #expect(.now() - start >= .milliseconds(390))
        #expect(waitUntil { closed(.connectTimeout) == 1 })
        #expect((2...3).contains(connects("timeout")))
        // No pause that would end after it is begun.
        apply([try freePort()]) {
            ($0.retries, $0.connectTimeout) = (10, .milliseconds(100))
            ($0.retryBaseInterval, $0.retryMaxInterval) = (.seconds(100), .seconds(100))
        }
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { connects("refused") == 1 })
    }

    // MARK: Resets, and wrong certificates

    @Test("a reset after the connect is passed on, and counts as the backend's", arguments: [true, false])
    func resets(_ resets: Bool) throws {
        // One that is there before the connect is looked at would be a refusal, and tried again.
        let server = try EndingServer(resets: resets, awaitsByte: true)
        apply([server.port]) { $0.retries = 2 }
        let client = try PlainClient(port: port)
        try client.send("x")
        #expect(try client.waitForEnd() == (resets ? .reset : .fin))
        client.close()
        #expect(waitUntil { closed(resets ? .backendReset : .backendClosed) == 1 })
        #expect(waitUntil { connects("ok") == 1 })
        #expect(retries == 0)
    }

    @Test(
        "an endpoint that ends the connection during the TLS handshake, before anything was sent, is not the last",
        arguments: [true, false])
    func resetsInHandshake(_ resets: Bool) throws {
        let (server, ca) = (try EndingServer(resets: resets), try TestPKI.makeCA())
        let echo = try EchoBackend("a", tls: TLSServerOptions(try ca.issue(dnsNames: ["db.test"])))
        let tls = BackendTLS(trust: .bundles(try trust(ca)), hostname: "db.test")
        apply([server.port, echo.port], tls: tls) { $0.retries = 1 }
        for _ in 0..<10 { #expect(try isServed(port)) }
        #expect(waitUntil { connects("ok") == 10 })
        // A reset that is there before the connect is looked at is as a refusal.
        #expect(waitUntil { connects("tls_error") + connects("refused") == retries })
        #expect(server.accepted.withLock { Double($0) } == retries)
        #expect(retries > 0)
        apply([server.port], tls: tls) { $0.retries = 2 }
        let before = retries
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { closed(.backendTLSError) + closed(.connectRefused) == 1 })
        #expect(waitUntil { retries == before + 2 })
    }

    @Test("a wrong certificate is not tried again")
    func wrongCertificate() throws {
        let ca = try TestPKI.makeCA()
        let echo = try EchoBackend("a", tls: TLSServerOptions(try ca.issue(dnsNames: ["other.test"])))
        apply([echo.port], tls: BackendTLS(trust: .bundles(try trust(ca)), hostname: "db.test")) { $0.retries = 2 }
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { closed(.backendTLSError) == 1 })
        #expect(waitUntil { connects("tls_error") == 1 })
        #expect(retries == 0)
    }
}
