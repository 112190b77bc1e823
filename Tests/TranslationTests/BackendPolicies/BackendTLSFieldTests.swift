import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// TLS towards backends, and what becomes of a policy that cannot protect what it should.
@Suite("TLS of BackendPolicies")
struct BackendTLSFieldTests {
    private typealias Bench = BackendBench
    private static let pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    private let safe = BackendBench.target("Service", "safe")

    @Test("parameters of a backend that a BackendTLSPolicy is for")
    func parameters() throws {
        let bench = try Bench(
            Bench.policy(
                "p", safe,
                "tls: {minVersion: \"1.2\", maxVersion: \"1.2\", ciphers: [ECDHE-RSA-AES128-GCM-SHA256], ecdhCurves: [X25519], "
                    + "alpnProtocols: [postgresql]}, startTLS: {protocol: Postgres}"))
        #expect(bench.conditions("p") == ["Accepted=True Accepted"])
        let tls = try #require(try bench.backend(at: "safe").tls)
        #expect(tls.trust == .system && tls.hostname == "safe.example.com" && tls.spkiHashes == nil)
        #expect(tls.minimumVersion == .v12 && tls.maximumVersion == .v12)
        #expect(tls.ciphers == ["ECDHE-RSA-AES128-GCM-SHA256"] && tls.groups == ["X25519"])
        #expect(tls.alpnProtocols == ["postgresql"])
        #expect(try bench.settings(at: "safe").startTLS == .postgres)
    }

    @Test("CAAndPin adds keys to what the BackendTLSPolicy asks, PinOnly takes its place")
    func pins() throws {
        func tls(_ fields: String) throws -> BackendTLS? {
            let bench = try Bench(Bench.policy("p", safe, "tls: {\(fields)}"))
            #expect(bench.conditions("p") == ["Accepted=True Accepted"], "\(bench.message("p"))")
            return try bench.backend(at: "safe").tls
        }
        let both = try tls("verification: CAAndPin, spkiHashes: [\(Self.pin)]")
        #expect(both?.trust == .system && both?.spkiHashes == [Self.pin])
        let only = try tls("verification: PinOnly, spkiHashes: [\(Self.pin)], serverName: a.example.com")
        #expect(only?.trust == .pinsOnly && only?.spkiHashes == [Self.pin] && only?.hostname == "a.example.com")
    }

