internal import EngineModel
public import Observability

extension ControllerState {
    /// Appends the `sluice_config_*` families (docs/reference/metrics.md).
    public func append(to output: inout PrometheusText) {
        output.single(
            "sluice_config_generation", .gauge, help: "Configurations applied by every worker since the start.",
            acknowledgement?.generation ?? 0)
        output.single(
            "sluice_config_last_reload_successful", .gauge,
            help: "Whether the last load of the source was free of errors.", reloads.lastSucceeded ? 1 : 0)
        if let time = reloads.lastSuccess {
            output.single(
                "sluice_config_last_reload_success_timestamp_seconds", .gauge,
                help: "When a load of the source was last free of errors.", double: Double(time) / 1e9)
        }
        output.family(
            "sluice_config_reloads_total", .counter, help: "Loads of the source by result; a failure is served in part."
        ) {
            $0.sample(LabelSet(["result": "success"]), reloads.succeeded)
            $0.sample(LabelSet(["result": "failure"]), reloads.failed)
        }
        output.family(
            "sluice_config_apply_duration_seconds", .histogram, help: "From a change seen to the table in use."
        ) { $0.histogram(.empty, reloads.durations) }
        output.family("sluice_config_objects", .gauge, help: "Objects by kind and state.") { family in
            for (kind, states) in counts.counts.sorted(by: { $0.key < $1.key }) {
                for state in ObjectCounts.State.allCases {
                    family.sample(
                        LabelSet(["kind": kind, "state": state.rawValue]), UInt64(clamping: states[state] ?? 0))
                }
            }
        }
    }
}
