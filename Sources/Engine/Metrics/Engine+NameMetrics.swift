internal import EngineModel
internal import Observability
internal import Platform
internal import Resolver

extension Engine {
    func writeNames(_ text: inout PrometheusText) {
        let counts = names.counts.sorted { $0.key < $1.key }.map { (LabelSet(backend: $0.key), $0.value) }
        text.family(.backendLookups) { family in
            for (labels, counts) in counts {
                for result in LookupResult.allCases {
                    guard let count = counts.results[result] else { continue }
                    family.sample(labels, LabelSet(["result": result.rawValue]), count)
                }
            }
        }
        let now = realtimeNanoseconds()
        text.family(.backendLastLookup) { family in
            for (labels, counts) in counts where counts.hasAnswers {
                family.sample(labels, UInt64(max(0, (counts.failingSince ?? now) / 1_000_000_000)))
            }
        }
    }
}
