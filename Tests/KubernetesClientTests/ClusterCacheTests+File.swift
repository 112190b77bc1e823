import FoundationEssentials
import KubernetesAPI
import Observability
import Platform
import SnapshotCache
import TestSupport
import Testing

@testable import KubernetesClient

/// What stands in the file, and of which time it is, while something goes wrong.
extension ClusterCacheTests {
    private func routesInFile() throws -> [String] {
        let kinds = try #require(cache().load()).kinds
        return kinds.first { $0.plural == "tcproutes" }?.objects.keys.map(\.name).sorted() ?? []
    }

    /// Waits until the cache was written, and says as of when it is.
    private func writtenAsOf(_ running: Running, after earlier: Int64 = 0) throws -> Int64 {
        var found: Int64 = 0
        guard
            waitUntil(
                deadline: .seconds(10),
                {
                    found = running.cache.status.written > 0 ? cache().load()?.asOf ?? 0 : 0
                    return found > earlier
                })
        else { throw TestFailure("no cache of after \(earlier); log:\n\(running.cluster.log.text)") }
        return found
    }

    @Test("an object that cannot be kept as it was sent ends the writing: no file lacks one that is served")
    func gap() throws {
        let running = try Running(server, cache())
        _ = try running.cluster.wait("both routes") { names($0) == ["a", "b"] }
        _ = try writtenAsOf(running)
        // JSON all the same, and read as such; but not by what cuts it out.
        let route = try JSONDecoder().decode(JSONValue.self, from: Data(Fixture.route("c").utf8))
        let line = FakeAPIServer.line("ADDED", route.withResourceVersion(900))
        server.say(line.replacing("\"object\"", with: "\"\\u006fbject\"", maxReplacements: 1), to: Self.routes)
        _ = try running.cluster.wait("a third route") { names($0) == ["a", "b", "c"] }
        server.put(Self.routes, Fixture.route("d"))
        _ = try running.cluster.wait("a fourth route") { names($0) == ["a", "b", "c", "d"] }
        running.end()
        #expect(try routesInFile() == ["a", "b"])
        #expect(running.cluster.log.entries.contains { $0.message == "the cache is not written any more" })
    }

    @Test("what a server that answers otherwise says nothing of is served out of the cache, and stays in it")
    func unansweredReference() throws {
        _ = try writeCache()
        server.setFault { $0.resource == "configmaps" ? .status(500) : nil }
        server.put(Self.routes, Fixture.route("c"))
        let running = try Running(server, cache())
        let state = try running.cluster.wait("the server's state") { names($0) == ["a", "b", "c"] }
        #expect(!state.isFromCache && state.snapshot.configMaps[key("ca")] != nil)
        running.end()
        let kinds = try #require(cache().load()).kinds
        #expect(try routesInFile() == ["a", "b", "c"])
        #expect(kinds.first { $0.plural == "configmaps" }?.objects.count == 1)
    }

    @Test("where nothing changes, the file says how long it was true")
    func refresh() throws {
        let running = try Running(server, cache(), factor: 0.001)
        _ = try running.cluster.wait("both routes") { names($0) == ["a", "b"] }
        let first = try writtenAsOf(running)
        let second = try writtenAsOf(running, after: first)
        #expect(second <= realtimeNanoseconds() / 1_000_000_000)
        running.end()
    }

    @Test("the file is as old as what has not been heard of for the longest")
    func partialAge() throws {
        let running = try Running(server, cache())
        _ = try running.cluster.wait("both routes") { names($0) == ["a", "b"] }
        _ = try writtenAsOf(running)
        server.setFault { $0.resource == "services" ? .status(500) : nil }
        server.closeWatches()
        func problem() -> String? { running.cluster.health.resources.first { $0.name == "services" }?.problem }
        #expect(waitUntil(deadline: .seconds(10)) { problem() != nil })
        let then = realtimeNanoseconds() / 1_000_000_000
        #expect(waitUntil(deadline: .seconds(10)) { realtimeNanoseconds() / 1_000_000_000 > then + 1 })
        server.put(Self.routes, Fixture.route("c"))
        _ = try running.cluster.wait("the new route") { names($0) == ["a", "b", "c"] }
        running.end()
        #expect(try routesInFile() == ["a", "b", "c"])
        #expect(try #require(cache().load()).asOf <= then)
    }
}
