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
        let translated = try translated()
        tellRefused(translated.statuses)
        let backends = translated.configuration.backends
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

    /// Of policies that do not hold: what they ask for is not in what is probed.
    private func tellRefused(_ statuses: StatusReport) {
        for (key, status) in statuses.backendPolicies.sorted(by: { $0.key < $1.key }) {
            let accepted = status.ancestors.flatMap(\.conditions).filter { $0.type == .accepted }
            guard let condition = accepted.first(where: { $0.status == .false }) else { continue }
            logger.error(
                "policy is not accepted",
                [
                    LogKey.object: LogValue("\(BackendPolicy.resourceKind.kind) \(key)"),
                    "reason": LogValue(condition.reason.rawValue), "detail": LogValue(condition.message),
                ])
        }
    }

    /// Nothing is probed where something cannot be read: it might say how.
    private func manifests(_ path: String) throws(StartFailure) -> ManifestSnapshot {
        let manifests = ManifestSource.load([path], unknownFields: .warning)
        let errors = manifests.problems.filter { $0.severity == .error }
        guard errors.isEmpty else {
            throw StartFailure("sluice probe: \(errors.map { "\($0)" }.joined(separator: "; "))")
        }
        return manifests
    }

    private func translated() throws(StartFailure) -> TranslationResult {
        var translation = TranslationOptions()
        translation.controllerName = options.controllerName
        translation.defaultClassName = options.gatewayClass
        if let path = options.manifests {
            translation.standalone = true
            return translate(try manifests(path).snapshot, options: translation)
        }
        return try clusterTranslation(translation)
    }

    /// One look at a cluster: nothing is written, and what is watched is let go of at once.
    private func clusterTranslation(_ base: TranslationOptions) throws(StartFailure) -> TranslationResult {
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
            return translate(snapshot, options: translation)
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
