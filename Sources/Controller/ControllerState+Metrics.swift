internal import EngineModel
internal import KubernetesAPI
public import Observability
internal import Translation

extension ControllerState {
    /// Appends the families of the configuration and of certificates (docs/reference/metrics.md).
    public func append(to output: inout PrometheusText) {
        output.single(.generation, acknowledgement?.generation ?? 0)
        output.single(.lastReload, reloads.lastSucceeded ? 1 : 0)
        if let time = reloads.lastSuccess { output.single(.lastReloadTime, double: Double(time) / 1e9) }
        output.family(.reloads) {
            $0.sample(LabelSet(["result": "success"]), reloads.succeeded)
            $0.sample(LabelSet(["result": "failure"]), reloads.failed)
        }
        output.family(.applyDuration) { $0.histogram(.empty, reloads.durations) }
        reconciles.append(to: &output)
        certificates.append(to: &output)
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

extension CertificateBook {
    fileprivate func append(to output: inout PrometheusText) {
        output.family(.certificateNotAfter) { family in
            for use in uses {
                guard let notAfter = use.notAfter else { continue }
                let labels = LabelSet([
                    "secret_namespace": use.object.namespace, "secret": use.object.name,
                    "gateway_namespace": use.listener.gatewayNamespace, "gateway": use.listener.gateway,
                    "listener": use.listener.listener, "usage": use.usage.rawValue,
                ])
                family.sample(labels, double: Double(notAfter))
            }
        }
        output.family(.certificateReloads) { family in
            for (object, reads) in reads.sorted(by: { $0.key < $1.key }) {
                let labels = LabelSet(["secret_namespace": object.namespace, "secret": object.name])
                family.sample(labels, LabelSet(["result": "ok"]), reads.good)
                family.sample(labels, LabelSet(["result": "invalid"]), reads.invalid)
            }
        }
    }
}
