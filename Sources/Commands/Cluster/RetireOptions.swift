public import Observability

/// What `sluice retire` was asked to do.
public struct RetireOptions: Sendable {
    public var connection: ConnectionOptions
    /// What classes with this controllerName wrote is taken back.
    public var controllerName: String
    public var gatewayClass: String
    public var markerConfigMap: String
    /// Nil: derived from the controller name.
    public var leaseName: String?
    /// How long it may take in all.
    public var timeout: Duration
    public var logFormat: LogFormat
    public var logLevel: Logger.Level
}

enum RetireFlags {
    static let timeout = Flag<Duration>.duration(
        "timeout", in: .seconds(1)...(.seconds(3600)), help: "How long it may take in all.", default: "2m")
}

extension CommandDescription {
    static let retire = CommandDescription(
        name: "retire", summary: "Take an installation's statuses and Services out of a cluster",
        details: """
            Removes from the API server what this installation wrote there: its entries in the statuses of Gateways,
            routes and policies, and the Services of its Gateways. Run it when the installation is taken away, for
            instance before its manifests are deleted; replicas that still run are kept from writing meanwhile. It may be
            run again. Exits with 1 when something is left.
            """,
        examples: [
            ("from within the cluster", "sluice retire"),
            ("from outside", "sluice retire --kubeconfig ~/.kube/config --namespace sluice-system"),
        ],
        flags: ConnectionFlags.all + [
            ClusterFlags.markerConfigMap.description, ClusterFlags.leaseName.description,
            RunFlags.controllerName.description, RetireFlags.timeout.description, RunFlags.logFormat.description,
            RunFlags.logLevel.description,
        ])
}

extension RetireOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        connection = ConnectionOptions(arguments)
        controllerName = try checkedControllerName(arguments, command: "retire")
        gatewayClass = arguments.value(ConnectionFlags.gatewayClass) ?? "sluice"
        markerConfigMap = arguments.value(ClusterFlags.markerConfigMap) ?? "sluice"
        leaseName = arguments.value(ClusterFlags.leaseName)
        timeout = arguments.value(RetireFlags.timeout)
        logFormat = arguments.value(RunFlags.logFormat)
        logLevel = arguments.value(RunFlags.logLevel)
    }
}
