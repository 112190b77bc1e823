@testable import Engine
import EngineModel
import Glibc
import Platform
import Primitives
import TestSupport
import Testing

/// Connections of every sort at once that do anything by chance: messages and bulk in both directions, pauses of who sends
/// and of who receives, half closes, resets, while the configuration changes around them.
@Suite("Any traffic", .timeLimit(.minutes(5)))
struct AnyTrafficTests {
    private enum Kind: Int, CaseIterable { case plain, terminated, toTLS, both, passthrough }

    private let ca: TestCA
    private let certificate: TestCertificate
    private let mode: TLSListener.Mode

    init() throws {
        ca = try TestPKI.makeCA()
        var request = TestCertificateRequest(commonName: "db.test", dnsNames: ["db.test"])
        request.keyType = .ecdsaP256
        certificate = try ca.issue(request)
        mode = try terminate(certificate)
    }

    /// What the gateway serves: a listener for each kind.
    private final class Site: Sendable {
        let harness: EngineHarness
        let ports: [UInt16]
        let plain: PlainServer
        let secure: TLSTestServer
        let mode: TLSListener.Mode
        let tls: BackendTLS

        init(_ test: AnyTrafficTests, bufferMemory: Int) throws {
            harness = try EngineHarness(bufferMemory: bufferMemory)
            ports = try Kind.allCases.map { _ in try freePort() }
            (plain, secure) = (try PlainServer(), try TLSTestServer(TLSServerOptions(test.certificate)))
            mode = test.mode
            tls = BackendTLS(trust: .bundles(try trust(test.ca)), hostname: "db.test")
            apply(0)
        }

        /// `variant` changes what established connections have nothing to do with.
        func apply(_ variant: Int) {
            var (toPlain, toTLS) = (route("p", to: "plain"), route("s", to: "secure"))
            let untrusting = route("u", to: "through")
            toPlain.settings.idleTimeout = .seconds(600 + variant % 2)
            toTLS.settings.halfCloseTimeout = .seconds(300 + variant % 3)
            var listeners = [
                tcpListener("0", port: ports[0], toPlain),
                tlsListener("1", port: ports[1], mode: mode, routes: [("db.test", toPlain)]),
                tcpListener("2", port: ports[2], toTLS),
                tlsListener("3", port: ports[3], mode: mode, routes: [("*.test", toTLS)], fallback: toPlain),
                tlsListener("4", port: ports[4], routes: [("db.test", untrusting), ("e.test", toPlain)]),
            ]
            if variant % 4 == 3 { listeners.remove(at: variant / 4 % 5) }
            let through = backend("through", ports: [secure.port])
            harness.apply(
                listeners,
                [backend("plain", ports: [plain.port]), backend("secure", ports: [secure.port], tls: tls), through])
        }

        func connect(_ kind: Kind) throws -> (client: any TestStream, peer: any TestStream) {
            let port = ports[kind.rawValue]
            let client = try BackgroundWork { () -> any TestStream in
                switch kind {
                case .plain, .toTLS: try PlainClient(port: port)
                default: try TLSTestClient(port: port, TLSClientOptions(serverName: "db.test"))
                }
            }
            let peer: any TestStream =
                switch kind {
                case .plain, .terminated: try plain.accept(timeout: .seconds(30))
                default: try secure.accept(timeout: .seconds(30))
                }
            return (try client.value(), peer)
        }
    }

    /// Sends by chance, ends unless it is cut, and returns what was sent.
    private static func send(on stream: any TestStream, seed: UInt64, isCut: Bool) throws -> String {
        var random = SplitMix64(seed: seed)
        let bytes = testBytes(2 << 20, seed: seed)
        var digest = SHA256Stream()
        var sent = 0
        for _ in 0..<Int(isCut ? random.next() % 5 : 4 + random.next() % 12) {
            let limit = [100, 5000, 70_000, 300_000, 2 << 20][Int(random.next() % 5)]
            let start = Int(random.next() % 1000)
            let piece = Array(bytes[start..<min(bytes.count, start + 1 + Int(random.next() % UInt64(limit)))])
            for _ in 0..<(random.next() % 4 == 0 ? 6 : 1) {
                digest.update(piece)
                sent += piece.count
                try stream.send(piece, timeout: .seconds(60))
            }
            // Pauses are part of the traffic, here and below; nothing is waited for by them.
            if random.next() % 2 == 0 { usleep(UInt32(random.next() % 20_000)) }
        }
        if !isCut { try stream.halfClose() }
        return "\(sent) bytes, \(digest.hex())"
    }

