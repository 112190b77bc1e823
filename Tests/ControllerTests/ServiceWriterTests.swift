import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("Service writer", .timeLimit(.minutes(1)))
struct ServiceWriterTests {
    private let server: FakeAPIServer
    private let path = "/api/v1/namespaces/sys/services/sluice-edge"
    private let markerPath = "/api/v1/namespaces/sys/configmaps/sluice"

    init() throws {
        server = try FakeAPIServer()
        server.put(markerPath) { $0["metadata"] = .object(["name": .string("sluice"), "uid": .string("marker-uid")]) }
    }

    private func desired(ports: [UInt16: UInt16] = [5432: 20000], controller: String = "one") -> DesiredService {
        let labels = Dictionary(uniqueKeysWithValues: ServiceNames.identity.map { ($0, "x") })
            .merging([ServiceNames.controller: controller]) { $1 }
        var service = DesiredService(
            key: key("sluice-edge", "sys"), gateway: key("edge"), labels: labels, annotations: ["team": "a"],
            type: "LoadBalancer",
            ports: ports.keys.sorted().map { .init(name: "tcp-\($0)", port: $0, targetPort: ports[$0] ?? 0) },
            selector: ["app": "sluice"])
        service.externalTrafficPolicy = "Local"
        return service
    }

    /// What the watch shows of the Services, and the writer makes of it, until nothing changes any more.
    private func settle(_ harness: WriterHarness) -> Bool {
        waitUntil(deadline: .seconds(20)) {
            guard harness.writer.isIdle else { return false }
            let before = server.requests.count
            harness.snapshot.services = server.services
            harness.conclude()
            return waitUntil { harness.writer.isIdle } && server.requests.count == before
        }
    }

    @Test("a Service is applied with its owner by the field manager, and not again when it stands as it shall")
    func create() throws {
        let harness = try WriterHarness(server, marker: "sluice")
        harness.infrastructure.services = [desired()]
        #expect(settle(harness))
        for _ in 0..<5 { #expect(settle(harness)) }
        let applied = server.requests(.patch, "/services/")
        #expect(applied.count == 1)
        #expect(applied.first?.contentType == "application/apply-patch+yaml")
        #expect(applied.first?.query.map(\.value) == ["sluice", "false"])
        let service = try #require(server.object(path))
        #expect(service["metadata"]?["ownerReferences"]?.elements?.first?["uid"]?.text == "marker-uid")
        #expect(service["spec"]?["ports"]?.elements?.first?["targetPort"]?.integer == 20000)
        #expect(service["spec"]?["externalTrafficPolicy"]?.text == "Local")
    }

    @Test("what others add is left; what they change back is applied again, with force")
    func drift() throws {
        let harness = try WriterHarness(server, marker: "sluice")
        harness.infrastructure.services = [desired()]
        #expect(settle(harness))
        server.put(path) { object in
            object["metadata"] = object["metadata"]?.merging(
                .object(["annotations": .object(["cloud": .string("yes")])]))
            object["status"] = .object(["loadBalancer": .object([:])])
        }
        #expect(settle(harness))
        #expect(server.requests(.patch, "/services/").count == 1)
        server.put(path) { object in
            object["spec"] = object["spec"]?.merging(.object(["externalTrafficPolicy": .string("Cluster")]))
        }
        #expect(settle(harness))
        let applied = server.requests(.patch, "/services/")
        #expect(applied.count == 2)
        #expect(applied.last?.query.map(\.value) == ["sluice", "true"])
        #expect(server.object(path)?["spec"]?["externalTrafficPolicy"]?.text == "Local")
        #expect(server.object(path)?["metadata"]?["annotations"]?["cloud"]?.text == "yes")
    }

    @Test("an annotation that is no longer wanted is noticed, also by a new leader")
    func lessWanted() throws {
        var harness = try WriterHarness(server, marker: "sluice")
        harness.infrastructure.services = [desired()]
        #expect(settle(harness))
        harness.writer.stop()
        harness = try WriterHarness(server, marker: "sluice")
        var service = desired()
        service.annotations = [:]
        harness.infrastructure.services = [service]
        #expect(settle(harness))
        #expect(server.requests(.patch, "/services/").count == 2)
    }

    @Test("an annotation of a Gateway's that is the writer's own is not taken: it would be applied again and again")
    func ownAnnotation() throws {
        let harness = try WriterHarness(server, marker: "sluice")
        var service = desired()
        service.annotations["sluice.dev/applied"] = "x"
        harness.infrastructure.services = [service]
        #expect(settle(harness))
        let successor = try WriterHarness(server, marker: "sluice")
        successor.infrastructure.services = [service]
        #expect(settle(successor))
        #expect(server.requests(.patch, "/services/").count == 1)
    }

    @Test("a field that cannot change makes the Service go and come again")
    func recreate() throws {
        let harness = try WriterHarness(server, marker: "sluice")
        harness.infrastructure.services = [desired()]
        #expect(settle(harness))
        let first = try #require(server.object(path)?["metadata"]?["uid"]?.text)
        var service = desired()
        (service.loadBalancerClass, service.mustRecreate) = ("new", true)
        harness.infrastructure.services = [service]
        harness.snapshot.services = server.services
        harness.conclude()
        #expect(waitUntil { server.object(path) == nil })
        #expect(
            server.requests(.delete, "/services/").first?.body.flatMap { JSONValue(bytes: $0) }?["preconditions"]?[
                "uid"]?.text == first)
        harness.infrastructure.services[0].mustRecreate = false
        #expect(settle(harness))
        #expect(server.object(path)?["spec"]?["loadBalancerClass"]?.text == "new")
        #expect(server.object(path)?["metadata"]?["uid"]?.text != first)
    }

