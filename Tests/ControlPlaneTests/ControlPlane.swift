import Controller
import EngineModel
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import TestSupport
import Translation

/// Everything between an API server and the engine, as `sluice run` joins it: client, caches, loop, writer. The engine is
/// a recorder that binds whatever it is given.
final class ControlPlane: Sendable {
    static let namespace = "sluice-system"

    let target = RecordingTarget()
    private let client: APIClient
    private let source: ClusterSource
    private let controller: Controller
    private let writer: ClusterWriter
    private let submitted = Locked(UInt64(0))

    init(url: String, token: String) throws {
        let kubeconfig = """
            {apiVersion: v1, kind: Config, current-context: test, contexts: [{name: test, context: {cluster: test, user: test}}],
             clusters: [{name: test, cluster: {server: "\(url)"}}], users: [{name: test, user: {token: \(token)}}]}
            """
        let folder = try TemporaryDirectory()
        let path = try folder.write(kubeconfig, to: "kubeconfig")
        let configuration = try ClientConfiguration.kubeconfig(path: path, context: nil, environment: [:])
        client = try APIClient(configuration: configuration, userAgent: "sluice-test", logger: .disabled)
        var options = TranslationOptions()
        options.exposure = .service
        options.installation = .init(namespace: Self.namespace, podLabels: ["app.kubernetes.io/name": "sluice"])
        let translation = options
        source = ClusterSource(
            server: client,
            options: .init(ownNamespace: Self.namespace) { referencedObjects($0, options: translation) },
            logger: .disabled)
        writer = ClusterWriter(
            server: client,
            settings: .init(
                controllerName: options.controllerName, namespace: Self.namespace, marker: nil, instance: "walk"),
            leadership: .always(), logger: .disabled)
        controller = Controller(
            target: target, options: options, logger: .disabled, localAddresses: { [] },
            onOutcome: { [writer] in writer.submit($0) })
    }

    func start() throws {
        try writer.start()
        try controller.start()
        try source.start { [controller, submitted] state in
            submitted.withLock { $0 += 1 }
            controller.submit(state)
        }
    }

    /// Ends in the order of `run`.
    func stop() {
        source.stop()
        controller.stop()
        writer.stop()
        client.close()
    }

    /// Whether a first state has been worked out and everything that follows from what was seen so far is written.
    var isIdle: Bool { submitted.withLock { $0 } > 0 && controller.state.hasApplied && writer.isIdle }

    /// How many states the caches have handed over.
    var states: UInt64 { submitted.withLock { $0 } }
}

/// Takes configurations and says that everything is bound.
final class RecordingTarget: ConfigurationTarget {
    private struct State {
        var configuration: EngineConfiguration?
        var generation: UInt64 = 0
        var mostListeners = 0
        var mostBackends = 0
    }

    private let state = Locked(State())

    func apply(_ configuration: EngineConfiguration) -> Acknowledgement {
        let generation = state.withLock { state in
            state.configuration = configuration
            state.generation += 1
            state.mostListeners = max(state.mostListeners, configuration.listeners.count)
            state.mostBackends = max(state.mostBackends, configuration.backends.count)
            return state.generation
        }
        let bindings = configuration.listeners.flatMap(\.bindings).map { ($0, BindingState.bound) }
        return Acknowledgement(
            generation: generation, bindings: Dictionary(bindings, uniquingKeysWith: { first, _ in first }))
    }

    func onListenerChange(_ body: @escaping @Sendable (Acknowledgement) -> Void) {}

    var configuration: EngineConfiguration? { state.withLock { $0.configuration } }
    /// The most that it served at a time.
    var most: (listeners: Int, backends: Int) { state.withLock { ($0.mostListeners, $0.mostBackends) } }
}
