import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestAPIServer
import TestSupport
import Translation

@testable import Controller

/// One replica of an installation without its engine: caches, loop, election and writer before a real API over HTTP.
final class TestReplica {
    let client: APIClient
    let source: ClusterSource
    let controller: Controller
    let elector: LeaderElector
    let writer: ClusterWriter
    let target = RecordingTarget()
    let log = MemoryLog()
    let writes: WatchedWrites
    private var isStopped = false

    init(_ server: TestAPIServer, controllerName: String = "sluice.dev/gateway-controller", name: String = "a") throws {
        let logger = Logger(recordingTo: log, minimumLevel: .info)
        let client = try APIClient(
            configuration: ClientConfiguration(server: server.url), userAgent: "sluice/test", logger: logger)
        var options = TranslationOptions()
        options.controllerName = controllerName
        options.exposure = .service
        options.installation = .init(namespace: "sluice-system", podLabels: ["app": "sluice"])
        var settings = LeaderElector.Settings(
            namespace: "sluice-system", name: String(controllerName.map { $0 == "/" ? "-" : $0 }), identity: name)
        settings.leaseDuration = .milliseconds(1500)
        settings.renewDeadline = .milliseconds(1000)
        settings.retryPeriod = .milliseconds(50)
        elector = LeaderElector(server: client, settings: settings, logger: logger)
        let writes = WatchedWrites(client)
        let writer = ClusterWriter(
            server: writes,
            settings: .init(
                controllerName: controllerName, namespace: "sluice-system", marker: "sluice", instance: name),
            leadership: elector.leadership, logger: logger)
        let controller = Controller(
            target: target, options: options, logger: logger, localAddresses: { [] },
            onOutcome: { writer.submit($0) })
        var sourceOptions = ClusterSource.Options(
            ownNamespace: "sluice-system", references: { [options] in referencedObjects($0, options: options) })
        sourceOptions.clockFactor = 0.05
        source = ClusterSource(server: client, options: sourceOptions, logger: logger)
        (self.client, self.writer, self.controller, self.writes) = (client, writer, controller, writes)
        try controller.start()
        try writer.start()
        try elector.start()
        try source.start { controller.submit($0) }
    }

    deinit { stop() }

    /// As a process ends: the Lease is given back.
    func stop() {
        guard !isStopped else { return }
        isStopped = true
        source.stop()
        controller.stop()
        writer.stop()
        elector.stop()
        client.close()
    }

    /// As one is killed: nothing is given back.
    func kill() {
        client.close()
        stop()
    }
}

extension TestAPIServer {
    static func forReplicas() throws -> TestAPIServer {
        let server = try TestAPIServer.start()
        try server.create(
            yaml: """
                apiVersion: v1
                kind: Namespace
                metadata: {name: sluice-system}
                ---
                apiVersion: v1
                kind: ConfigMap
                metadata: {name: sluice, namespace: sluice-system}
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: GatewayClass
                metadata: {name: sluice}
                spec: {controllerName: sluice.dev/gateway-controller}
                """)
        return server
    }

    /// A Gateway with a TCP listener per port. `mark`: makes it differ from the one before.
    func putGateway(_ name: String, class gatewayClass: String = "sluice", ports: [Int], mark: Int = 0) throws {
        let listeners = ports.map {
            "{name: p\($0), port: \($0), protocol: TCP, allowedRoutes: {namespaces: {from: All}}}"
        }
        try put(
            yaml: """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: \(name), namespace: default, annotations: {mark: "\(mark)"}}
                spec: {gatewayClassName: \(gatewayClass), listeners: [\(listeners.joined(separator: ", "))]}
                """)
    }

    func putRoute(_ name: String, parents: [String], backend: String = "db", mark: Int = 0) throws {
        let parents = parents.map { "{name: \($0)}" }.joined(separator: ", ")
        try put(
            yaml: """
                apiVersion: gateway.networking.k8s.io/v1
                kind: TCPRoute
                metadata: {name: \(name), namespace: default, annotations: {mark: "\(mark)"}}
                spec: {parentRefs: [\(parents)], rules: [{backendRefs: [{name: \(backend), port: 5432}]}]}
                """)
    }

    func putService(_ name: String, mark: Int = 0) throws {
        try put(
            yaml: """
                apiVersion: v1
                kind: Service
                metadata: {name: \(name), namespace: default, annotations: {mark: "\(mark)"}}
                spec: {selector: {app: \(name)}, ports: [{port: 5432}]}
                """)
    }

    /// The status of a condition; nil where there is none. `controller`: of the entry of a route.
    func condition(
        _ kind: String, _ name: String, _ type: String, controller: String = "sluice.dev/gateway-controller"
    ) -> String? {
        let status = object(kind, kind == "GatewayClass" ? "" : "default", name)?["status"]
        let entry = status?["parents"]?.elements?.first { $0["controllerName"]?.text == controller }
        let conditions = (entry ?? status)?["conditions"]?.elements ?? []
        return conditions.first { $0["type"]?.text == type }?["status"]?.text
    }

    /// How many writes there were of a part of the paths.
    func writes(_ part: String) -> Int {
        statistics.counts.filter { !$0.key.hasPrefix("GET") && !$0.key.hasPrefix("WATCH") && $0.key.contains(part) }
            .values.reduce(0, +)
    }
}
