internal import EngineModel
public import Observability

extension ControllerState {
    /// Appends the `sluice_config_*` families (docs/reference/metrics.md).
    public func append(to output: inout PrometheusText) {
        output.single(.generation, acknowledgement?.generation ?? 0)
        output.single(.lastReload, reloads.lastSucceeded ? 1 : 0)
        if let time = reloads.lastSuccess { output.single(.lastReloadTime, double: Double(time) / 1e9) }
        output.family(.reloads) {
            $0.sample(LabelSet(["result": "success"]), reloads.succeeded)
            $0.sample(LabelSet(["result": "failure"]), reloads.failed)
        }
        output.family(.applyDuration) { $0.histogram(.empty, reloads.durations) }
        output.family(.objects) { family in
            for (kind, states) in counts.counts.sorted(by: { $0.key < $1.key }) {
                for state in ObjectCounts.State.allCases {
                    family.sample(
                        LabelSet(["kind": kind, "state": state.rawValue]), UInt64(clamping: states[state] ?? 0))
                }
            }
        }
    }
}
