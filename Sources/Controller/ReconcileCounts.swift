internal import Observability

/// How often the objects were worked through, and how long that took.
public struct ReconcileCounts: Sendable {
    /// Raw values are the label `kind` of `sluice_reconciles_total`.
    enum Kind: String, CaseIterable, Sendable {
        case full
        case incremental
    }
    /// Raw values are the label `result`.
    enum Result: String, CaseIterable, Sendable {
        case applied
        case unchanged
    }

    private var durations: [Kind: [Result: DurationHistogram]] = [:]

    init() {}

    mutating func record(_ kind: Kind, _ result: Result, _ duration: Duration) {
        durations[kind, default: [:]][result, default: DurationHistogram()].record(duration)
    }

    func append(to output: inout PrometheusText) {
        var all: [(LabelSet, DurationHistogram)] = []
        for kind in Kind.allCases {
            for result in Result.allCases {
                guard let histogram = durations[kind]?[result] else { continue }
                all.append((LabelSet(["kind": kind.rawValue, "result": result.rawValue]), histogram))
            }
        }
        output.family(.reconciles) {
            for (labels, histogram) in all { $0.sample(labels, histogram.counts.reduce(0, +)) }
        }
        output.family(.reconcileDuration) { for (labels, histogram) in all { $0.histogram(labels, histogram) } }
    }
}
