public import Observability
internal import Platform

/// How many requests were answered how, for `sluice_kubernetes_requests_total`. Safe to use from any thread.
public final class RequestCounts: Sendable {
    private struct Key: Hashable {
        var verb: String
        var resource: String
        /// HTTP status, or `error`.
        var code: String
    }

    /// Verbs, resources and codes are few; should that be wrong, the rest is counted together.
    private static let mostSeries = 1000
    private let counts = Locked<[Key: UInt64]>([:])

    public init() {}

    /// `status`: of HTTP; nil: there was no answer.
    public func add(verb: String, resource: String, status: Int?) {
        let code = status.map { (100...599).contains($0) ? String($0) : "other" } ?? "error"
        counts.withLock { counts in
            var key = Key(verb: verb, resource: resource, code: code)
            if counts[key] == nil, counts.count >= RequestCounts.mostSeries { key.resource = "other" }
            counts[key, default: 0] += 1
        }
    }

    /// Writes the family.
    public func append(to output: inout PrometheusText) {
        let sorted = counts.withLock { $0 }.sorted {
            ($0.key.verb, $0.key.resource, $0.key.code) < ($1.key.verb, $1.key.resource, $1.key.code)
        }
        output.family(.requests) { family in
            for (key, count) in sorted {
                family.sample(LabelSet(["verb": key.verb, "resource": key.resource, "code": key.code]), count)
            }
        }
    }
}
