import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform
import Primitives
import TestSupport
import Testing

private let routes = "tcproutes.gateway.networking.k8s.io"

/// Random changes under random faults: in the end the source has what the server has.
@Suite("Cluster source: random schedules", .timeLimit(.minutes(1)))
struct ClusterScheduleTests {
    @Test("whatever the server does meanwhile, the content is equal in the end", arguments: 1...6)
    func converge(round: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        let server = FakeAPIServer()
        server.state.withLock { ($0.hasStreamingLists, $0.pageSize) = (round % 2 == 0, 3) }
        let cluster = try RunningCluster(server, factor: 0.002)
        for step in 0..<400 {
            change(server, step, &random)
            if step % 20 == 19 { disturb(server, &random) }
        }
        server.setFault(nil)
        server.put("services.", Fixture.service("last"))
        let expected = server.state.withLock { state in
            (state.objects[routes] ?? [:]).mapValues { $0["metadata"]?["resourceVersion"]?.text }
        }
        let state = try cluster.wait("the server's content; seed \(seed)") { state in
            state.snapshot.services.values.contains { $0.metadata.name == "last" }
                && (state.observed.byKind["TCPRoute"] ?? [:]).mapValues(\.resourceVersion) == expected
        }
        let ports = server.state.withLock { state in
            (state.objects[routes] ?? [:]).mapValues { port(of: $0) }
        }
        #expect(state.snapshot.tcpRoutes.mapValues { $0.spec.rules[0].backendRefs?[0].port } == ports, "seed \(seed)")
        #expect(state.faults.isEmpty)
    }

    private func port(of route: JSONValue) -> Int? {
        let rule = route["spec"]?["rules"]?.elements?.first
        return (rule?["backendRefs"]?.elements?.first?["port"]?.integer).map { Int($0) }
    }

    private func change(_ server: FakeAPIServer, _ step: Int, _ random: inout SplitMix64) {
        let name = "r\(Int.random(in: 0..<12, using: &random))"
        switch Int.random(in: 0..<10, using: &random) {
        case 0...6: server.put(routes, Fixture.route(name, port: "\(1000 + step)"))
        case 7...8: server.delete(routes, "shop", name)
        default: server.put(routes, Fixture.route(name, port: "1", status: #"{"parents":[{"step":\#(step)}]}"#))
        }
    }

    private func disturb(_ server: FakeAPIServer, _ random: inout SplitMix64) {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: server.closeWatches()
        case 1: server.closeWatches(.failed(TransportError(.interrupted, "cut")))
        case 2: server.compact()
        case 3:
            server.compact()
            server.closeWatches()
        case 4: server.closeWatches(.consumerTooSlow)
        case 5:
            server.say(FakeAPIServer.expired, to: routes)
            server.closeWatches()
        case 6:
            let code = [429, 500, 503].randomElement(using: &random) ?? 500
            server.setFault { _ in .status(code, reason: "", retryAfter: code == 429 ? 0 : nil) }
            server.closeWatches(.failed(TransportError(.interrupted, "cut")))
        case 7:
            server.say("{not json", to: routes)
            server.closeWatches()
        default: server.setFault(nil)
        }
        _ = waitUntil(deadline: .milliseconds(Int.random(in: 0..<8, using: &random))) { false }
    }
}
