internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("Example: throughput tiers by client certificate", .timeLimit(.minutes(3)))
    struct TierTests {
        private static let tiers = ["gold", "silver", "bronze"]
        private let port: UInt16
        private let folder: TemporaryDirectory
        private let server: PlainServer
        private let sluice: Sluice

        /// The commands of the example's README.
        init() throws {
            folder = try TemporaryDirectory()
            (port, server) = (try Ports.free(), try PlainServer())
            let examples = "\(Installation.root)/examples"
            _ = try run(["cp", "-r", "\(examples)/tiers/.", folder.path]).checked()
            let names = TierTests.tiers.map { "\($0).example.com" }.joined(separator: ",")
            let clients = TierTests.tiers.map { "\($0)=spiffe://example.com/tier/\($0)" }
            _ = try run(["\(examples)/certificates", folder.path, names] + clients).checked()
            let example = try Example("tiers", in: folder.path, ports: [9443: port, 9101: server.port])
            sluice = try Sluice.ready(example.text)
        }

        @Test("each certificate is served on its own tier only, and nobody without one")
        func identities() throws {
            let server = server
            let greetings = try BackgroundWork {
                for _ in TierTests.tiers {
                    let accepted = try server.accept(timeout: .seconds(60))
                    try accepted.send("welcome\n")
                    try accepted.halfClose()
                    _ = try? accepted.receive(max: 1)
                }
            }
            for tier in TierTests.tiers {
                for own in TierTests.tiers where own != tier {
                    let refused = try connect(to: tier, with: own, waitingFor: "welcome")
                    #expect(!refused.output.contains("welcome"), "\(own) on \(tier): \(refused.output)")
                }
                let without = try connect(to: tier, with: nil, waitingFor: "welcome")
                #expect(!without.output.contains("welcome"), "none on \(tier): \(without.output)")
                let served = try connect(to: tier, with: tier, waitingFor: "welcome")
                #expect(served.output.contains("welcome"), "\(tier): \(served.output)")
                #expect(served.output.contains("Verify return code: 0 (ok)"), "\(served.output)")
            }
            // Three in all: none of the six others caused one.
            try greetings.value(timeout: .seconds(60))
            try sluice.waitForMetrics("the refusals") {
                $0.sum("sluice_tcp_connections_closed_total", ["reason": "authz_denied"]) == 6
            }
            try sluice.waitForMetrics("those without a certificate") {
                $0.sum("sluice_tls_handshakes_total", ["result": "client_cert_required"]) == 3
            }
            try sluice.stop()
        }

        @Test("bronze takes the time that its rate gives, and all arrives", arguments: [("bronze", 1.9), ("gold", 0)])
        func rate(tier: String, atLeast seconds: Double) throws {
            let size = 3 << 20
            let server = server
            let sending = try BackgroundWork {
                let accepted = try server.accept(timeout: .seconds(30))
                try accepted.send(Array(repeating: UInt8(ascii: "x"), count: size), timeout: .seconds(60))
                try accepted.halfClose()
                _ = try? accepted.receive(max: 1)
            }
            let pem = folder.path + "/pem/"
            var options = TLSClientOptions(serverName: "\(tier).example.com")
            options.trust = String(decoding: try readFile(pem + "server-ca.crt"), as: UTF8.self)
            options.certificateFiles = (pem + "\(tier).crt", pem + "\(tier).key")
            let start = MonotonicTime.now()
            let client = try TLSTestClient(port: port, options)
            let bytes = try client.receive(exactly: size, timeout: .seconds(60))
            #expect(bytes.allSatisfy { $0 == UInt8(ascii: "x") })
            // A second's worth at once, and the rest at the rate.
            #expect(.now() - start >= .seconds(seconds))
            client.close()
            _ = try sending.value()
            try sluice.stop()
        }

        private func connect(to tier: String, with own: String?, waitingFor awaited: String) throws -> SClient {
            let pem = folder.path + "/pem/"
            let identity = own.map { ["-cert", "\(pem)\($0).crt", "-key", "\(pem)\($0).key"] } ?? []
            return try SClient(
                port: port, waitingFor: awaited,
                ["-servername", "\(tier).example.com", "-CAfile", pem + "server-ca.crt"] + identity)
        }
    }
}