    private static func receive(on stream: any TestStream, seed: UInt64, isCut: Bool) throws -> String {
        var random = SplitMix64(seed: seed)
        var digest = SHA256Stream()
        var received = 0
        let isSlow = random.next() % 3 == 0
        let limit = isCut ? Int(random.next() % (3 << 20)) : .max
        while true {
            let piece = try stream.receive(max: 1 + Int(random.next() % (256 << 10)), timeout: .seconds(60))
            if piece.isEmpty || received > limit { return "\(received) bytes, \(digest.hex())" }
            digest.update(piece)
            received += piece.count
            if random.next() % (isSlow ? 4 : 64) == 0 { usleep(UInt32(random.next() % 30_000)) }
        }
    }

    @Test(
        "all that is sent arrives, and nothing is left behind", arguments: [64 << 20, 1 << 20],
        [UInt64(1), .random(in: 2...UInt64.max)])
    func everything(bufferMemory: Int, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let site = try Site(self, bufferMemory: bufferMemory)
        var works: [(what: String, BackgroundWork<String>, BackgroundWork<String>)] = []
        var streams: [any TestStream] = []
        var cuts: [BackgroundWork<Void>] = []
        for number in 0..<15 {
            let kind = Kind.allCases[number % 5]
            let (client, peer) = try site.connect(kind)
            streams += [client, peer]
            // Who is cut stops in the middle of it, and resets.
            let cut = random.next() % 4 == 0 ? Int(random.next() % 2) : -1
            var own: [BackgroundWork<String>] = []
            for (what, from, to) in [("request", client, peer), ("response", peer, client)] {
                let (first, second) = (random.next(), random.next())
                let (isSender, isReceiver) = ((what == "request") == (cut == 0), (what == "request") == (cut == 1))
                let sending = try BackgroundWork { try Self.send(on: from, seed: first, isCut: cut >= 0 && isSender) }
                let receiving = try BackgroundWork {
                    try Self.receive(on: to, seed: second, isCut: cut >= 0 && isReceiver)
                }
                if cut < 0 { works.append(("\(kind) \(what)", sending, receiving)) }
                if cut >= 0 { own += [sending, receiving] }
            }
            guard cut >= 0 else { continue }
            let ends = own
            let victim = cut == 0 ? client : peer
            cuts.append(
                try BackgroundWork {
                    // Its own two are done before it goes: nobody else may meet its descriptor again.
                    let mine = cut == 0 ? [ends[0], ends[3]] : [ends[1], ends[2]]
                    for work in mine { _ = try? work.value(timeout: .seconds(120)) }
                    if let plain = victim as? PlainClient { plain.reset() }
                    if let secure = victim as? TLSTestConnection { secure.reset() }
                    for work in ends { _ = try? work.value(timeout: .seconds(120)) }
                })
        }
        for variant in 1...40 {
            site.apply(variant)
            usleep(5000)
        }
        for (what, sent, received) in works {
            let (left, right) = (try sent.value(timeout: .seconds(120)), try received.value(timeout: .seconds(120)))
            #expect(left == right, "\(what), seed \(seed)")
        }
        for cut in cuts { try cut.value(timeout: .seconds(240)) }
        for stream in streams { stream.close() }
        #expect(waitUntil(deadline: .seconds(20)) { site.harness.engine.activeConnections == 0 }, "seed \(seed)")
        #expect(waitUntil { site.harness.total("sluice_buffered_bytes") == 0 }, "seed \(seed)")
        // With nothing left to do a loop stands still; that shows only over a while.
        let before = site.harness.engine.turns
        usleep(300_000)
        #expect(site.harness.engine.turns - before < 40, "seed \(seed)")
    }
}
