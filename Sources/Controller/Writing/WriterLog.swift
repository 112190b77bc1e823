internal import KubernetesAPI
internal import KubernetesClient
internal import Observability
internal import Platform

/// Says what a person must know of the writing, and says it once a minute at most.
struct WriterLog {
    private let logger: Logger
    private var limiter = LogRateLimiter<String>(limit: 3, per: .seconds(60))
    private var markerError: APIError?

    init(_ logger: Logger) { self.logger = logger }

    mutating func write(_ remarks: inout [StatusBook.Remark]) {
        for remark in remarks {
            switch remark {
            case .refused(let target, let error):
                say(.error, "the API server refuses a status", target.description, error)
            case .failed(let target, let error):
                say(.warning, "a status could not be written and will be again", target.description, error)
            case .notKept(let target):
                say(.warning, "the API server does not keep all of a status; its CRD may be older", target.description)
            case .contested(let target):
                say(.warning, "somebody else keeps changing a status of ours", target.description)
            }
        }
        remarks = []
    }

    /// Returns what was written, for Events.
    mutating func write(_ remarks: inout [ServiceBook.Remark]) -> [ServiceBook.Remark] {
        defer { remarks = [] }
        for remark in remarks {
            switch remark {
            case .failed(let key, _, let error): say(.error, "a Service could not be written", "Service \(key)", error)
            case .foreign(let key, let gateway):
                say(
                    .error, "a Service has the name that a gateway's needs, and is not ours",
                    "Service \(key) for Gateway \(gateway)")
            }
        }
        return remarks
    }

    mutating func noteEvent(_ error: APIError) { say(.debug, "an Event could not be written", "", error) }

    mutating func noteMarker(_ marker: MarkerLookup, namespace: String) {
        guard let error = marker.error, error != markerError else { return }
        markerError = error
        logger.warning(
            "the ConfigMap that owns the Services cannot be read; they are made without an owner",
            [
                LogKey.object: LogValue("ConfigMap \(namespace)/\(marker.description)"),
                LogKey.error: LogValue(describing: error),
            ])
    }

    /// Of one kind of trouble a few lines a minute: an API server that is away fails thousands of writes alike.
    private mutating func say(_ level: Logger.Level, _ message: String, _ object: String, _ error: APIError? = nil) {
        guard let suppressed = limiter.admit(message, now: .now()) else { return }
        logger.log(
            level, message,
            [
                LogKey.object: LogValue(object), LogKey.error: LogValue(error.map(WriterLog.text) ?? ""),
                LogKey.suppressed: LogValue(suppressed),
            ])
    }

    private static func text(_ error: APIError) -> String {
        guard case .status(let status) = error, !status.causes.isEmpty else { return error.description }
        return "\(error.description) [\(status.causes.map { "\($0.field): \($0.message)" }.joined(separator: "; "))]"
    }
}
