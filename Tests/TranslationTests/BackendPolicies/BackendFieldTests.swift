import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Each field of a BackendPolicy, in the engine's words.
@Suite("Fields of BackendPolicies")
struct BackendFieldTests {
    private typealias Bench = BackendBench

    /// The settings of Service `db` under a policy for it that is accepted.
    private func settings(_ spec: String, zone: String? = nil) throws -> BackendSettings {
        let bench = try Bench(Bench.policy("p", Bench.db, spec), zone: zone)
        #expect(bench.conditions("p") == ["Accepted=True Accepted"], "\(spec): \(bench.message("p"))")
        return try bench.settings()
    }

    @Test("what nobody says is the default, and no policy makes no variant")
    func defaults() throws {
        let bench = try Bench("")
        var expected = BackendSettings()
        expected.refusedAddresses = try bench.settings().refusedAddresses
        #expect(try bench.settings() == expected)
        #expect(try bench.backend().id.variant.isEmpty && bench.backend().circuitBreakers.isEmpty)
        #expect(bench.result.statuses.backendPolicies.isEmpty)
        #expect(try settings("loadBalancer: {}").loadBalancing == LoadBalancing())
    }

    @Test("loadBalancer")
    func loadBalancer() throws {
        #expect(try settings("loadBalancer: {type: RoundRobin}").loadBalancing.method == .roundRobin)
        #expect(try settings("loadBalancer: {type: Random}").loadBalancing.method == .random)
        let slow = try settings("loadBalancer: {type: LeastRequest, slowStart: {window: 30s}}").loadBalancing
        #expect(slow == LoadBalancing(method: .leastRequest, slowStart: .seconds(30)))
        let plain = try settings("loadBalancer: {type: ConsistentHash, consistentHash: {}}").loadBalancing
        #expect(plain.method == .consistentHash(ConsistentHash(source: SourcePrefix(v4: 32, v6: 64))))
        let hash = try settings(
            "loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 101, ipv6PrefixLength: 56, "
                + "boundedLoadPercent: 125}}"
        ).loadBalancing
        #expect(
            hash.method
                == .consistentHash(
                    ConsistentHash(source: SourcePrefix(v4: 32, v6: 56), tableSize: 101, boundedLoadPercent: 125)))
    }

    @Test("zoneAware, in the zone that we are in")
    func zones() throws {
        let usual = try settings("loadBalancer: {zoneAware: {preferLocal: {}}}", zone: "z1").loadBalancing
        #expect(usual.zones == ZonePreference(zone: "z1"))
        let all = try settings(
            "loadBalancer: {zoneAware: {preferLocal: {minEndpointsThreshold: 3, force: {}, percentageEnabled: 50}}}",
            zone: "z1"
        ).loadBalancing
        #expect(all.zones == ZonePreference(zone: "z1", minimumEndpoints: 3, forcedMinimum: 1, percentage: 50))
        let unknown = try Bench(Bench.policy("p", Bench.db, "loadBalancer: {zoneAware: {preferLocal: {}}}"))
        #expect(unknown.conditions("p") == ["Accepted=True Accepted", "sluice.dev/Warning=True ZoneUnknown"])
        #expect(try unknown.settings().loadBalancing.zones == nil)
    }

    @Test("healthCheck.active: defaults, numbers and times")
    func active() throws {
        #expect(try settings("healthCheck: {active: {type: TCP}}").health == HealthChecking(active: .init()))
        let check = try settings(
            "healthCheck: {active: {timeout: 2s, interval: 5s, initialJitter: 0s, unhealthyThreshold: 4, healthyThreshold: 5, "
                + "unhealthyInterval: 7s, initialState: Healthy, overrides: {port: 81}, plaintext: true, "
                + "sendProxyProtocol: false, tcp: {maxResponseBytes: 8Ki}}, panicThreshold: 40}"
        ).health
        var expected = ActiveHealthCheck()
        (expected.timeout, expected.interval, expected.initialJitter) = (.seconds(2), .seconds(5), .zero)
        (expected.unhealthyThreshold, expected.healthyThreshold) = (4, 5)
        expected.unhealthyInterval = .seconds(7)
        (expected.startsHealthy, expected.isPlaintext, expected.sendsProxyHeader) = (true, true, false)
        (expected.port, expected.maximumResponseBytes) = (81, 8192)
        #expect(check == HealthChecking(active: expected, panicThreshold: 40))
    }

    @Test("healthCheck.active.tcp: steps, and send and receive as two of them")
    func steps() throws {
        func steps(_ tcp: String) throws -> [ActiveHealthCheck.Step] {
            try settings("healthCheck: {active: {tcp: \(tcp)}}").health.active?.steps ?? []
        }
        let both = try steps("{send: {type: Text, text: \"PING\\r\\n\"}, receive: {type: Binary, binary: K1BP}}")
        #expect(both == [.init(.send(Array("PING\r\n".utf8))), .init(.expect(Array("+PO".utf8)))])
        #expect(try steps("{receive: {type: Text, text: hi}}") == [.init(.expect(Array("hi".utf8)))])
        let all = try steps(
            "{steps: [{send: {type: Binary, binary: AP8=}}, {expect: {type: Regex, regex: \"role:(master|primary)\"}, "
                + "timeout: 100ms}, {expect: {type: Text, text: ok}}, {close: {}}]}")
        #expect(
            all == [
                .init(.send([0, 255])),
                .init(.expectPattern("role:(master|primary)"), timeout: .milliseconds(100)),
                .init(.expect(Array("ok".utf8))), .init(.close),
            ])
    }

    @Test("healthCheck.passive")
    func passive() throws {
        #expect(try settings("healthCheck: {passive: {}}").health == HealthChecking(passive: .init()))
        let check = try settings(
            "healthCheck: {passive: {consecutiveLocalOriginFailures: 2, interval: 1s, baseEjectionTime: 5s, "
                + "maxEjectionPercent: 50, alwaysEjectOneEndpoint: false}}"
        ).health.passive
        var expected = PassiveHealthCheck()
        (expected.consecutiveFailures, expected.interval) = (2, .seconds(1))
        expected.baseEjectionTime = .seconds(5)
        (expected.maximumEjectionPercent, expected.alwaysEjectsOne) = (50, false)
        #expect(check == expected)
    }

    @Test("what becomes of sessions")
    func sessions() throws {
        let settings = try settings(
            "onEndpointUnhealthy: Close, onEndpointRemoved: Drain, onPrimaryRecovered: Drain, endpointDrainTimeout: 0s")
        #expect(settings.onEndpointUnhealthy == .close && settings.onEndpointRemoved == .drain)
        #expect(settings.onPrimaryRecovered == .drain && settings.endpointDrainTimeout == .zero)
        #expect(try self.settings("onEndpointUnhealthy: Keep").onEndpointUnhealthy == .keep)
    }

    @Test("connecting: connectTimeout, retry, tcpKeepalive")
    func connecting() throws {
        #expect(try settings("timeout: {tcp: {connectTimeout: 3s}}").connectTimeout == .seconds(3))
        let few = try settings("retry: {numRetries: 0}")
        #expect(few.retries == 0 && few.retryBaseInterval == .milliseconds(25))
        let retry = try settings(
            "retry: {numRetries: 5, perRetry: {backOff: {baseInterval: 10ms, maxInterval: 100ms}}}")
        #expect(retry.retries == 5 && retry.retryBaseInterval == .milliseconds(10))
        #expect(retry.retryMaxInterval == .milliseconds(100))
        #expect(try settings("tcpKeepalive: {disabled: true}").keepalive == nil)
        #expect(try settings("tcpKeepalive: {idleTime: 5s}").keepalive?.idleSeconds == 5)
    }

    @Test("circuitBreaker")
    func circuitBreaker() throws {
        let bench = try Bench(
            Bench.policy(
                "p", Bench.db,
                "circuitBreaker: {maxConnections: 9, perEndpoint: {maxConnections: 3}, maxPendingConnections: 4}"))
        let backend = try bench.backend()
        let id = LimitID(policy: "infra/p", target: "Service infra/db")
        #expect(backend.circuitBreakers == [CircuitBreaker(id: id, maximumConnections: 9, maximumPerEndpoint: 3)])
        #expect(backend.queue == PendingQueue(id: id, length: 4, timeout: .seconds(5)))
        let refusing = try Bench(Bench.policy("p", Bench.db, "circuitBreaker: {maxConnections: 9}")).backend()
        #expect(refusing.queue == nil && refusing.id.variant.isEmpty)
        let waiting = try Bench(
            Bench.policy("p", Bench.db, "circuitBreaker: {maxPendingConnections: 1, queueTimeout: 1s}")
        ).backend()
        #expect(waiting.queue?.timeout == .seconds(1) && waiting.circuitBreakers.isEmpty)
    }

    @Test("proxyProtocol and its TLVs")
    func proxyProtocol() throws {
        #expect(try settings("proxyProtocol: {version: V1}").proxyProtocol == .init(version: .v1))
        let sending = try settings(
            "proxyProtocol: {version: V2, tlvs: [{type: Authority}, {type: ALPN}, {type: SSL}, {type: UniqueID}, "
                + "{type: CRC32C}, {type: Forward, code: 234}, {type: Custom, code: 224, value: eu}]}"
        ).proxyProtocol
        #expect(
            sending
                == .init(
                    version: .v2,
                    fields: [
                        .authority, .alpn, .ssl, .uniqueID, .crc32c, .forward(234), .custom(224, Array("eu".utf8)),
                    ]))
    }

    @Test("dns, where there is a name")
    func dns() throws {
        func settings(_ dns: String) throws -> BackendSettings {
            let bench = try Bench(Bench.policy("p", Bench.target("Backend", "named"), "dns: {\(dns)}"))
            #expect(bench.conditions("p") == ["Accepted=True Accepted"])
            return try bench.settings(at: "names")
        }
        let own = try settings("dnsRefreshRate: 5s, respectDnsTtl: false, lookupFamily: IPv4AndIPv6")
        #expect(own.dnsRefreshRate == .seconds(5) && !own.respectsTTL && own.dnsFamily == .ipv4AndIPv6)
        let families = ["IPv4", "IPv6", "IPv4Preferred", "IPv6Preferred"]
        let values: [BackendSettings.DNSFamily] = [.ipv4, .ipv6, .ipv4Preferred, .ipv6Preferred]
        for (name, value) in zip(families, values) { #expect(try settings("lookupFamily: \(name)").dnsFamily == value) }
        let nowhere = try Bench(Bench.policy("p", Bench.db, "dns: {dnsRefreshRate: 5s}"))
        #expect(nowhere.conditions("p") == ["Accepted=False Invalid"])
        #expect(
            nowhere.message("p").hasPrefix(
                "dns has no effect: no backend of Service infra/db has a DNS name for an endpoint"))
    }

    @Test("the examples of the definition: a Redis master that is found by asking, and mail with PROXY headers")
    func examples() throws {
        let redis = try settings(
            """
            onEndpointUnhealthy: Close, healthCheck: {active: {type: TCP, timeout: 1s, interval: 2s, healthyThreshold: 5, tcp: {steps: [
              {send: {type: Text, text: "PING\\r\\n"}}, {expect: {type: Text, text: "+PONG"}},
              {send: {type: Text, text: "info replication\\r\\n"}}, {expect: {type: Text, text: "role:master"}},
              {send: {type: Text, text: "QUIT\\r\\n"}}, {expect: {type: Text, text: "+OK"}}]}}}
            """)
        let steps = redis.health.active?.steps ?? []
        #expect(steps.count == 6 && steps[2].action == .send(Array("info replication\r\n".utf8)))
        #expect(redis.health.active?.healthyThreshold == 5 && redis.onEndpointUnhealthy == .close)
        let mail = try Bench(
            Bench.policy(
                "mail", Bench.target("TCPRoute", "plain"),
                "proxyProtocol: {version: V2, tlvs: [{type: Authority}, {type: SSL}, {type: UniqueID}]}, "
                    + "loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP}}, "
                    + "timeout: {tcp: {connectTimeout: 5s}}, retry: {numRetries: 2}"))
        #expect(mail.conditions("mail") == ["Accepted=True Accepted"])
        #expect(try mail.settings().proxyProtocol?.fields == [.authority, .ssl, .uniqueID])
    }

    @Test("a fallback that is not accepted takes no share of the others")
    func invalidFallback() throws {
        let bench = try Bench("")
        var snapshot = bench.snapshot
        snapshot.backends[ObjectKey(namespace: "infra", name: "spare")]?.spec.endpoints = []
        let listeners = translate(snapshot, options: bench.options).configuration.listeners
        let route = try #require(listeners.first { $0.id.listener == "names" }?.routes.first)
        #expect(route.backends.map(\.isFallback) == [false, true])
        #expect(route.backends.last?.target == .invalid)
    }

    @Test("Backend: fallback, zone and weight")
    func backends() throws {
        let bench = try Bench("")
        let route = try #require(bench.result.configuration.listeners.first { $0.id.listener == "names" }?.routes.first)
        #expect(route.backends.map(\.isFallback) == [false, true])
        let endpoint = try #require(try bench.backend(at: "names").endpoints.first)
        #expect(endpoint.zone == "z1" && endpoint.weight == 2)
    }
}
