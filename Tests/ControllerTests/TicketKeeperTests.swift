import EngineModel
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import TestAPIServer
import TestSupport
import Testing

@testable import Controller

/// Replicas that share the keys of session tickets through the API of a server, with a minute of 600 ms.
@Suite("Sharing keys of session tickets", .timeLimit(.minutes(2)))
struct TicketKeeperTests {
    private static let name = "sluice-ticket-keys"
    private let server: TestAPIServer

    init() throws { server = try TestAPIServer.forReplicas() }

    /// What one replica has for it.
    private final class Replica {
        let log = MemoryLog()
        let ring = Monitored<TicketKeyRing?>(nil)
        let keeper: TicketKeeper
        private let source: ClusterSource
        private let client: APIClient

        init(_ server: TestAPIServer, leadership: Leadership, lifetime: Duration? = .seconds(3600)) throws {
            let logger = Logger(recordingTo: log, minimumLevel: .debug)
            let client = try APIClient(
                configuration: ClientConfiguration(server: server.url), userAgent: "sluice/test", logger: logger)
            let key = ObjectKey(namespace: "sluice-system", name: TicketKeeperTests.name)
            let keeper = TicketKeeper(
                .secret(key, marker: "sluice", server: client, leadership: leadership), logger: logger,
                clockFactor: 0.01)
            var options = ClusterSource.Options(ownNamespace: "sluice-system", references: { _ in ReferencedObjects() })
            options.clockFactor = 0.05
            options.ownSecret = .init(name: key.name) { keeper.take($0) }
            source = ClusterSource(server: client, options: options, logger: logger)
            (self.client, self.keeper) = (client, keeper)
            if let lifetime { keeper.note(EngineConfiguration(listeners: [Replica.listener(lifetime)])) }
            let ring = ring
            try keeper.start { value in ring.update { $0 = value } }
            try source.start { _ in }
        }

        static func listener(_ lifetime: Duration?) -> ListenerConfiguration {
            var termination = TLSTermination(certificates: [])
            termination.ticketLifetime = lifetime
            let listener = TLSListener(hostname: nil, mode: .terminate(termination), routes: [])
            return ListenerConfiguration(
                id: ListenerID(gatewayNamespace: "default", gateway: "edge", listener: "tls"), bindings: [],
                traffic: .tls(listener))
        }

        func stop() {
            keeper.stop()
            source.stop()
            client.close()
        }

        func wait(_ condition: (TicketKeyRing) -> Bool) -> TicketKeyRing? {
            ring.wait(until: .now() + .seconds(20)) { ring in ring.flatMap { condition($0) ? $0 : nil } }
        }

        var metrics: String {
            var text = PrometheusText()
            keeper.append(to: &text)
            return text.text
        }
    }

    private var secret: JSONValue? { server.object("Secret", "sluice-system", TicketKeeperTests.name) }
    private func stored(_ key: String) -> String? { secret?["data"]?[key]?.text }

