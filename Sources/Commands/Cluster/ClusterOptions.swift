/// How a cluster is reached, and which installation of Sluice in it this process belongs to: what the commands that
/// speak to an API server share.
public struct ConnectionOptions: Sendable, Hashable {
    /// A file that was named; nil: found as ``ConnectionFlags/kubeconfig`` says.
    public var kubeconfig: String?
    /// Nil: the kubeconfig's current context.
    public var context: String?
    /// The installation's own; nil: found as ``ConnectionFlags/namespace`` says.
    public var namespace: String?
    /// Only these, with rights of Roles alone; empty: all.
    public var watchNamespaces: [String]
}

/// What `sluice run` does in a cluster.
public struct ClusterOptions: Sendable, Hashable {
    public var connection: ConnectionOptions
    /// Where the ports that are bound under Service exposure come from.
    public var portRange: ClosedRange<UInt16>
    /// The labels by which the Services select this installation's pods.
    public var podSelector: [String: String]
    /// Owner of the Services, in the installation's namespace.
    public var markerConfigMap: String
    /// Whether a Lease decides who writes; false: this process does.
    public var leaderElect: Bool
    /// Nil: derived from the controller name.
    public var leaseName: String?
    /// This replica, as the holder of the Lease is called; nil: $POD_NAME, else the host's name.
    public var podName: String?
    /// Nil: nothing is kept on disk.
    public var cache: CacheOptions?
}

enum ConnectionFlags {
    static let kubeconfig = Flag<String?>.optionalText(
        "kubeconfig", "FILE",
        help: "How to reach the API server. Without it: the files of $KUBECONFIG, then the pod's own service account, "
            + "then ~/.kube/config.")
    static let context = Flag<String?>.optionalText(
        "context", "NAME", help: "The context of the kubeconfig, rather than its current one.")
    static let namespace = Flag<String?>.objectName(
        "namespace",
        help:
            "The installation's own namespace, for its Services and its Lease. Without it: the pod's, else that of the "
            + "context, else sluice-system.", isLabel: true)
    static let gatewayClass = Flag<String?>.objectName(
        "gateway-class", help: "The class that is served unread with --watch-namespaces, or from manifests.",
        fallback: "sluice")
    static let watchNamespaces = Flag<[String]>.namespaces(
        "watch-namespaces", help: "Watch these namespaces only, with rights of Roles alone. Without it: all of them.")

    static let all = [
        kubeconfig.description, context.description, namespace.description, gatewayClass.description,
        watchNamespaces.description,
    ]
}

enum ClusterFlags {
    static let portRange = Flag<ClosedRange<UInt16>>.portRange(
        "port-range", help: "The ports that are bound for listeners with Service exposure.", default: "20000-29999")
    static let podSelector = Flag<[String: String]>.labels(
        "pod-selector", help: "Labels by which the Services of Gateways select this installation's pods.",
        default: "app.kubernetes.io/name=sluice,app.kubernetes.io/instance=sluice")
    static let markerConfigMap = Flag<String?>.objectName(
        "marker-config-map",
        help: "A ConfigMap in the installation's namespace that owns the Services of Gateways: they go when it goes.",
        fallback: "sluice")
    static let leaderElect = Flag<Bool>.boolean(
        "leader-elect", help: "Elect by a Lease who writes status and Services; false only for a single replica.",
        default: true)
    static let leaseName = Flag<String?>.objectName(
        "lease-name", help: "The Lease, in the installation's namespace.", fallback: "from the controller name")
    static let podName = Flag<String?>.optionalText(
        "pod-name", "NAME", help: "This replica's name in the Lease. Without it: $POD_NAME, else the host's name.")

    /// Those that mean nothing without a cluster.
    static let all =
        [
            portRange.description, podSelector.description, markerConfigMap.description, leaderElect.description,
            leaseName.description, podName.description,
        ] + CacheFlags.all
}

extension ConnectionOptions {
    init(_ arguments: ParsedArguments) {
        kubeconfig = arguments.value(ConnectionFlags.kubeconfig)
        context = arguments.value(ConnectionFlags.context)
        namespace = arguments.value(ConnectionFlags.namespace)
        watchNamespaces = arguments.value(ConnectionFlags.watchNamespaces)
    }
}

extension ClusterOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        connection = ConnectionOptions(arguments)
        portRange = arguments.value(ClusterFlags.portRange)
        podSelector = arguments.value(ClusterFlags.podSelector)
        markerConfigMap = arguments.value(ClusterFlags.markerConfigMap) ?? "sluice"
        leaderElect = arguments.value(ClusterFlags.leaderElect)
        leaseName = arguments.value(ClusterFlags.leaseName)
        podName = arguments.value(ClusterFlags.podName)
        cache = try CacheOptions(arguments)
        if !leaderElect, leaseName != nil {
            throw UsageError("sluice run: --lease-name means nothing with --leader-elect=false")
        }
    }
}
