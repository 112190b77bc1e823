internal import KubernetesClient
internal import Observability
internal import SnapshotCache

/// Where `sluice run` keeps the last configuration on disk.
public struct CacheOptions: Sendable, Hashable {
    public var directory: String
    /// Seals it; nil: a checksum alone.
    public var keyFile: String?
    /// Whether Secrets are kept too; only with a key.
    public var includesSecrets: Bool
    /// Older ones are not served; nil: any age will do.
    public var maxAge: Duration?
}

enum CacheFlags {
    static let directory = Flag<String?>.optionalText(
        "cache-directory", "DIR",
        help: "Folder that keeps the last configuration, served at a start while the API server does not answer.")
    static let keyFile = Flag<String?>.optionalText(
        "cache-key-file", "FILE",
        help: "Keys that encrypt it, a line each, 32 bytes in base64; the first seals, all open. Else a checksum.")
    static let secrets = Flag<Bool>.boolean(
        "cache-secrets", help: "Keep Secrets too, with their private keys; only with --cache-key-file.", default: false)
    static let maxAge = Flag<Duration?>.duration(
        "cache-max-age", in: .seconds(1)...(.seconds(99_999 * 3600)),
        help: "What is older is not served.", fallback: "any age")

    static let all = [directory.description, keyFile.description, secrets.description, maxAge.description]
}

extension CacheOptions {
    /// Nil: no cache was asked for.
    init?(_ arguments: ParsedArguments) throws(UsageError) {
        guard let directory = arguments.value(CacheFlags.directory) else {
            if let flag = CacheFlags.all.first(where: { arguments.texts[$0.name] != nil }) {
                throw UsageError("sluice run: --\(flag.name) needs --cache-directory, which says where the cache is")
            }
            return nil
        }
        self.directory = directory
        keyFile = arguments.value(CacheFlags.keyFile)
        includesSecrets = arguments.value(CacheFlags.secrets)
        maxAge = arguments.value(CacheFlags.maxAge)
        if includesSecrets, keyFile == nil {
            throw UsageError("sluice run: --cache-secrets needs --cache-key-file: private keys are not kept in clear")
        }
    }
}

extension SnapshotCache {
    convenience init(
        _ options: CacheOptions, controllerName: String, connection: ClusterConnection, logger: Logger
    ) {
        var own = Options(
            directory: options.directory,
            origin: CachedCluster.Origin(
                server: connection.url, namespace: connection.namespace, controllerName: controllerName))
        (own.keyFile, own.maxAge, own.clockFactor) = (options.keyFile, options.maxAge, TestClock.factor)
        self.init(own, logger: logger)
    }
}

extension SnapshotCache {
    /// For /readyz?verbose. `servedAsOf`: while it is served, when that was known to be so.
    func detail(servedAsOf: Int64?, now: Int64) -> String {
        if let servedAsOf {
            let age = ageText(now - servedAsOf)
            return "serving what the API server had \(age) ago: it has not answered since the start"
        }
        let status = status
        if let problem = status.problem { return "cannot be written: \(problem)" }
        guard let time = status.lastWrite else { return "not written yet" }
        return "\(status.objects) objects, \(status.bytes) bytes, written \(ageText(now - time / 1_000_000_000)) ago"
    }
}