    @Test("the leader makes a Secret, every replica opens with its keys at once, and seals with them a minute later")
    func shared() throws {
        let leader = try Replica(server, leadership: .always())
        defer { leader.stop() }
        let first = try #require(leader.wait { $0.keys.count == 2 })
        #expect(first.sealing == nil || first.sealing == 0)
        let follower = try Replica(server, leadership: Leadership())
        defer { follower.stop() }
        #expect(follower.wait { Set($0.keys) == Set(first.keys) } != nil)
        let sealing = leader.wait { $0.sealing != nil }?.sealingKey
        #expect(sealing != nil && follower.wait { $0.sealing != nil }?.sealingKey == sealing)
        #expect(secret?["metadata"]?["ownerReferences"]?.elements?.first?["kind"]?.text == "ConfigMap")
        #expect(follower.metrics.contains("sluice_tls_ticket_keys_rotated_timestamp_seconds 1"))
        // Nothing of the keys is told.
        for key in ["next", "current"] {
            let text = try #require(stored(key))
            #expect(
                !leader.log.rows.contains { $0.contains(text) } && !follower.log.rows.contains { $0.contains(text) })
        }
    }

    @Test("a rotation moves the keys on, and what was sealed before still opens")
    func rotation() throws {
        let leader = try Replica(server, leadership: .always())
        defer { leader.stop() }
        let follower = try Replica(server, leadership: Leadership())
        defer { follower.stop() }
        let before = try #require(follower.wait { $0.sealing != nil })
        let (current, next) = (before.keys[0], before.keys[1])
        // As if the last rotation were long ago.
        try server.patch(
            "Secret", "sluice-system", TicketKeeperTests.name,
            yaml: #"{metadata: {annotations: {sluice.dev/rotated-at: "2020-01-01T00:00:00Z"}}}"#)
        let after = try #require(follower.wait { $0.keys.count == 3 })
        #expect(after.keys[0] == next && after.keys[2] == current && after.sealingKey != nil)
        #expect(follower.wait { $0.sealingKey == next } != nil)
        let stamp = secret?["metadata"]?["annotations"]?["sluice.dev/rotated-at"]?.text
        #expect(stamp != nil && stamp != "2020-01-01T00:00:00Z")
    }

    @Test("of two that take themselves for the leader one wins each time, and both have its keys")
    func twoLeaders() throws {
        let replicas = try (0..<2).map { _ in try Replica(server, leadership: .always()) }
        defer { for replica in replicas { replica.stop() } }
        for round in 0..<5 {
            let agreed = waitUntil(deadline: .seconds(20)) {
                let rings = replicas.map { $0.ring.update { $0 } }
                guard let current = stored("current"), let next = stored("next") else { return false }
                return rings.allSatisfy { ring in
                    ring?.keys.first.map { encoded($0) } == current
                        && ring?.keys.dropFirst().first.map { encoded($0) } == next
                }
            }
            #expect(agreed, "round \(round)")
            let next = stored("next")
            try server.patch(
                "Secret", "sluice-system", TicketKeeperTests.name,
                yaml: "{metadata: {annotations: {sluice.dev/rotated-at: null}}}")
            #expect(waitUntil(deadline: .seconds(20)) { stored("current") == next }, "round \(round)")
        }
    }

    @Test(
        "without a leader nothing is written; what was known stays in use when the Secret is gone, until a leader makes another"
    )
    func leaderless() throws {
        let leader = try Replica(server, leadership: .always())
        let follower = try Replica(server, leadership: Leadership())
        defer { follower.stop() }
        let ring = try #require(follower.wait { $0.sealing != nil })
        leader.stop()
        try server.delete("Secret", "sluice-system", TicketKeeperTests.name)
        let next = try Replica(server, leadership: Leadership())
        #expect(secret == nil && follower.ring.update { $0 } == ring && next.ring.update { $0 } == nil)
        next.stop()
        let heir = try Replica(server, leadership: .always())
        defer { heir.stop() }
        #expect(follower.wait { Set($0.keys).isDisjoint(with: ring.keys) && $0.sealing != nil } != nil)
    }

    @Test("a Secret that holds something else is filled anew by the leader; nobody uses what it held")
    func damaged() throws {
        let leader = try Replica(server, leadership: .always())
        defer { leader.stop() }
        let ring = try #require(leader.wait { $0.sealing != nil })
        try server.patch("Secret", "sluice-system", TicketKeeperTests.name, yaml: "{data: {current: c2VjcmV0}}")
        #expect(leader.wait { Set($0.keys).isDisjoint(with: ring.keys) } != nil)
        let complaints = leader.log.rows.filter { $0.contains("current is not 80 bytes") }
        #expect(complaints.count == 1 && complaints.allSatisfy { !$0.contains("c2VjcmV0") })
    }

    @Test("no Secret is made while nothing gives out tickets")
    func noTickets() throws {
        let leader = try Replica(server, leadership: .always(), lifetime: nil)
        defer { leader.stop() }
        leader.keeper.note(EngineConfiguration(listeners: [Replica.listener(nil)]))
        let other = try Replica(server, leadership: Leadership())
        defer { other.stop() }
        #expect(secret == nil)
        leader.keeper.note(EngineConfiguration(listeners: [Replica.listener(nil), Replica.listener(.seconds(60))]))
        #expect(other.wait { $0.keys.count == 2 } != nil)
    }

    @Test("a Secret that may not be watched is not written either, and that is said once")
    func denied() throws {
        let log = MemoryLog()
        let logger = Logger(recordingTo: log, minimumLevel: .debug)
        let client = try APIClient(
            configuration: ClientConfiguration(server: server.url), userAgent: "sluice/test", logger: logger)
        defer { client.close() }
        let key = ObjectKey(namespace: "sluice-system", name: TicketKeeperTests.name)
        let keeper = TicketKeeper(
            .secret(key, marker: nil, server: client, leadership: .always()), logger: logger, clockFactor: 0.01)
        keeper.note(EngineConfiguration(listeners: [Replica.listener(.seconds(60))]))
        try keeper.start { _ in Issue.record("there are no keys") }
        for _ in 0..<3 { keeper.take(.denied) }
        #expect(waitUntil { log.rows.contains { $0.contains("may not be watched") } })
        keeper.take(.denied)
        keeper.stop()
        #expect(log.rows.count { $0.contains("may not be watched") } == 1 && secret == nil)
    }

    @Test("a file's keys are there at once; a bad one leaves the last good ones, and one at the start is refused")
    func file() throws {
        let folder = try TemporaryDirectory()
        let keys = [TicketKey.random(), .random()]
        try folder.write(keys.map(encoded).joined(separator: "\n"), to: "keys")
        let log = MemoryLog()
        let keeper = TicketKeeper(
            .file(folder.path + "/keys"), logger: Logger(recordingTo: log, minimumLevel: .debug), clockFactor: 0.001)
        let ring = Monitored<TicketKeyRing?>(nil)
        try keeper.start { value in ring.update { $0 = value } }
        defer { keeper.stop() }
        #expect(ring.update { $0 } == TicketKeyRing(keys: keys, sealing: 0))
        try folder.replace("keys", with: "c2VjcmV0")
        #expect(waitUntil { log.rows.contains { $0.contains("line 1 is not 80 bytes in base64") } })
        #expect(ring.update { $0 }?.keys == keys && !log.rows.contains { $0.contains("c2VjcmV0") })
        try folder.replace("keys", with: keys.reversed().map(encoded).joined(separator: "\n"))
        #expect(waitUntil { ring.update { $0 }?.sealingKey == keys[1] })
        let missing = TicketKeeper(.file(folder.path + "/none"), logger: Logger(recordingTo: log, minimumLevel: .debug))
        #expect(throws: TicketSecretProblem.self) { try missing.start { _ in } }
        missing.stop()
    }

    private func encoded(_ key: TicketKey) -> String {
        TicketKeySet(next: key, current: key, previous: nil, rotatedAt: 0)
            .secret(ObjectKey(namespace: "", name: ""), owner: nil)["data"]?["current"]?.text ?? ""
    }
}

extension MemoryLog {
    fileprivate var rows: [Substring] { text.split(separator: "\n") }
}
