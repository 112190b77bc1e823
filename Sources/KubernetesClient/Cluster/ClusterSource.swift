public import KubernetesAPI
public import Observability
public import Platform
public import SnapshotCache

/// A Kubernetes cluster as a source of snapshots: watches the kinds we read, and the Secrets and ConfigMaps that they refer
/// to, and hands over each new state. It has a thread of its own, on which everything is decoded; this handle may be used
/// from any.
public final class ClusterSource: Sendable {
    public struct Options: Sendable {
        /// Where this installation lives: its Services and EndpointSlices are always read.
        public var ownNamespace: String
        /// Nil: the whole cluster. Otherwise only namespaced kinds of these namespaces, with Roles alone.
        public var watchNamespaces: [String]?
        /// Whether Nodes are read; see ``ClusterSource/setWatchesNodes(_:)``.
        public var watchesNodes = false
        /// Quiet that must follow a change before it is handed over, and the longest that changes may put it off.
        public var quiet = Duration.milliseconds(10)
        public var longestDelay = Duration.milliseconds(50)
        /// All delays and time limits are multiplied by it: for tests.
        public var clockFactor = 1.0
        /// Which Secrets and ConfigMaps the objects refer to. Called on the source's thread.
        public var references: @Sendable (ClusterSnapshot) -> ReferencedObjects
        /// A Secret of ``ownNamespace`` that is watched by its name beside the snapshots, which hold no Secret's bytes.
        public var ownSecret: OwnSecret?
        /// Where the objects are kept on disk; nil: nowhere.
        public var cache: Cache?

        /// A cache on disk, and what it had.
        public struct Cache: Sendable {
            public var cache: SnapshotCache
            /// Stands in where the API server says nothing for a few seconds after the start.
            public var loaded: CachedCluster?
            public var includesSecrets: Bool

            public init(_ cache: SnapshotCache, loaded: CachedCluster?, includesSecrets: Bool) {
                (self.cache, self.loaded, self.includesSecrets) = (cache, loaded, includesSecrets)
            }
        }

        /// A Secret of the installation itself.
        public struct OwnSecret: Sendable {
            public var name: String
            /// Called on the source's thread with what is known of it, whenever that changes.
            public var onChange: @Sendable (WatchedSecret) -> Void

            public init(name: String, onChange: @escaping @Sendable (WatchedSecret) -> Void) {
                (self.name, self.onChange) = (name, onChange)
            }
        }

        public init(
            ownNamespace: String, watchNamespaces: [String]? = nil,
            references: @escaping @Sendable (ClusterSnapshot) -> ReferencedObjects
        ) {
            self.ownNamespace = ownNamespace
            self.watchNamespaces = watchNamespaces
            self.references = references
        }
    }

    private enum Life { case idle, running, stopped }

    private let server: any APIServer
    private let options: Options
    private let logger: Logger
    private let mailbox = Monitored(RequestDesk.Mailbox())
    private let life = Locked(Life.idle)
    private let published = Locked(ClusterHealth())
    /// What the cache on disk had, keys included: until the thread takes it, which lets go of it when it is needed no more.
    private let loaded: Locked<CachedCluster?>

    public init(server: any APIServer, options: Options, logger: Logger) {
        loaded = Locked(options.cache?.loaded)
        var rest = options
        rest.cache?.loaded = nil
        (self.server, self.options, self.logger) = (server, rest, logger)
    }

    /// Starts the thread. `onChange` is called on it: first when every watched kind was listed once, then after every
    /// change, and when a certificate begins or ceases to be valid. Throws when the system has no thread left. Only the
    /// first call counts.
    public func start(onChange: @escaping @Sendable (ClusterState) -> Void) throws(Errno) {
        let isFirst = life.withLock { life in
            defer { if life == .idle { life = .running } }
            return life == .idle
        }
        guard isFirst else { return }
        do throws(Errno) {
            try Thread(named: "cluster", wiping: true) { [server, options, loaded, logger, mailbox, published] in
                ClusterLoop(
                    server: server, options: options, loaded: loaded, logger: logger, mailbox: mailbox,
                    publish: { health in published.withLock { $0 = health } }, onChange: onChange
                ).run()
                mailbox.update { $0.stopped = true }
            }.detach()
        } catch {
            life.withLock { $0 = .stopped }
            throw error
        }
    }

    /// Nodes are watched from now on, or no more.
    public func setWatchesNodes(_ watches: Bool) { mailbox.update { $0.watchesNodes = watches } }

    /// How the watches do; at most 100 ms old.
    public var health: ClusterHealth { published.withLock { $0 } }

    /// Ends the thread and waits for it: no call of `onChange` comes after. Not to be called from `onChange`.
    public func stop() {
        let wasRunning = life.withLock { life in
            defer { life = .stopped }
            return life == .running
        }
        guard wasRunning else { return }
        mailbox.update { $0.stopping = true }
        _ = mailbox.wait { $0.stopped ? true : nil }
    }
}
