internal import Controller
internal import KubernetesAPI
internal import KubernetesClient
internal import Observability
internal import Platform
internal import SnapshotCache
internal import Translation

/// A cluster as the source of `run`: watches, election and writers. Safe to use from any thread.
final class ClusterRun: SnapshotSource {
    let translation: TranslationOptions
    let connection: ClusterConnection
    let source: ClusterSource
    /// Whether this replica writes.
    let leadership: Leadership
    let writer: ClusterWriter
    let tickets: TicketKeeper?
    /// The last configuration on disk; nil: none is kept.
    let cache: SnapshotCache?
    private let elector: LeaderElector?
    private let logger: Logger
    private let resignation = Monitored(Resignation.none)
    private let watchesNodes = Locked(false)

    private enum Resignation { case none, underway, done }

    /// `translation`: what holds for any source.
    convenience init(_ options: ClusterOptions, run: RunOptions, translation: TranslationOptions, logger: Logger) throws
    {
        let connection = try ClusterConnection(options.connection, logger: logger)
        try self.init(options, run: run, connection: connection, translation: translation, logger: logger)
    }

    init(
        _ options: ClusterOptions, run: RunOptions, connection: ClusterConnection, translation base: TranslationOptions,
        logger: Logger
    ) throws {
        var translation = base
        var installation = TranslationOptions.Installation(
            namespace: connection.namespace, podLabels: options.podSelector)
        installation.ports = options.portRange
        translation.installation = installation
        translation.exposure = run.exposure == .service ? .service : .host
        (self.translation, self.connection, self.logger) = (translation, connection, logger)

        let watched = options.connection.watchNamespaces
        let finder = Locked(ReferenceFinder(options: translation))
        var sourceOptions = ClusterSource.Options(
            ownNamespace: connection.namespace, watchNamespaces: watched.isEmpty ? nil : watched,
            references: { snapshot in finder.withLock { $0.find(snapshot) } })
        sourceOptions.clockFactor = TestClock.factor
        let lease = LeaderElector.Settings(options, run, namespace: connection.namespace)
        elector =
            options.leaderElect
            ? LeaderElector(server: connection.server, settings: lease, logger: logger) : nil
        leadership = elector?.leadership ?? .always()
        let tickets = TicketKeeper(
            .secret(
                ObjectKey(namespace: connection.namespace, name: TicketKeeper.secretName(lease: lease.name)),
                marker: options.markerConfigMap, server: connection.server, leadership: leadership),
            logger: logger, clockFactor: TestClock.factor)
        self.tickets = tickets
        sourceOptions.ownSecret = .init(name: TicketKeeper.secretName(lease: lease.name)) { tickets.take($0) }
        let cache = options.cache.map {
            SnapshotCache($0, controllerName: run.controllerName, connection: connection, logger: logger)
        }
        self.cache = cache
        sourceOptions.cache = cache.map {
            .init($0, loaded: $0.load(), includesSecrets: options.cache?.includesSecrets ?? false)
        }
        source = ClusterSource(server: connection.server, options: sourceOptions, logger: logger)
        writer = ClusterWriter(
            server: connection.server,
            settings: .init(
                controllerName: run.controllerName, namespace: connection.namespace, marker: options.markerConfigMap,
                instance: podName(options)), leadership: leadership, logger: logger)
    }

    var onOutcome: (@Sendable (Outcome) -> Void)? {
        { [source, writer, watchesNodes] outcome in
            writer.submit(outcome)
            // Nodes are read only while a Service of ours is NodePort: its Gateway has their addresses.
            let wanted = outcome.infrastructure.services.contains { $0.type == "NodePort" }
            let isNew = watchesNodes.withLock { watches in
                defer { watches = wanted }
                return watches != wanted
            }
            if isNew { source.setWatchesNodes(wanted) }
        }
    }

    func start(_ controller: Controller) throws {
        try writer.start()
        try elector?.start()
        try cache?.start()
        try source.start { state in controller.submit(state) }
    }

    /// Gives up the Lease on a thread of its own: the API server may be slow to take it.
    func resign() {
        let isFirst = resignation.update { resignation in
            defer { if resignation == .none { resignation = .underway } }
            return resignation == .none
        }
        guard isFirst else { return }
        let (writer, tickets, elector, resignation) = (writer, tickets, elector, resignation)
        do throws(Errno) {
            try Thread(named: "resign") {
                writer.stop()
                tickets?.stop()
                elector?.stop()
                resignation.update { $0 = .done }
            }.detach()
        } catch {
            logger.warning("the Lease is not given back", ["error": LogValue(describing: error)])
            resignation.update { $0 = .done }
        }
    }

    func stop() { source.stop() }

    func close() {
        resign()
        cache?.close()
        _ = resignation.wait { $0 == .done ? true : nil }
        connection.close()
    }
}

extension LeaderElector.Settings {
    /// The Lease is the installation's, which is to say the controller name's.
    fileprivate init(_ options: ClusterOptions, _ run: RunOptions, namespace: String) {
        self.init(
            namespace: namespace, name: options.leaseName ?? leaseName(of: run.controllerName),
            identity: podName(options))
        leaseDuration = leaseDuration * TestClock.factor
        renewDeadline = renewDeadline * TestClock.factor
        retryPeriod = retryPeriod * TestClock.factor
    }
}

/// A controller name as a name of an object: `sluice.dev/gateway-controller` is `sluice.dev-gateway-controller`.
func leaseName(of controllerName: String) -> String {
    let characters = controllerName.lowercased().map { character in
        character.isASCII && (character.isLetter || character.isNumber || character == ".") ? character : "-"
    }
    // Each part between dots is a DNS label: hyphens only inside.
    let parts = String(characters).prefix(253).split(separator: ".").map { part in
        part.split(separator: "-").joined(separator: "-")
    }
    return parts.filter { !$0.isEmpty }.joined(separator: ".")
}

/// This replica's name.
private func podName(_ options: ClusterOptions) -> String {
    if let name = options.podName { return name }
    if let name = Host.environment("POD_NAME"), !name.isEmpty { return name }
    let text = String(decoding: (try? readFile("/proc/sys/kernel/hostname")) ?? [], as: UTF8.self)
    return text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "sluice"
}
