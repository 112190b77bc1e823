internal import EngineModel
internal import Observability
internal import Primitives

enum RunFlags {
    static let manifests = Flag<String?>.optionalText(
        "manifests", "DIR|FILE",
        help: "Folder of YAML or JSON manifests, watched for changes, or one file. Without it a cluster is served.")
    static let probeAddress = Flag<SocketAddress>.address(
        "probe-address", help: "Where /livez, /readyz and /metrics answer.", default: SocketAddress(.anyV6, 8081))
    static let adminAddress = Flag<SocketAddress>.address(
        "admin-address", help: "Where the status page, /config and the other paths for operators answer.",
        default: SocketAddress(.loopbackV4, 19000))
    static let adminHosts = Flag<[String]>.hostNames(
        "admin-hosts", help: "Host names under which the admin address answers beside localhost and loopback addresses."
    )
    static let exposure = Flag<Exposure?>.optionalChoice(
        "exposure",
        help: "How gateways are reached: Host binds listener ports as they are; Service makes a Service for each.",
        fallback: "Service in a cluster, Host with --manifests")
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
    static let acceptGrace = Flag<Duration?>.duration(
        "accept-grace", in: .zero...(.seconds(3600)),
        help: "How long new connections are still accepted after SIGTERM (SIGINT: not at all).",
        fallback: "30s with Service exposure, 10s with Host")
    static let drainDeadline = Flag<Duration>.duration(
        "drain-deadline", in: .zero...(.seconds(86400)),
        help: "How long established connections may go on after the accept grace.", default: "60s")
    static let readinessOnShutdown = Flag<RunOptions.ReadinessOnShutdown>.choice(
        "readiness-on-shutdown",
        help: "What /readyz says during the accept grace; auto: fail with Host, keep with Service.",
        default: .auto)
    static let controllerName = Flag<String>.text(
        "controller-name", "DOMAIN/PATH", help: "The controllerName of GatewayClasses that are served.",
        default: "sluice.dev/gateway-controller")

    static let ticketKeyFile = Flag<String?>.optionalText(
        "tls-ticket-key-file", "FILE",
        help:
            "With --manifests: keys of TLS session tickets, a line each, 80 bytes in base64; the first seals. Else own keys."
    )

    static let zone = Flag<String?>.optionalText(
        "zone", "NAME",
        help: "The zone this process runs in: whose endpoints go first. Without it, in a cluster: that of its node.")
    static let nodeName = Flag<String?>.optionalText(
        "node-name", "NAME", help: "The node this process runs on: for EndpointSlice hints, and to know its zone.")

    static let accessLog = Flag<AccessLogDestination?>(
        "access-log", "WHERE",
        help: "The access log: stdout, stderr, off, or a file, which SIGHUP opens again.",
        allowed: "stdout, stderr, off, or the path of a file", absent: .standardOutput, fallback: "stdout",
        parse: { text -> AccessLogDestination?? in
            switch text {
            case "": .none
            case "off": .some(nil)
            case "stdout": .some(.standardOutput)
            case "stderr": .some(.standardError)
            default: .some(.file(path: text))
            }
        })

    static let handoverSocket = Flag<String?>.optionalText(
        "handover-socket", "PATH",
        help:
            "A Unix socket: a process started with the same path takes over the listening sockets of the one before, which drains."
    )

    static let allowCoreDumps = Flag<Bool>.toggle(
        "allow-core-dumps",
        help: "A crash may leave a core file, with keys in it, and debuggers of the same user may look in.")

    static let all =
        [
            manifests.description, probeAddress.description, adminAddress.description, adminHosts.description,
            exposure.description,
            workers.description, maxConnections.description, bufferMemory.description, logFormat.description,
            logLevel.description, acceptGrace.description, drainDeadline.description, readinessOnShutdown.description,
            controllerName.description, ticketKeyFile.description, zone.description, nodeName.description,
            accessLog.description, handoverSocket.description, allowCoreDumps.description,
        ] + EventFlags.all + ConnectionFlags.all + ClusterFlags.all
}