    @Test("CAAndPin where some backends have no BackendTLSPolicy")
    func partlyPinned() throws {
        let bench = try Bench(
            Bench.policy(
                "p", Bench.target("Gateway", "edge"), "tls: {verification: CAAndPin, spkiHashes: [\(Self.pin)]}"))
        #expect(bench.conditions("p") == ["Accepted=True Accepted", "sluice.dev/Warning=True NotEnforceable"])
        #expect(
            bench.message("p", .warning)
                == "tls.verification CAAndPin: backends of Gateway infra/edge without a BackendTLSPolicy are spoken to in the clear"
        )
        #expect(try bench.backend(at: "safe").tls?.spkiHashes == [Self.pin] && bench.backend().tls == nil)
    }

    @Test("where a listener's CA takes the place of a Gateway's PinOnly, nobody is spoken to in the clear")
    func pinsTakenAway() throws {
        let pins = "tls: {verification: PinOnly, spkiHashes: [\(Self.pin)]}"
        let wide = Bench.policy("wide", Bench.target("Gateway", "edge"), pins)
        let listener = Bench.target("Gateway", "edge", "plain")
        let bench = try Bench(wide + Bench.policy("p", listener, "tls: {verification: CA}, retry: {numRetries: 1}"))
        #expect(try bench.backend(at: "plain").tls?.trust == .unusable)
        #expect(try bench.backend(at: "terminate").tls?.trust == .pinsOnly)
        #expect(bench.message("p", .warning).contains("PinOnly of a wider policy"), "\(bench.message("p", .warning))")
        // Without the wider policy that is another use of the backend, and TLS is asked for by nobody.
        let alone = try Bench(Bench.policy("p", listener, "tls: {verification: CA}, retry: {numRetries: 1}"))
        #expect(try alone.backend(at: "plain").tls == nil)
        #expect(try alone.backend(at: "plain").id != bench.backend(at: "plain").id)
        #expect(!alone.message("p", .warning).contains("wider"))
        // With one who is trusted the most specific policy holds.
        let safe = Bench.policy("p", Bench.target("Gateway", "edge", "safe"), "tls: {verification: CA}")
        #expect(try Bench(wide + safe).backend(at: "safe").tls?.trust == .system)
    }

    @Test("PinOnly switches TLS on by itself, but not for what passes through")
    func pinOnly() throws {
        let spec = "tls: {verification: PinOnly, spkiHashes: [\(Self.pin)], serverName: FromClient}"
        let bench = try Bench(Bench.policy("p", Bench.db, spec))
        #expect(bench.conditions("p") == ["Accepted=True Accepted"])
        let tls = try #require(try bench.backend().tls)
        #expect(tls.trust == .pinsOnly && tls.sendsClientsName && tls.hostname.isEmpty)
        let raw = try bench.backend(at: "raw")
        #expect(raw.tls == nil && raw.id.variant == "passthrough")
    }

    @Test(
        "tls and startTLS where nothing is spoken to in TLS",
        arguments: ["tls: {minVersion: \"1.3\"}", "startTLS: {protocol: Postgres}"])
    func idle(spec: String) throws {
        let field = spec.prefix { $0 != ":" }
        for target in [Bench.db, Bench.target("TCPRoute", "plain"), Bench.target("Service", "db", "pg")] {
            let bench = try Bench(Bench.policy("p", target, spec))
            #expect(bench.conditions("p") == ["Accepted=False Invalid"])
            #expect(bench.message("p").hasPrefix("\(field) has no effect: no backend of "), "\(bench.message("p"))")
            // Nobody may think that a connection is protected.
            #expect(try bench.backend().tls?.trust == (field == "tls" ? .unusable : nil))
        }
        let wide = try Bench(Bench.policy("p", Bench.target("Gateway", "other"), spec))
        #expect(wide.conditions("p") == ["Accepted=True Accepted", "sluice.dev/Warning=True NotEnforceable"])
        let some = try Bench(Bench.policy("p", Bench.target("Gateway", "edge"), spec))
        #expect(some.conditions("p") == ["Accepted=True Accepted"])
        #expect(try some.backend().tls == nil && some.backend(at: "safe").tls != nil)
    }

    @Test("tls and startTLS for listeners and routes that pass TLS through")
    func passthrough() throws {
        for spec in ["tls: {minVersion: \"1.3\"}", "startTLS: {protocol: Postgres}"] {
            for target in [Bench.target("Gateway", "edge", "raw"), Bench.target("TLSRoute", "raw")] {
                let bench = try Bench(Bench.policy("p", target, spec))
                #expect(bench.conditions("p") == ["Accepted=False Invalid"])
                #expect(try bench.backend(at: "raw").tls == nil)
            }
        }
    }

    @Test("an invalid policy with tls, and without a good version before, refuses connections at its target")
    func failsClosed() throws {
        for (target, closed, open) in [
            (Bench.target("Gateway", "edge"), ["plain", "terminate", "safe"], ["raw"]),
            (Bench.target("Gateway", "edge", "plain"), ["plain"], ["terminate", "safe", "raw"]),
            (Bench.target("TCPRoute", "plain"), ["plain"], ["terminate", "safe", "raw"]),
            (Bench.db, ["plain", "terminate"], ["safe", "raw"]),
        ] {
            let bench = try Bench(Bench.policy("p", target, "tls: {verification: PinOnly}"))
            #expect(bench.conditions("p") == ["Accepted=False Invalid"])
            for listener in closed { #expect(try bench.backend(at: listener).tls?.trust == .unusable, "\(target)") }
            for listener in open { #expect(try bench.backend(at: listener).tls?.trust != .unusable, "\(target)") }
        }
        let other = try Bench(Bench.policy("p", Bench.db, "retry: {numRetries: 99}"))
        #expect(other.conditions("p") == ["Accepted=False Invalid"])
        #expect(try other.settings() == Bench("").settings())
    }

    @Test("a BackendTLSPolicy that cannot be used stays so under PinOnly")
    func unusableAuthority() throws {
        let broken = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: BackendTLSPolicy
            metadata: {name: db, namespace: infra}
            spec:
              targetRefs: [{group: "", kind: Service, name: db}]
              validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: none}], hostname: a.example.com}

            """
        let pinned = "tls: {verification: PinOnly, spkiHashes: [\(Self.pin)]}"
        #expect(try Bench(broken + Bench.policy("p", Bench.db, pinned)).backend().tls?.trust == .unusable)
    }

    @Test("levels that contradict each other: the wider goes on, the specific one names it and closes its target")
    func contradiction() throws {
        let bench = try Bench(
            Bench.policy("wide", Bench.target("Gateway", "edge"), "tls: {maxVersion: \"1.2\"}", created: 2)
                + Bench.policy("narrow", safe, "tls: {minVersion: \"1.3\"}", created: 1))
        #expect(bench.conditions("narrow") == ["Accepted=False Invalid"])
        #expect(
            bench.message("narrow")
                == "tls: minVersion must not be greater than maxVersion (with BackendPolicy infra/wide)")
        #expect(bench.conditions("wide") == ["Accepted=True Accepted"])
        #expect(try bench.backend(at: "safe").tls?.trust == .unusable)
        let ciphers = try Bench(
            Bench.policy("wide", Bench.target("Gateway", "edge"), "tls: {ciphers: [ECDHE-RSA-AES128-GCM-SHA256]}")
                + Bench.policy("narrow", Bench.target("TCPRoute", "safe"), "tls: {minVersion: \"1.3\"}"))
        #expect(
            ciphers.message("narrow")
                == "tls: ciphers cannot be set when minVersion is 1.3 (with BackendPolicy infra/wide)")
    }

    @Test("what the definition cannot see is refused")
    func invalid() throws {
        for (spec, message) in [
            ("tls: {ciphers: [NONE]}", "spec.tls.ciphers: NONE is no cipher suite of TLS 1.2"),
            ("tls: {ecdhCurves: [round]}", "spec.tls.ecdhCurves: round is no known group"),
            (
                "loadBalancer: {type: ConsistentHash, consistentHash: {tableSize: 65535}}",
                "spec.loadBalancer.consistentHash.tableSize: 65535 is not a prime number"
            ),
            (
                "healthCheck: {active: {tcp: {steps: [{close: {}}, {expect: {type: Regex, regex: \"(\"}}]}}}",
                "spec.healthCheck.active.tcp.steps[1].expect.regex: missing )"
            ),
        ] {
            let bench = try Bench(Bench.policy("p", safe, spec), patterns: ["(": "missing )"])
            #expect(bench.conditions("p") == ["Accepted=False Invalid"])
            #expect(bench.message("p") == message)
        }
    }
}
