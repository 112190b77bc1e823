internal import Platform
public import Primitives

/// An API server in the test's own process, with the semantics that a client of Kubernetes 1.36 depends on. Plain HTTP/1.1
/// on a loopback address; ``HTTP2Front`` puts TLS and HTTP/2 before it. All methods may be called from any thread.
public final class TestAPIServer: Sendable {
    /// What is fixed for the server's life.
    public struct Options: Sendable {
        public var address = IPAddress.v4(0x7f00_0001)
        /// 0: the kernel chooses.
        public var port: UInt16 = 0
        /// Empty: everyone may do everything, token or not.
        public var tokens: [String: AccessToken] = [:]
        /// Who asks without a token while there are tokens.
        public var anonymous = AccessToken(user: "system:anonymous", rules: [])
        /// How many changes of each kind are kept for watches that resume.
        public var changesKept = 20_000
        /// How often a watch is sent a bookmark.
        public var bookmarkInterval: Duration = .seconds(5)
        /// Whether `sendInitialEvents` is taken (KEP-3157), or refused as older servers do.
        public var offersStreamingLists = true
        /// What a namespace and its content have left after it is deleted.
        public var namespaceTermination: Duration = .milliseconds(50)
        /// How long the cloud takes to give a LoadBalancer Service its address; nil: it never does.
        public var balancerDelay: Duration? = .milliseconds(20)
        /// Balancer addresses count up from here; tests can listen on them.
        public var balancerBase = IPAddress.v4(0x7f14_0000)
        /// Whether clients may write EndpointSlices with loopback addresses, which a real server refuses. The played
        /// endpoint controller and the test itself always may.
        public var allowsLoopbackEndpoints = false
        /// Whether Services may have both families.
        public var isDualStack = true
        /// What kube-root-ca.crt holds.
        public var authorityPEM = ""
        /// A file that keeps the state, for a server that is to be killed and started again; nil: memory alone.
        public var journal: String?
        /// Chooses cluster addresses and node ports.
        public var seed: UInt64 = 1

        public init() {}
    }

    let state: Locked<ClusterState>
    private let listener: HTTPListener
    private let controllers: BackgroundLoop

    /// Starts a server with Gateway API v1.6.1 installed and the namespaces of a new cluster.
    public static func start(_ options: Options = Options()) throws -> TestAPIServer { try TestAPIServer(options) }

    private init(_ options: Options) throws {
        ignoreBrokenPipeSignal()
        let state = Locked(try ClusterState(options: options))
        self.state = state
        listener = try HTTPListener(address: SocketAddress(options.address, options.port), state: state)
        controllers = try BackgroundLoop(state)
    }

    deinit { stop() }

    /// Ends all connections and threads. Idempotent.
    public func stop() {
        listener.close()
        controllers.stop()
    }

    /// Where it listens.
    public var address: SocketAddress { listener.address }
    /// Such as `http://127.0.0.1:43127`.
    public var url: String { "http://\(address)" }

    /// Stops listening and resets every connection: clients are refused until ``listenAgain(keepsWatchCache:)``. The port
    /// stays ours.
    public func stopListening() { listener.close() }

    /// Listens on the same port again. `keepsWatchCache`: whether watches may resume where they were (a restart of a server
    /// whose etcd was compacted: false).
    public func listenAgain(keepsWatchCache: Bool = true) throws {
        if !keepsWatchCache { state.withLock { $0.compact() } }
        try listener.open()
    }

    /// A restart: all connections break, and the server is there again.
    public func restart(keepsWatchCache: Bool = true) throws {
        stopListening()
        try listenAgain(keepsWatchCache: keepsWatchCache)
    }

    /// What goes wrong now. Changing it takes effect at once, in running watches too.
    public var faults: Faults {
        get { state.withLock { $0.faults } }
        set {
            state.withLock { $0.set(newValue) }
        }
    }

    /// Ends every running watch in order.
    public func closeWatches() { state.withLock { $0.closeWatches() } }

    /// How many clients are connected.
    public var connections: Int { listener.connectionCount }

    /// Breaks every connection with RST; new ones are taken.
    public func dropConnections() { listener.dropConnections() }

    /// Forgets the past: what resumes from an older version, or pages through an older list, is told 410.
    public func compact() { state.withLock { $0.compact() } }

    public var statistics: RequestStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.watches = max(0, state.wakers.count - 1)
            return statistics
        }
    }

    /// Tokens may be added and withdrawn while the server runs.
    public var tokens: [String: AccessToken] {
        get { state.withLock { $0.tokens } }
        set { state.withLock { $0.tokens = newValue } }
    }
}
