import HTTPClient
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("Status writer", .timeLimit(.minutes(1)))
struct StatusWriterTests {
    private let server: FakeAPIServer

    init() throws { server = try FakeAPIServer() }

    private func isPatch(_ name: String) -> @Sendable (APIRequest) -> Bool {
        { $0.method == .patch && $0.path.hasSuffix("/\(name)/status") }
    }

    @Test("a status is written once, and not again when the watch shows it")
    func once() throws {
        server.addRoute("a")
        let harness = try WriterHarness(server)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        #expect(harness.settle())
        for _ in 0..<20 { harness.show() }
        #expect(harness.settle())
        #expect(server.requests.count == 1)
        let request = try #require(server.requests.first)
        #expect(request.contentType == "application/merge-patch+json")
        #expect(request.query.first?.value == "sluice")
        #expect(server.parents("a").first?["controllerName"]?.text == "sluice.dev/gateway-controller")
        harness.writer.stop()
        var text = PrometheusText()
        harness.writer.append(to: &text)
        for line in [
            "sluice_leader 1", "sluice_leader_transitions_total 1",
            #"sluice_status_updates_total{kind="TCPRoute",result="ok"} 1"#,
        ] { #expect(text.text.contains(line + "\n"), "\(line)") }
    }

    @Test("between the write and the watch showing it the same content is not written again")
    func beforeTheWatch() throws {
        server.addRoute("a")
        let before = server.observed
        let harness = try WriterHarness(server)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        for revision in 10..<20 {
            harness.writer.submit(
                Outcome(
                    revision: UInt64(revision), statuses: harness.report, snapshot: harness.snapshot, observed: before))
            #expect(waitUntil { harness.writer.isIdle })
        }
        #expect(harness.settle())
        #expect(server.requests.count == 1)
    }

    @Test("a replica that does not lead writes nothing; once it leads it writes all")
    func leadership() throws {
        server.addRoute("a")
        let leadership = Leadership()
        let harness = try WriterHarness(server, leadership: leadership)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        harness.conclude()
        #expect(waitUntil { harness.writer.isIdle })
        #expect(server.requests.isEmpty)
        leadership.update(validUntil: .now() + .seconds(60))
        #expect(waitUntil { server.parents("a").count == 1 })
        leadership.update(validUntil: nil)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge", .false)])
        harness.conclude()
        harness.writer.stop()
        #expect(server.requests.count == 1)
    }

    @Test("a leadership that ran out is not believed, though nobody said so")
    func expired() throws {
        server.addRoute("a")
        let leadership = Leadership()
        leadership.update(validUntil: .now())
        let harness = try WriterHarness(server, leadership: leadership)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        harness.conclude()
        harness.writer.stop()
        #expect(server.requests.isEmpty)
    }

    @Test("two installations on the same routes never touch each other's entries")
    func twoControllers() throws {
        for index in 0..<50 { server.addRoute("r\(index)") }
        let first = try WriterHarness(server)
        let second = try WriterHarness(server, controllerName: "example.com/second")
        for index in 0..<50 {
            first.report.tcpRoutes[key("r\(index)")] = RouteStatus(parents: [first.parent("a")])
            second.report.tcpRoutes[key("r\(index)")] = RouteStatus(parents: [second.parent("b"), second.parent("c")])
        }
        first.conclude()
        second.conclude()
        #expect(
            waitUntil(deadline: .seconds(20)) {
                first.show()
                second.show()
                return first.writer.isIdle && second.writer.isIdle
                    && (0..<50).allSatisfy { server.parents("r\($0)").count == 3 }
            })
        first.report.tcpRoutes = [:]
        #expect(first.settle())
        for index in 0..<50 {
            let names = server.parents("r\(index)").map { $0["controllerName"]?.text }
            #expect(names == ["example.com/second", "example.com/second"])
        }
        let agents = Set(server.requests(.patch, "/status").compactMap { $0.query.first?.value })
        #expect(agents == ["sluice", "sluice-example.com/second"])
    }

