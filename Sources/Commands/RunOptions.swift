public import EngineModel
public import EventStream
public import Observability
public import Primitives

/// What `sluice run` was asked to do: every value checked.
public struct RunOptions: Sendable {
    public var source: Source
    public var exposure: Exposure
    public var probeAddress: SocketAddress
    public var adminAddress: SocketAddress
    /// Names under which the admin address answers beside loopback ones, in lower case.
    public var adminHosts: [String]
    /// Nil: one per usable processor, at most 16.
    public var workers: Int?
    /// Nil: what descriptors and memory carry.
    public var maxConnections: Int?
    /// Bytes for all pooled buffers and pipes together.
    public var bufferMemory: Int
    public var logFormat: LogFormat
    public var logLevel: Logger.Level
    /// How long SIGTERM leaves the listeners open.
    public var acceptGrace: Duration
    /// How long established connections may go on after that.
    public var drainDeadline: Duration
    public var readinessOnShutdown: ReadinessOnShutdown
    /// Gateways of classes with this controllerName are ours.
    public var controllerName: String
    public var gatewayClass: String
    /// A file of keys for TLS session tickets, only with manifests; nil: they are the process's own.
    public var ticketKeyFile: String?
    /// Where the process runs; nil: not said.
    public var zone: String?
    public var nodeName: String?
    /// Where the access log is written; nil: nowhere.
    public var accessLog: AccessLogDestination?
    /// Where events of closed connections go; nil: there are none.
    public var events: EventSettings?
    /// Where a successor of this process comes for its listening sockets, and this one for those of its predecessor.
    public var handoverSocket: String?
    /// Whether a crash may leave an image of the process, in which there are keys.
    public var allowCoreDumps: Bool

    /// Where the objects come from.
    public enum Source: Sendable, Hashable {
        /// A folder of manifests, or one file.
        case manifests(String)
        case cluster(ClusterOptions)
    }

    /// What /readyz says during the accept grace.
    public enum ReadinessOnShutdown: String, CaseIterable, Sendable {
        /// As the exposure needs it: Host fails at once, because an outside balancer polls /readyz; Service keeps, so
        /// that kube-proxy may still choose the terminating pod (KEP-1669).
        case auto
        case fail
        case keep
    }
}

/// How gateways are reached.
public enum Exposure: String, CaseIterable, Sendable {
    /// Listener ports are bound on this host as they are.
    case host = "Host"
    /// A Kubernetes Service for each Gateway.
    case service = "Service"
}

extension CommandDescription {
    static let run = CommandDescription(
        name: "run", summary: "Serve what a cluster or a folder of manifests describes",
        details: """
            Reads Gateway API objects from a cluster's API server, or with --manifests from a folder, binds the listeners
            of their Gateways and serves their routes. Both are watched: a change is served within milliseconds, and
            established connections are not touched.
            """,
        examples: [
            ("serve the cluster that this pod runs in, or that $KUBECONFIG names", "sluice run"),
            ("serve a folder", "sluice run --manifests /etc/sluice"),
            (
                "serve two namespaces of a cluster on this host's own ports",
                "sluice run --kubeconfig edge.yaml --watch-namespaces shop,bank --exposure Host"
            ),
            (
                "one worker, JSON lines, probes on another port",
                "sluice run --manifests gateway.yaml --workers 1 --log-format json --probe-address 127.0.0.1:9090"
            ),
        ],
        flags: RunFlags.all)
}

extension RunOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        controllerName = try checkedControllerName(arguments, command: "run")
        gatewayClass = arguments.value(ConnectionFlags.gatewayClass) ?? "sluice"
        if let manifests = arguments.value(RunFlags.manifests) {
            try RunOptions.refuseClusterFlags(arguments)
            source = .manifests(manifests)
            ticketKeyFile = arguments.value(RunFlags.ticketKeyFile)
            exposure = .host
        } else {
            guard arguments.value(RunFlags.ticketKeyFile) == nil else {
                throw UsageError(
                    "sluice run: --tls-ticket-key-file needs --manifests: in a cluster replicas share the keys of a Secret"
                )
            }
            source = .cluster(try ClusterOptions(arguments))
            exposure = arguments.value(RunFlags.exposure) ?? .service
        }
        probeAddress = arguments.value(RunFlags.probeAddress)
        adminAddress = arguments.value(RunFlags.adminAddress)
        adminHosts = arguments.value(RunFlags.adminHosts)
        workers = arguments.value(RunFlags.workers)
        maxConnections = arguments.value(RunFlags.maxConnections)
        bufferMemory = arguments.value(RunFlags.bufferMemory)
        logFormat = arguments.value(RunFlags.logFormat)
        logLevel = arguments.value(RunFlags.logLevel)
        accessLog = arguments.value(RunFlags.accessLog)
        events = try EventFlags.settings(arguments)
        handoverSocket = arguments.value(RunFlags.handoverSocket)
        allowCoreDumps = arguments.value(RunFlags.allowCoreDumps)
        acceptGrace = arguments.value(RunFlags.acceptGrace) ?? (exposure == .service ? .seconds(30) : .seconds(10))
        drainDeadline = arguments.value(RunFlags.drainDeadline)
        readinessOnShutdown = arguments.value(RunFlags.readinessOnShutdown)
        zone = arguments.value(RunFlags.zone)
        nodeName = arguments.value(RunFlags.nodeName)
    }

    private static func refuseClusterFlags(_ arguments: ParsedArguments) throws(UsageError) {
        guard arguments.value(RunFlags.exposure) != .service else {
            throw UsageError(
                "sluice run: --exposure: Service needs a cluster, and manifests are not one; allowed with --manifests: Host"
            )
        }
        let needCluster = (ConnectionFlags.all + ClusterFlags.all).filter {
            $0.name != ConnectionFlags.gatewayClass.description.name
        }
        if let flag = needCluster.first(where: { arguments.texts[$0.name] != nil }) {
            throw UsageError(
                "sluice run: --\(flag.name) needs a cluster, and manifests are not one; give either it or --manifests")
        }
    }
}

/// The value of --controller-name: a domain and a path, as GatewayClass.spec.controllerName has it.
func checkedControllerName(_ arguments: ParsedArguments, command: String) throws(UsageError) -> String {
    let name = arguments.value(RunFlags.controllerName)
    let domain = name.firstIndex(of: "/").map { String(name[..<$0]) }
    guard let domain, HostnamePattern.isDNSName(domain) else {
        throw UsageError(
            "sluice \(command): --controller-name: '\(name)' is not allowed; allowed: a domain and a path, such as "
                + "example.com/gateway-controller")
    }
    return name
}
