public import Observability
public import Primitives

/// What `sluice run` was asked to do: every value checked.
public struct RunOptions: Sendable {
    /// A folder of manifests, or one file.
    public var manifests: String
    public var probeAddress: SocketAddress
    public var adminAddress: SocketAddress
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

    /// What /readyz says during the accept grace.
    public enum ReadinessOnShutdown: String, CaseIterable, Sendable {
        /// As the exposure needs it: Host fails at once.
        case auto
        case fail
        case keep
    }
}

/// How gateways are reached.
enum Exposure: String, CaseIterable, Sendable {
    /// Listener ports are bound on this host as they are.
    case host = "Host"
    /// A Kubernetes Service for each Gateway.
    case service = "Service"
}

enum RunFlags {
    static let manifests = Flag<String>.text(
        "manifests", "DIR|FILE", help: "Folder of YAML or JSON manifests, watched for changes, or one file.",
        isRequired: true)
    static let probeAddress = Flag<SocketAddress>.address(
        "probe-address", help: "Where /livez, /readyz and /metrics answer.", default: SocketAddress(.anyV6, 8081))
    static let adminAddress = Flag<SocketAddress>.address(
        "admin-address", help: "Where /config answers.", default: SocketAddress(.loopbackV4, 19000))
    static let exposure = Flag<Exposure>.choice(
        "exposure", help: "How gateways are reached: Host binds listener ports as they are; Service needs a cluster.",
        default: .host)
    static let workers = Flag<Int?>.integer(
        "workers", in: 1...64, help: "Threads that move bytes.", fallback: "one per usable processor, at most 16")
    static let maxConnections = Flag<Int?>.integer(
        "max-connections", in: 1...10_000_000, help: "Client connections at a time; beyond it the backlog queues.",
        fallback: "what descriptors and memory carry")
    static let bufferMemory = Flag<Int>.size(
        "buffer-memory", in: 1 << 20...1 << 40, help: "Memory for buffers and pipes in all.", default: "64Mi")
    static let logFormat = Flag<LogFormat>.choice(
        "log-format", help: "Form of log lines; auto is text on a terminal and JSON elsewhere.", default: .auto)
    static let logLevel = Flag<Logger.Level>.choice(
        "log-level", help: "The least level that is logged.", default: .info)
    static let acceptGrace = Flag<Duration>.duration(
        "accept-grace", in: .zero...(.seconds(3600)),
        help: "How long new connections are still accepted after SIGTERM (SIGINT: not at all).", default: "10s")
    static let drainDeadline = Flag<Duration>.duration(
        "drain-deadline", in: .zero...(.seconds(86400)),
        help: "How long established connections may go on after the accept grace.", default: "60s")
    static let readinessOnShutdown = Flag<RunOptions.ReadinessOnShutdown>.choice(
        "readiness-on-shutdown", help: "What /readyz says during the accept grace; auto fails at once with Host.",
        default: .auto)
    static let controllerName = Flag<String>.text(
        "controller-name", "DOMAIN/PATH", help: "The controllerName of GatewayClasses that are served.",
        default: "sluice.dev/gateway-controller")

    static let all = [
        manifests.description, probeAddress.description, adminAddress.description, exposure.description,
        workers.description, maxConnections.description, bufferMemory.description, logFormat.description,
        logLevel.description, acceptGrace.description, drainDeadline.description, readinessOnShutdown.description,
        controllerName.description,
    ]
}

extension CommandDescription {
    static let run = CommandDescription(
        name: "run", summary: "Serve what a folder of manifests describes",
        details: """
            Reads Gateway API manifests from a folder, binds the listeners of its Gateways and serves their routes. The
            folder is watched: a change is served within milliseconds, and established connections are not touched.
            """,
        examples: [
            ("serve a folder", "sluice run --manifests /etc/sluice"),
            (
                "one worker, JSON lines, probes on another port",
                "sluice run --manifests gateway.yaml --workers 1 --log-format json --probe-address 127.0.0.1:9090"
            ),
        ],
        flags: RunFlags.all)
}

extension RunOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        guard arguments.value(RunFlags.exposure) == .host else {
            throw UsageError(
                "sluice run: --exposure: Service needs a cluster, and manifests are not one; allowed with --manifests: Host"
            )
        }
        let controllerName = arguments.value(RunFlags.controllerName)
        guard
            controllerName.firstIndex(of: "/").map({ HostnamePattern.isDNSName(String(controllerName[..<$0])) })
                ?? false
        else {
            throw UsageError(
                "sluice run: --controller-name: '\(controllerName)' is not allowed; allowed: a domain and a path, such as "
                    + "example.com/gateway-controller")
        }
        manifests = arguments.value(RunFlags.manifests)
        probeAddress = arguments.value(RunFlags.probeAddress)
        adminAddress = arguments.value(RunFlags.adminAddress)
        workers = arguments.value(RunFlags.workers)
        maxConnections = arguments.value(RunFlags.maxConnections)
        bufferMemory = arguments.value(RunFlags.bufferMemory)
        logFormat = arguments.value(RunFlags.logFormat)
        logLevel = arguments.value(RunFlags.logLevel)
        acceptGrace = arguments.value(RunFlags.acceptGrace)
        drainDeadline = arguments.value(RunFlags.drainDeadline)
        readinessOnShutdown = arguments.value(RunFlags.readinessOnShutdown)
        self.controllerName = controllerName
    }
}