    @Test("stale Services of ours are deleted; what lacks our labels is never touched")
    func stale() throws {
        let harness = try WriterHarness(server, marker: "sluice")
        harness.infrastructure.services = [desired()]
        #expect(settle(harness))
        let foreign = "/api/v1/namespaces/sys/services/sluice-foreign"
        server.put(foreign) { object in
            object["metadata"] = .object(["name": .string("sluice-foreign"), "labels": .object(["a": .string("b")])])
        }
        harness.infrastructure.services = []
        harness.infrastructure.staleServices = [key("sluice-edge", "sys"), key("sluice-foreign", "sys")]
        #expect(settle(harness))
        #expect(server.object(path) == nil)
        #expect(server.object(foreign) != nil)
        #expect(server.requests(.delete, "/services/").count == 1)
    }

    @Test("a Service of the name that is another installation's, or nobody's, is left alone and named in the log")
    func foreign() throws {
        server.put(path) { object in
            object["metadata"] = .object([
                "name": .string("sluice-edge"),
                "labels": .object(desired(controller: "two").labels.mapValues(JSONValue.string)),
            ])
        }
        let harness = try WriterHarness(server, marker: "sluice")
        harness.infrastructure.services = [desired()]
        #expect(settle(harness))
        #expect(server.requests(.patch, "/services/").isEmpty)
        #expect(harness.log.waitForEntry { $0.text("object")?.contains("Service sys/sluice-edge") == true } != nil)
    }

    @Test("without the marker the Services are made without an owner, and that is said")
    func noMarker() throws {
        server.remove(markerPath)
        let harness = try WriterHarness(server, marker: "sluice")
        harness.infrastructure.services = [desired()]
        #expect(settle(harness))
        #expect(server.object(path)?["metadata"]?["ownerReferences"] == nil)
        #expect(harness.log.entries.contains { $0.text("object") == "ConfigMap sys/sluice" })
    }

    @Test("a refusal of one Service holds back no other")
    func refused() throws {
        server.fail(.fake(422, "Invalid"), times: 100) { $0.path.hasSuffix("sluice-edge") }
        let harness = try WriterHarness(server, marker: "sluice")
        var other = desired(ports: [443: 20001])
        other.key.name = "sluice-other"
        harness.infrastructure.services = [desired(), other]
        harness.conclude()
        #expect(waitUntil { server.object("/api/v1/namespaces/sys/services/sluice-other") != nil })
        #expect(harness.log.waitForEntry { $0.level == .error }?.text("object") == "Service sys/sluice-edge")
        for _ in 0..<5 { harness.conclude() }
        #expect(waitUntil { harness.writer.isIdle })
        #expect(server.requests(.patch, "sluice-edge").count == 1)
    }
}

extension FakeAPIServer {
    /// The Services as a cache would have them.
    var services: [ObjectKey: Service] {
        var result: [ObjectKey: Service] = [:]
        for path in paths("/services/") {
            guard let object = object(path), let metadata = object["metadata"], let name = metadata["name"]?.text else {
                continue
            }
            func texts(_ value: JSONValue?) -> [String: String]? { value?.fields?.compactMapValues(\.text) }
            var spec = Service.Spec(type: object["spec"]?["type"]?.text)
            spec.ports = object["spec"]?["ports"]?.elements?.map { port in
                Service.Port(
                    name: port["name"]?.text, port: Int(port["port"]?.integer ?? 0), protocol: port["protocol"]?.text,
                    targetPort: port["targetPort"]?.integer.map { .number(Int($0)) })
            }
            spec.selector = texts(object["spec"]?["selector"])
            spec.externalTrafficPolicy = object["spec"]?["externalTrafficPolicy"]?.text
            spec.loadBalancerClass = object["spec"]?["loadBalancerClass"]?.text
            result[key(name, "sys")] = Service(
                metadata: ObjectMeta(
                    name: name, namespace: "sys", uid: metadata["uid"]?.text, labels: texts(metadata["labels"]),
                    annotations: texts(metadata["annotations"])),
                spec: spec)
        }
        return result
    }
}
