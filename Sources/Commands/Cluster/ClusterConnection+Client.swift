internal import HTTPClient
internal import KubernetesClient
internal import Observability
internal import Platform

extension ClusterConnection {
    /// Reads the configuration; nothing is sent yet. Throws what is wrong with it.
    init(_ options: ConnectionOptions, logger: Logger) throws {
        let found = try ClusterConnection.find(options)
        var http = HTTPClientOptions(userAgent: "sluice/\(sluiceVersion) (linux)")
        http.connectTimeout = http.connectTimeout * TestClock.factor
        http.tcpTimeout = http.tcpTimeout * TestClock.factor
        let client = try APIClient(
            configuration: found.configuration, options: http, logger: logger, pluginTimeout: .seconds(60))
        self.init(
            server: client, url: found.configuration.server, namespace: options.namespace ?? found.namespace,
            writeMetrics: { client.counts.append(to: &$0) }, close: { client.close() })
    }

    /// In the order that help gives. A context can only be one of a kubeconfig's.
    private static func find(
        _ options: ConnectionOptions
    ) throws -> (configuration: ClientConfiguration, namespace: String) {
        let environment = variables(["KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
        let namesFile = options.kubeconfig != nil || options.context != nil || environment["KUBECONFIG"] != nil
        if !namesFile, ClientConfiguration.isInCluster(environment: environment) {
            let configuration = try ClientConfiguration.inCluster(environment: environment)
            return (configuration, configuration.namespace)
        }
        do throws(ConfigurationError) {
            let configuration = try ClientConfiguration.kubeconfig(
                path: options.kubeconfig, context: options.context, environment: environment)
            // A context that says nothing, or only what kubectl takes anyway, says nothing about an installation.
            let namespace = configuration.namespace == "default" ? "sluice-system" : configuration.namespace
            return (configuration, namespace)
        } catch {
            guard !namesFile else { throw error }
            throw StartFailure(
                "no cluster to speak to: this is no pod of one, and \(error); --kubeconfig FILE names one, "
                    + "and run --manifests DIR|FILE needs none")
        }
    }

    /// Those that are set and not empty.
    private static func variables(_ names: [String]) -> [String: String] {
        var variables: [String: String] = [:]
        for name in names {
            if let value = Host.environment(name), !value.isEmpty { variables[name] = value }
        }
        return variables
    }
}
