import EngineModel
import KubernetesAPI
import Platform
import TestAPIServer
import TestSupport
import Testing

/// However a cluster came to its state, what is served and what is said of it follow from that state alone.
@Suite("A random walk through a cluster", .timeLimit(.minutes(10)))
struct RandomWalkTests {
    /// Steps in all. The seed of a failed walk is in its message: set SLUICE_WALK_SEED to repeat it.
    static let steps = 10_000

    @Test("ends where a fresh start from the final state ends, without a write that changes nothing")
    func endsAsAFreshStart() throws {
        let seed = try walkSeed()
        let server = try startServer()
        defer { server.stop() }
        var walk = try Walk(seed: seed, server: server)
        try walk.prepare()

        let walked = try served(by: server, seed) {
            for _ in 0..<Self.steps { try walk.step() }
            try walk.makeSecretsGood()
        } most: { most in
            #expect(most.listeners > 5 && most.backends > 3, "seed \(seed): the walk never served much: \(most)")
        }
        let statuses = statusesByObject(server)
        let writesOfWalk = server.statistics
        let started = try served(by: server, seed) {}

        expectEqual(walked, started, seed)
        #expect(statusesByObject(server) == statuses, "seed \(seed): a fresh start writes other statuses")
        #expect(server.statistics.unchanged == [], "seed \(seed): something was written twice with one content")
        let written = server.statistics.counts.filter { isWrite($0.key) && writesOfWalk.counts[$0.key] != $0.value }
        #expect(written.isEmpty, "seed \(seed): a fresh start has something to write: \(written.keys.sorted())")
        try expectOwnServices(server, seed)
        // The server notices a moment later that its clients are gone. Other tests share the process: its own descriptors
        // are no measure.
        let released = waitUntil { server.connections == 0 && server.statistics.watches == 0 }
        #expect(released, "seed \(seed): \(server.connections) connections are left")
        #expect(walk.refused * 5 < Self.steps, "seed \(seed): \(walk.refused) steps were refused by the server")
    }
}

extension RandomWalkTests {
    /// Runs a control plane while something happens; returns the configuration it comes to rest with.
    private func served(
        by server: TestAPIServer, _ seed: UInt64, while body: () throws -> Void,
        most check: ((listeners: Int, backends: Int)) -> Void = { _ in }
    ) throws -> EngineConfiguration {
        let plane = try ControlPlane(url: server.url, token: "walk")
        try plane.start()
        defer { plane.stop() }
        try body()
        let isAtRest = try waitUntil(deadline: .seconds(120)) { try isQuiet(plane, server) }
        try #require(isAtRest, "seed \(seed): it does not come to rest")
        check(plane.target.most)
        return try #require(plane.target.configuration)
    }

    private func startServer() throws -> TestAPIServer {
        var options = TestAPIServer.Options()
        options.tokens = ["walk": AccessToken(user: "sluice", rules: [.all])]
        return try TestAPIServer.start(options)
    }

    /// A key of the server's statistics that stands for a change.
    private func isWrite(_ request: String) -> Bool { !request.hasPrefix("GET ") && !request.hasPrefix("WATCH ") }
}
