internal import Controller
public import EngineModel
internal import KubernetesAPI
internal import KubernetesClient
internal import ManifestSource
public import Observability
internal import Platform
internal import Translation

/// `sluice probe`: translates as `run` would, and runs the health check of one backend once.
public struct ProbeCommand: Sendable {
    private let options: ProbeOptions
    private let logger: Logger
    private let prober: any BackendProbing

    /// How long a cluster's objects are waited for.
    private static let patience = Duration.seconds(30)

    public init(options: ProbeOptions, logger: Logger, prober: any BackendProbing) {
        (self.options, self.logger, self.prober) = (options, logger, prober)
    }

    /// What to print, and the exit code: 1 where an endpoint fails, or there is none. Blocks for as long as the checks take.
    public func run() throws(StartFailure) -> (output: String, exitCode: Int32) {
        let backends = try configuration().backends
        let wanted = backends.filter { options.target.fits($0.id) }
        guard !wanted.isEmpty else { throw StartFailure("sluice probe: \(absence(backends))") }
        let report: ProbeReport
        do {
            report = ProbeReport(try wanted.map { ($0, try prober.probe($0)) })
            let output =
                switch options.output {
                case .text: report.text
                case .json: String(decoding: try encodeJSON(report), as: UTF8.self)
                }
            return (output, report.passed ? 0 : 1)
        } catch {
            throw StartFailure("sluice probe: \(error)")
        }
    }

    private func absence(_ backends: [BackendConfiguration]) -> String {
        let names = Set(backends.map { "\($0.id)" }).sorted().prefix(10)
        return "no route leads to \(options.target)"
            + (names.isEmpty ? "; there is no backend at all" : "; there are: \(names.joined(separator: ", "))")
    }

    private func configuration() throws(StartFailure) -> EngineConfiguration {
        var translation = TranslationOptions()
        translation.controllerName = options.controllerName
        translation.defaultClassName = options.gatewayClass
        if let path = options.manifests {
            translation.standalone = true
            let manifests = ManifestSource.load([path], unknownFields: .warning)
            return translate(manifests.snapshot, options: translation).configuration
        }
        return try clusterConfiguration(translation)
    }

    /// One look at a cluster: nothing is written, and what is watched is let go of at once.
    private func clusterConfiguration(_ base: TranslationOptions) throws(StartFailure) -> EngineConfiguration {
        do {
            let connection = try ClusterConnection(options.connection, logger: logger)
            defer { connection.close() }
            var translation = base
            translation.installation = TranslationOptions.Installation(namespace: connection.namespace, podLabels: [:])
            // Ports as they are: no Service is needed for a route to be known.
            translation.exposure = .host
            let watched = options.connection.watchNamespaces
            let finder = Locked(ReferenceFinder(options: translation))
            var sourceOptions = ClusterSource.Options(
                ownNamespace: connection.namespace, watchNamespaces: watched.isEmpty ? nil : watched,
                references: { snapshot in finder.withLock { $0.find(snapshot) } })
            sourceOptions.clockFactor = TestClock.factor
            let source = ClusterSource(server: connection.server, options: sourceOptions, logger: logger)
            let first = Monitored<ClusterSnapshot?>(nil)
            try source.start { state in if state.isSynced { first.update { $0 = $0 ?? state.snapshot } } }
            defer { source.stop() }
            guard let snapshot = first.wait(until: .now() + ProbeCommand.patience, { $0 }) else {
                throw StartFailure("the cluster at \(connection.url) could not be read within \(ProbeCommand.patience)")
            }
            return translate(snapshot, options: translation).configuration
        } catch {
            throw StartFailure("sluice probe: \(error)")
        }
    }
}

extension ProbeTarget: CustomStringConvertible {
    func fits(_ id: BackendID) -> Bool {
        id.namespace == namespace && id.name == name && (kind == nil || kind == id.kind)
            && (port == nil || port == id.port)
    }

    public var description: String {
        (kind.map { "\($0) " } ?? "") + "\(namespace)/\(name)" + (port.map { ":\($0)" } ?? "")
    }
}