    @Test("a storm of conflicts is survived, and others' writes with it")
    func conflicts() throws {
        server.addRoute("a")
        let harness = try WriterHarness(server)
        let rounds = Locked(0)
        let server = server
        server.beforeEach { request in
            guard request.method == .patch,
                rounds.withLock({
                    $0 += 1; return $0
                }) <= 6
            else { return }
            server.put("\(FakeAPIServer.routes)/a") { object in
                let foreign = JSONValue.object(["controllerName": .string("x\(rounds.withLock { $0 })")])
                let parents = object["status"]?["parents"]?.elements ?? []
                object["status"] = .object(["parents": .array(parents + [foreign])])
            }
        }
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        harness.conclude()
        #expect(waitUntil(deadline: .seconds(20)) { server.parents("a").count == 7 })
        #expect(
            server.parents("a").map { $0["controllerName"]?.text }.prefix(6) == ["x1", "x2", "x3", "x4", "x5", "x6"])
        #expect(harness.settle())
        server.forgetRequests()
        #expect(harness.settle())
        #expect(server.requests.isEmpty)
    }

    @Test("where the spec moved on meanwhile, what was concluded of the older one is not written")
    func newerSpec() throws {
        server.addRoute("a")
        let harness = try WriterHarness(server)
        let before = server.observed
        server.put("\(FakeAPIServer.routes)/a") { object in
            object["metadata"] = object["metadata"]?.merging(.object(["generation": .integer(2)]))
        }
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        harness.writer.submit(
            Outcome(revision: 1, statuses: harness.report, snapshot: harness.snapshot, observed: before))
        #expect(waitUntil { server.requests.count >= 2 })
        #expect(server.requests.prefix(2).map(\.method) == [.patch, .get])
        #expect(server.parents("a").isEmpty)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge", .false)])
        #expect(harness.settle())
        #expect(server.parents("a").count == 1)
    }

    @Test("an answer that is lost leads to no second write")
    func lostAnswer() throws {
        server.addRoute("a")
        server.fail(.transport(TransportError(.interrupted, "lost")), times: 1, isLate: true, isPatch("a"))
        let harness = try WriterHarness(server)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        harness.conclude()
        #expect(waitUntil { server.requests.count == 3 && harness.writer.isIdle })
        #expect(server.requests.map(\.method) == [.patch, .patch, .get])
        #expect(server.parents("a").count == 1)
    }

    @Test("what fails is retried by itself, while others go on")
    func otherGoOn() throws {
        for name in ["a", "b", "c"] { server.addRoute(name) }
        server.fail(.fake(500, "InternalError"), times: 2, isPatch("a"))
        let harness = try WriterHarness(server)
        for name in ["a", "b", "c"] {
            harness.report.tcpRoutes[key(name)] = RouteStatus(parents: [harness.parent("edge")])
        }
        #expect(harness.settle())
        for name in ["a", "b", "c"] { #expect(server.parents(name).count == 1) }
        #expect(server.requests(.patch, "/a/").count == 3)
        #expect(server.requests(.patch, "/b/").count == 1)
    }

    @Test("429 is obeyed by all: nothing is sent before the time it names")
    func tooManyRequests() throws {
        for index in 0..<40 { server.addRoute("r\(index)") }
        server.fail(.fake(429, "TooManyRequests", retryAfter: .milliseconds(300)), times: 1) { $0.method == .patch }
        let harness = try WriterHarness(server)
        for index in 0..<40 { harness.report.tcpRoutes[key("r\(index)")] = RouteStatus(parents: [harness.parent("e")]) }
        let start = MonotonicTime.now()
        #expect(harness.settle())
        #expect(MonotonicTime.now() - start > .milliseconds(300))
        #expect(server.requests.count == 41)
    }

    @Test("what the server refuses is logged with its causes and not sent again until it is something else")
    func refused() throws {
        server.addRoute("a")
        let causes = [
            APIStatus.Cause(reason: "FieldValueInvalid", message: "must be short", field: "status.parents[0]")
        ]
        server.fail(
            .status(APIStatus(code: 422, reason: "Invalid", message: "invalid", causes: causes)), times: 1, isPatch("a")
        )
        let harness = try WriterHarness(server)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        harness.conclude()
        let line = harness.log.waitForEntry { $0.level == .error }
        #expect(line?.text("object") == "TCPRoute default/a")
        #expect(line?.text("error") == "invalid [status.parents[0]: must be short]")
        for _ in 0..<10 { harness.conclude() }
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge", .false)])
        harness.conclude()
        #expect(waitUntil { server.parents("a").count == 1 })
        #expect(server.requests.count == 2)
    }

    @Test("an object that is gone is forgotten")
    func gone() throws {
        server.addRoute("a")
        let before = server.observed
        server.remove("\(FakeAPIServer.routes)/a")
        let harness = try WriterHarness(server)
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        harness.writer.submit(
            Outcome(revision: 1, statuses: harness.report, snapshot: harness.snapshot, observed: before))
        #expect(waitUntil { server.requests.count == 1 })
        harness.report.tcpRoutes = [:]
        #expect(harness.settle())
        server.addRoute("a")
        harness.report.tcpRoutes[key("a")] = RouteStatus(parents: [harness.parent("edge")])
        #expect(harness.settle())
        #expect(server.parents("a").count == 1)
    }

    @Test("fields that the server drops are not written again and again")
    func droppedFields() throws {
        let path = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/sluice"
        server.put(path) { $0["metadata"] = .object(["name": .string("sluice")]) }
        server.prune("supportedFeatures")
        let harness = try WriterHarness(server)
        harness.report.gatewayClasses[key("sluice", "")] = GatewayClassStatus(
            conditions: [Condition(.accepted, .true, .accepted)], supportedFeatures: [.init(name: "Gateway")])
        #expect(harness.settle())
        for _ in 0..<5 { #expect(harness.settle()) }
        #expect(server.requests(.patch, "gatewayclasses").count <= 2)
        #expect(harness.log.entries.contains { $0.message.contains("does not keep") })
    }

    @Test("a Gateway whose class is gone says that it waits for a controller; one of another's class is left alone")
    func classLost() throws {
        func gateway(_ name: String, _ gatewayClass: String) -> Gateway {
            Gateway(
                metadata: ObjectMeta(name: name, namespace: "default"),
                spec: .init(gatewayClassName: gatewayClass, listeners: []))
        }
        func path(_ name: String) -> String {
            "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways/\(name)"
        }
        let harness = try WriterHarness(server)
        for name in ["orphan", "taken"] {
            server.put(path(name)) { $0["metadata"] = .object(["name": .string(name)]) }
            harness.report.gateways[key(name)] = GatewayStatus(
                addresses: [.init(value: "192.0.2.1")], conditions: [Condition(.accepted, .true, .accepted)])
        }
        #expect(harness.settle())
        let theirs = server.object(path("taken"))
        harness.snapshot.gateways = [key("orphan"): gateway("orphan", "gone"), key("taken"): gateway("taken", "other")]
        harness.snapshot.gatewayClasses[key("other", "")] = GatewayClass(
            metadata: ObjectMeta(name: "other"), spec: .init(controllerName: "example.com/other"))
        harness.report.gateways = [:]
        #expect(harness.settle())
        #expect(server.object(path("taken")) == theirs)
        let status = try #require(server.object(path("orphan"))?["status"])
        #expect(status["addresses"] == nil)
        #expect(status["conditions"]?.elements?.map { $0["status"]?.text } == ["Unknown", "Unknown"])
        server.forgetRequests()
        #expect(harness.settle())
        #expect(server.requests.isEmpty)
    }

    @Test("1,500 statuses are written with at most 16 requests on their way")
    func many() throws {
        let harness = try WriterHarness(server)
        for index in 0..<1500 {
            server.addRoute("r\(index)")
            harness.report.tcpRoutes[key("r\(index)")] = RouteStatus(parents: [harness.parent("edge")])
        }
        harness.conclude()
        #expect(waitUntil(deadline: .seconds(50)) { harness.writer.isIdle && server.requests.count >= 1500 })
        #expect(server.requests.count == 1500)
        #expect(server.mostInFlight <= 16)
        #expect((0..<1500).allSatisfy { server.parents("r\($0)").count == 1 })
    }
}
