import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Translation

@testable import Controller

/// A writer before a fake API server, and what the watch would show it.
final class WriterHarness {
    let server: FakeAPIServer
    let leadership: Leadership
    let writer: ClusterWriter
    let log = MemoryLog()
    let controllerName: String
    var report = StatusReport()
    var infrastructure = Infrastructure()
    var snapshot = ClusterSnapshot(asOf: 0)
    private var revision: UInt64 = 0

    init(
        _ server: FakeAPIServer, controllerName: String = "sluice.dev/gateway-controller", marker: String? = nil,
        leadership: Leadership = .always()
    ) throws {
        (self.server, self.controllerName, self.leadership) = (server, controllerName, leadership)
        writer = ClusterWriter(
            server: server,
            settings: .init(controllerName: controllerName, namespace: "sys", marker: marker, instance: "sluice-0"),
            leadership: leadership, logger: Logger(recordingTo: log))
        try writer.start()
    }

    deinit { writer.stop() }

    /// Hands over what was concluded, with what the server has.
    func conclude() {
        revision += 1
        show()
    }

    /// The watch shows what the server has; nothing new was concluded.
    func show() {
        writer.submit(
            Outcome(
                revision: revision, statuses: report, infrastructure: infrastructure, snapshot: snapshot,
                observed: server.observed))
    }

    /// Concludes, and lets the watch show what was written until nothing is left to write.
    func settle() -> Bool {
        conclude()
        return waitUntil(deadline: .seconds(20)) {
            guard writer.isIdle else { return false }
            // Nothing is left to write when what was written is shown, and leads to nothing.
            let before = server.requests.count
            show()
            return waitUntil { writer.isIdle } && server.requests.count == before
        }
    }

    func parent(_ name: String, _ status: Condition.Status = .true) -> RouteParentStatus {
        RouteParentStatus(
            parentRef: ParentReference(name: name), controllerName: controllerName,
            conditions: [Condition(.accepted, status, .accepted, observedGeneration: 1)])
    }
}

extension FakeAPIServer {
    static let routes = "/apis/gateway.networking.k8s.io/v1/namespaces/default/tcproutes"

    /// Every object's status, as informers would have it.
    var observed: ObservedStatuses {
        var result = ObservedStatuses()
        for kind in StatusKind.allCases {
            for path in paths("/\(kind.resource.plural)/") {
                guard let object = object(path), let metadata = object["metadata"] else { continue }
                let parts = path.split(separator: "/").map(String.init)
                let namespace = kind.resource.namespaced ? parts[parts.count - 3] : ""
                result.byKind[kind.rawValue, default: [:]][
                    ObjectKey(namespace: namespace, name: parts[parts.count - 1])] =
                    ObservedStatus(
                        uid: metadata["uid"]?.text ?? "", resourceVersion: metadata["resourceVersion"]?.text ?? "",
                        generation: metadata["generation"]?.integer, version: "v1", status: object["status"])
            }
        }
        return result
    }

    func addRoute(_ name: String, status: JSONValue? = nil) {
        put("\(FakeAPIServer.routes)/\(name)") { object in
            object["metadata"] = .object([
                "name": .string(name), "namespace": .string("default"), "generation": .integer(1),
            ])
            object["status"] = status
        }
    }

    func parents(_ name: String) -> [JSONValue] {
        object("\(FakeAPIServer.routes)/\(name)")?["status"]?["parents"]?.elements ?? []
    }
}

func key(_ name: String, _ namespace: String = "default") -> ObjectKey { ObjectKey(namespace: namespace, name: name) }
