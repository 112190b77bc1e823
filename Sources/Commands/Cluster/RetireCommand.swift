internal import Controller
public import Observability

/// `sluice retire`: takes what an installation wrote out of a cluster.
public struct RetireCommand: Sendable {
    private let options: RetireOptions
    private let logger: Logger

    public init(options: RetireOptions, logger: Logger) { (self.options, self.logger) = (options, logger) }

    /// What to print, and the exit code: 1 where something is left. Blocks for as long as that takes.
    public func run() throws(StartFailure) -> (output: String, exitCode: Int32) {
        let connection: ClusterConnection
        do {
            connection = try ClusterConnection(options.connection, logger: logger)
        } catch {
            throw StartFailure("sluice retire: \(error)")
        }
        defer { connection.close() }
        let report = Retirement(server: connection.server, settings: settings(connection), logger: logger).run()
        logger.flush()
        return ("\(report)\n", report.isComplete ? 0 : 1)
    }

    private func settings(_ connection: ClusterConnection) -> Retirement.Settings {
        let lease = LeaderElector.Settings(
            namespace: connection.namespace, name: options.leaseName ?? leaseName(of: options.controllerName),
            identity: "retire")
        var settings = Retirement.Settings(
            controllerName: options.controllerName, lease: lease, marker: options.markerConfigMap)
        settings.gatewayClass = options.gatewayClass
        settings.watchNamespaces =
            options.connection.watchNamespaces.isEmpty ? nil : options.connection.watchNamespaces
        settings.timeout = options.timeout
        return settings
    }
}
